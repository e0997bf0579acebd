package app

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/server/api"
)

// tight serves the same data with so little memory for each query, and such small batches, that most queries spill.
func (i *instance) tight(memory int64) *instance {
	i.t.Helper()
	return i.serving(exec.Options{MemoryBytes: memory, BatchRows: 7, Workers: 3}, optimize.Optimize)
}

// serving serves the same data with an engine of its own and another optimizer.
func (i *instance) serving(options exec.Options, rewrite func(plan.Node) (plan.Node, error)) *instance {
	i.t.Helper()
	a := &App{
		config: i.config, logger: i.logger, metrics: api.NewMetrics(), stopping: make(chan struct{}), journal: i.journal, catalog: i.catalog,
		manifest: i.manifest, segments: i.segments, ingest: i.App.ingest, tables: i.tables, activity: i.activity, views: i.views,
		pool: i.pool, spill: i.spill, rewrite: rewrite, now: i.now,
	}
	options.Spill, options.Pool, options.Rewrite = i.spill, i.pool, rewrite
	a.engine = exec.New(&source{app: i.App}, &sink{engine: i.App.ingest}, options)
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
		requireSameRows(t, "with little memory: "+sql, want, got.Rows)
		return
	}
	require.Fail(t, "no answer with little memory", sql)
}

// TestExplainAnalyzeSaysWhatWasSpilled looks for it at the operator that had no room, and at no other.
func TestExplainAnalyzeSaysWhatWasSpilled(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query("CREATE STREAM events (n BIGINT)")
	s.query("INSERT INTO events SELECT * FROM generate_series(1, 5000)")
	tight := s.tight(64 << 10)

	const sql = "EXPLAIN ANALYZE SELECT n % 4000 AS k, count(*) AS c FROM events GROUP BY k"
	spilled := regexp.MustCompile(`Aggregate by=.*\n +\(4000 rows, .*, spilled [0-9.]+ [KM]?i?B\)`)
	text := func(s *instance) string {
		var lines []string
		for _, row := range s.rowsOf(sql) {
			lines = append(lines, row[0].(string))
		}
		return strings.Join(lines, "\n")
	}
	require.Regexp(t, spilled, text(tight))
	require.Equal(t, 1, strings.Count(text(tight), "spilled"))
	require.NotContains(t, text(s), "spilled")

	document := tight.rowsOf(strings.Replace(sql, "ANALYZE", "(ANALYZE, FORMAT JSON)", 1))[0][0]
	require.Regexp(t, `spilled_bytes:[1-9]`, fmt.Sprint(document))
}
