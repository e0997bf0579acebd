package app

import (
	"testing"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/stretchr/testify/require"
)

// TestInfluxDBsOwnClient writes through the client library that InfluxData publishes, one point at a time and in batches behind its back: types,
// escapes and times arrive, and an error of ours is one that it understands.
func TestInfluxDBsOwnClient(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	client := influxdb2.NewClientWithOptions(s.URL(), "any token", influxdb2.DefaultOptions().SetPrecision(time.Millisecond).SetUseGZip(true).SetBatchSize(10))
	defer client.Close()
	at := time.UnixMilli(1772355600123)
	point := influxdb2.NewPoint("room climate", map[string]string{"room": "a b,c=d", "floor": "1"},
		map[string]any{"celsius": 21.5, "count": int64(9007199254740993), "big": uint64(1) << 63, "open": true, "note": `say "hi" \ bye`}, at)
	require.NoError(t, client.WriteAPIBlocking("org", "bucket").WritePoint(t.Context(), point))
	require.Equal(t, `["2026-03-01T09:00:00.123000Z","a b,c=d","1",21.5,9007199254740993,9223372036854775808,true,"say \"hi\" \\ bye"]`+"\n",
		s.query("SELECT time, room, floor, celsius, count, big, open, note FROM room_climate").text())

	batches := client.WriteAPI("org", "bucket")
	failures := batches.Errors()
	for i := range 95 {
		batches.WritePoint(influxdb2.NewPoint("batched", nil, map[string]any{"n": i}, at.Add(time.Duration(i)*time.Millisecond)))
	}
	batches.Flush()
	require.Empty(t, failures)
	require.Equal(t, "[95,4465]\n", s.query("SELECT count(*), sum(n) FROM batched").text())

	err := client.WriteAPIBlocking("org", "bucket").WriteRecord(t.Context(), "batched n=7i 1772355600123\nbatched n=oops 1772355600124")
	require.ErrorContains(t, err, `partial write: line 2: field "n": "oops" is not a number`)
	require.Equal(t, "[96]\n", s.query("SELECT count(*) FROM batched").text(), "the good line is stored")
}
