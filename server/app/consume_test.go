package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type consumed struct {
	Partition, Offset int64
	Timestamp         string
	Key               *string
	Value             json.RawMessage
}

func (i *instance) consume(query string) []consumed {
	i.t.Helper()
	answer := i.do("GET", "/v1/streams/orders/events"+query, "")
	require.Equal(i.t, http.StatusOK, answer.status, string(answer.body))
	var out []consumed
	lines := bufio.NewScanner(bytes.NewReader(answer.body))
	for lines.Scan() {
		var record consumed
		require.NoError(i.t, json.Unmarshal(lines.Bytes(), &record))
		out = append(out, record)
	}
	return out
}

func TestConsume(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	check := func() {
		all := s.consume("")
		require.Len(t, all, 3)
		for i, record := range all {
			require.EqualValues(t, i, record.Offset)
		}
		require.Equal(t, "2026-01-01T00:00:30.000000Z", all[1].Timestamp)
		require.JSONEq(t, `{"ts":"2026-01-01T00:00:30Z","region":"US","amount":20.5,"customer":{"name":"Bob"}}`, string(all[1].Value))
		require.EqualValues(t, 1, s.consume("?offset=1&limit=1")[0].Offset)
		require.Len(t, s.consume("?offset=1&limit=1"), 1)
		require.EqualValues(t, 1, s.consume("?time=2026-01-01T00:00:00.000001Z")[0].Offset)
		require.Empty(t, s.consume("?from=latest"))
		require.Empty(t, s.consume("?from=latest&wait=1ms"))
	}
	check()
	s.seal("orders")
	check()
	s = s.restart()
	check()
	for query, status := range map[string]int{
		"?offset=9": 400, "?offset=x": 400, "?partition=1": 400, "?limit=0": 400, "?wait=1h": 400, "?time=soon": 400, "?from=middle": 400,
	} {
		require.Equal(t, status, s.do("GET", "/v1/streams/orders/events"+query, "").status, query)
	}
	require.Contains(t, string(s.do("GET", "/v1/streams/orders/events?offset=latest", "").body), "from=latest begins there")
	require.Equal(t, 404, s.do("GET", "/v1/streams/none/events", "").status)
}

// TestConsumersWaitForTheNextEvent has a consumer wait at the end while events come, and counts that it gets each once.
func TestConsumersWaitForTheNextEvent(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	const more = 20
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range more {
			s.ingest("orders", fmt.Sprintf(`{"ts":"2026-01-01T00:02:00Z","amount":%d}`, i))
		}
	})
	deadline := time.Now().Add(time.Minute)
	next := int64(3)
	for next < 3+more && time.Now().Before(deadline) {
		for _, record := range s.consume(fmt.Sprintf("?offset=%d&wait=10s", next)) {
			require.Equal(t, next, record.Offset)
			next++
		}
	}
	sending.Wait()
	require.EqualValues(t, 3+more, next)
	sending.Wait()
}

// TestConsumersDoNotStayAtOffsetsWithoutARecord: the markers of a silent stream take offsets. A consumer in front of them waits for a record
// all the same, and is told where to go on when there was none.
func TestConsumersDoNotStayAtOffsetsWithoutARecord(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query("CREATE STREAM orders (ts TIMESTAMPTZ, n BIGINT, WATERMARK FOR ts AS ts IDLE TIMEOUT INTERVAL '1 millisecond')")
	s.ingest("orders", `{"ts":"2026-01-01T00:00:00Z","n":1}`)
	place := func(query string) string {
		answer := s.do("GET", "/v1/streams/orders/events"+query, "")
		require.Equal(t, http.StatusOK, answer.status)
		require.Empty(t, answer.body)
		return answer.header.Get("X-Start-Offset")
	}
	require.Eventually(t, func() bool { return place("?from=latest") != "1" }, time.Minute, time.Millisecond)
	require.NotEqual(t, "1", place("?offset=1"))
	require.NotEqual(t, "1", place("?offset=1&wait=1ms"))
	var sending sync.WaitGroup
	sending.Go(func() { s.ingest("orders", `{"ts":"2026-01-01T00:00:01Z","n":2}`) })
	got := s.consume("?offset=1&wait=30s")
	sending.Wait()
	require.Len(t, got, 1)
	require.JSONEq(t, `{"ts":"2026-01-01T00:00:01Z","n":2}`, string(got[0].Value))
}
