package ingest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestLogRetention: raw records can be read again for as long as the stream says, though they are sealed; then their files go, also if no
// more rows come, but never while they are not sealed, and not while the clock is not to be trusted.
func TestLogRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem(), func(o *Options) {
			o.LogFileBytes = 300
			o.Seal.Age = 1000 * time.Hour
		})
		schema := &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{{ID: 1, Name: "n", Type: event.Type{Kind: event.Text}, Since: 1}}}
		_, err := s.Create(catalog.Stream{Name: "s", Schema: schema, Partitions: 1, SchemaMode: catalog.Ignore, LogRetention: time.Hour})
		require.NoError(t, err)
		for range 10 {
			_, err := s.send("s", numbered(0, 5))
			require.NoError(t, err)
		}
		stream, err := s.Stream("s")
		require.NoError(t, err)
		first := func() event.Offset { return stream.sealing.Logs[0].First() }
		pass(3 * time.Hour)
		require.Zero(t, first(), "not sealed")
		_, err = s.send("s", numbered(0, 5))
		require.NoError(t, err)
		require.NoError(t, s.segments.HoldRetention(true))
		_, err = stream.Seal(t.Context())
		require.NoError(t, err)
		pass(10 * time.Minute)
		require.Zero(t, first(), "the clock is not to be trusted")
		require.NoError(t, s.segments.HoldRetention(false))
		pass(2 * time.Minute)
		require.Positive(t, first(), "older than the retention")
		old := first()
		for range 10 {
			_, err := s.send("s", numbered(0, 5))
			require.NoError(t, err)
		}
		_, err = stream.Seal(t.Context())
		require.NoError(t, err)
		pass(50 * time.Minute)
		require.Less(t, first(), old+10, "sealed, and within the retention")
		pass(20 * time.Minute)
		require.Greater(t, first(), old+30, "without another seal")
		s.close(t)
	})
}

// TestLogRetentionBySize: beyond its size the log loses its oldest files before their time, as far as they are sealed, also after a restart
// and while the clock is not to be trusted.
func TestLogRetentionBySize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		small := func(o *Options) {
			o.LogFileBytes = 300
			o.Seal.Age = 1000 * time.Hour
		}
		s := openStore(t, fs, small)
		schema := &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{{ID: 1, Name: "n", Type: event.Type{Kind: event.Text}, Since: 1}}}
		_, err := s.Create(catalog.Stream{
			Name: "s", Schema: schema, Partitions: 1, SchemaMode: catalog.Ignore, LogRetention: time.Hour, LogRetentionBytes: 1500,
		})
		require.NoError(t, err)
		log := func() *eventlog.Log {
			stream, err := s.Stream("s")
			require.NoError(t, err)
			return stream.sealing.Logs[0]
		}
		for range 20 {
			_, err := s.send("s", numbered(0, 5))
			require.NoError(t, err)
		}
		pass(5 * time.Minute)
		require.Zero(t, log().First(), "not sealed")
		require.Greater(t, log().Bytes(), int64(3000))
		s.close(t)
		s = openStore(t, fs, small)
		require.NoError(t, s.segments.HoldRetention(true))
		stream, err := s.Stream("s")
		require.NoError(t, err)
		_, err = stream.Seal(t.Context())
		require.NoError(t, err)
		require.Positive(t, log().First())
		require.LessOrEqual(t, log().Bytes(), int64(1500))
		require.Greater(t, log().Bytes(), int64(900), "no more than need be")
		s.close(t)
	})
}
