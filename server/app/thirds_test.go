package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestConditionsSplitRowsInThree holds generated conditions to three-valued logic: the rows for which one is true, those for which it is
// false and those for which it is NULL are together all rows, whether it stands in WHERE, in a join or in a FILTER. It needs no other
// engine. TIDEMARK_STRESS makes it long and new; under the race detector it is half as long as without.
func TestConditionsSplitRowsInThree(t *testing.T) {
	t.Parallel()
	conditions, seed := raced(30, 60), uint64(1)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		conditions, seed = 5000, uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	s := start(t, t.TempDir())
	fillTables(s, g)
	for range conditions {
		g.bring([2]string{"t1", "x"}, [2]string{"t2", "y"})
		p := g.expr(booles)
		thirds := []string{p, "NOT " + p, "(" + p + ") IS NULL"}

		const from = "SELECT x.a, x.b, x.c, y.f FROM t1 AS x LEFT JOIN t2 AS y ON x.a = y.a"
		var rows [][]any
		for _, third := range thirds {
			rows = append(rows, s.rowsOf(from+" WHERE "+third)...)
		}
		require.Equal(t, sortedRows(s.rowsOf(from)), sortedRows(rows), p)

		var joined [][]any
		for _, third := range thirds {
			joined = append(joined, s.rowsOf("SELECT x.b, y.g FROM t1 AS x JOIN t2 AS y ON "+third)...)
		}
		require.Equal(t, sortedRows(s.rowsOf("SELECT x.b, y.g FROM t1 AS x CROSS JOIN t2 AS y")), sortedRows(joined), p)

		counts := s.rowsOf(fmt.Sprintf("SELECT count(*) FILTER (WHERE %s) + count(*) FILTER (WHERE %s) + count(*) FILTER (WHERE %s) - count(*) "+
			"FROM t1 AS x CROSS JOIN t2 AS y", thirds[0], thirds[1], thirds[2]))
		require.Equal(t, "[[0]]", fmt.Sprint(counts), p)
	}
}

// rowsOf is the answer to a query that must have one.
func (s *instance) rowsOf(sql string) [][]any {
	s.t.Helper()
	answer := s.do("POST", "/v1/sql", sql)
	require.Equal(s.t, 200, answer.status, "%s\n%s", sql, answer.body)
	var out table
	answer.decode(s.t, &out)
	return slices.Clone(out.Rows)
}
