package app

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/server/api"
)

// tight serves the same data with so little memory for each query, and such small batches, that most queries spill.
func (i *instance) tight(memory int64) *instance {
	i.t.Helper()
	a := &App{
		config: i.config, logger: i.logger, metrics: api.NewMetrics(), stopping: make(chan struct{}), journal: i.journal, catalog: i.catalog,
		manifest: i.manifest, segments: i.segments, ingest: i.App.ingest, tables: i.tables, activity: i.activity, views: i.views,
		pool: i.pool, spill: i.spill,
	}
	a.engine = exec.New(&source{app: i.App}, &sink{engine: i.App.ingest}, exec.Options{
		MemoryBytes: memory, Spill: i.spill, Pool: i.pool, BatchRows: 7, Workers: 3,
	})
	require.NoError(i.t, a.listen(i.t.Context(), "test"))
	i.t.Cleanup(func() {
		close(a.stopping)
		require.NoError(i.t, a.stopServing())
	})
	return &instance{App: a, t: i.t}
}

// tightServers are several with more and more memory: a statement is asked of the first that does not fail with memory_limit.
func (i *instance) tightServers() []*instance {
	return []*instance{i.tight(12 << 10), i.tight(100 << 10), i.tight(4 << 20)}
}

// requireSameTight holds the answers with little memory to the one with enough of it.
func requireSameTight(t *testing.T, servers []*instance, sql string, want [][]any) {
	t.Helper()
	for _, s := range servers {
		answer := s.do("POST", "/v1/sql", sql)
		if bytes.Contains(answer.body, []byte(`"code":"memory_limit"`)) {
			continue // also where the answer had begun
		}
		require.Equal(t, 200, answer.status, "%s\n%s", sql, answer.body)
		var got table
		answer.decode(t, &got)
		x, y := sortedRows(want), sortedRows(got.Rows)
		require.Len(t, y, len(x), sql)
		for i := range x {
			for c := range x[i] {
				require.True(t, sameValue(x[i][c], y[i][c]), "with little memory: %s\nwant %v\ngot %v", sql, x[i], y[i])
			}
		}
		return
	}
	require.Fail(t, "no answer with little memory", sql)
}
