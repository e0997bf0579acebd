package doctor

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestRepairOfAMissingLogThatAViewHasRead: a view has read rows that nothing else has any more. It goes on with the next ones, which must not be
// given the offsets of those, or it would pass them over.
func TestRepairOfAMissingLogThatAViewHasRead(t *testing.T) {
	for _, how := range []string{"sealed", "nothing sealed"} {
		dir, stream := makeData(t), "orders"
		if how == "nothing sealed" {
			stream = "clicks"
			s := serve(t, dir)
			s.must("/v1/sql", "CREATE MATERIALIZED VIEW pages WITH (memory = '16MiB') AS SELECT page, count(*) AS c FROM clicks GROUP BY page")
			require.Equal(t, "3", s.sql("SELECT sum(c) FROM pages"))
			require.NoError(t, s.Close())
		}
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", stream)))
		out := repair(t, dir)
		require.NotEmpty(t, out.Lost, how)
		require.Empty(t, repair(t, dir).Lost, "a second repair finds nothing more")
		s := serve(t, dir)
		if stream == "orders" {
			require.Contains(t, s.must("/v1/streams/orders/events", `{"n":1,"region":"new"}`), `"first":600,`)
			require.Equal(t, "601", s.sql("SELECT sum(c) FROM totals"))
			require.Contains(t, s.must("/v1/sql?allow_corrupt=true", "SELECT count(*) FROM orders"), "[401]")
		} else {
			require.Contains(t, s.must("/v1/streams/clicks/events", `{"page":"new"}`), `"first":3,`)
			require.Equal(t, "4", s.sql("SELECT sum(c) FROM pages"))
		}
		status, body := s.post("/v1/sql", "SELECT count(*) FROM "+stream)
		require.NotEqual(t, 200, status, "rows are missing, and nobody has accepted that: %s", body)
		require.NoError(t, s.Close())
	}
}

// TestAViewStopsWhereItsStreamHasLostTheEnd rather than to pass over what comes next.
func TestAViewStopsWhereItsStreamHasLostTheEnd(t *testing.T) {
	dir := makeData(t)
	s := serve(t, dir)
	s.must("/v1/sql", "CREATE MATERIALIZED VIEW pages WITH (memory = '16MiB') AS SELECT page, count(*) AS c FROM clicks GROUP BY page")
	require.Equal(t, "3", s.sql("SELECT sum(c) FROM pages"))
	require.NoError(t, s.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", "clicks")))
	s = serve(t, dir)
	s.must("/v1/streams/clicks/events", `{"page":"new"}`)
	status, body := s.post("/v1/sql?wait=true", "SELECT sum(c) FROM pages")
	require.NotEqual(t, 200, status)
	require.Contains(t, body, "log files are missing")
	require.NoError(t, s.Close())
}

// TestRepairGoesBehindWhatIsKnownOfRequests: a start refuses a log that ends before that.
func TestRepairGoesBehindWhatIsKnownOfRequests(t *testing.T) {
	dir := makeData(t)
	fs, err := vfs.NewReal(dir)
	require.NoError(t, err)
	all := dedup.NewBudget(math.MaxInt64)
	state, _, err := dedup.Load(fs, "clicks", dedup.Options{Requests: all, Rows: all})
	require.NoError(t, err)
	state.Apply(0, &eventlog.Entry{First: 0, Times: make([]int64, 3)}, nil, nil)
	_, err = state.Save(fs, "clicks")
	require.NoError(t, err)
	require.NoError(t, fs.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", "clicks")))
	repair(t, dir)
	s := serve(t, dir)
	require.Contains(t, s.must("/v1/streams/clicks/events", `{"page":"new"}`), `"first":3,`)
	require.NoError(t, s.Close())
}
