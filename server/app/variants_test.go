package app

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
)

// TestAnswersDoNotDependOnHow asks generated statements in many ways: with batches of one row and of all, with more and fewer workers,
// without each rule of the optimizer, of rows that are all sealed or none, and that lie in one partition or several. The answers are the
// same. It needs no other engine. TIDEMARK_STRESS makes it long and new.
func TestAnswersDoNotDependOnHow(t *testing.T) {
	t.Parallel()
	statements, seed := 40, uint64(1)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		statements, seed = 5000, uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 2))}
	usual := start(t, t.TempDir())
	ways := waysOf(t, usual, fillTables(usual, g))
	answered := 0
	for range statements {
		sql := g.query()
		answer := usual.do("POST", "/v1/sql", sql)
		require.Less(t, answer.status, 500, "%s\n%s", sql, answer.body)
		var want table
		if answer.status == 200 {
			answer.decode(t, &want)
			answered++
		}
		for name, way := range ways {
			// A rule may avoid an error, and then the statement has none without it.
			if other := way.do("POST", "/v1/sql", sql); answer.status == 200 && !avoided(other) {
				require.Equal(t, 200, other.status, "%s: %s\n%s", name, sql, other.body)
				var got table
				other.decode(t, &got)
				requireSameRows(t, name+": "+sql, want.Rows, got.Rows)
			}
		}
	}
	require.Greater(t, answered, statements*9/10, "most statements have an answer to compare")
}

// waysOf are other servers that have the tables which the statements make.
func waysOf(t *testing.T, usual *instance, statements []string) map[string]*instance {
	t.Helper()
	ways := map[string]*instance{}
	for _, o := range []exec.Options{
		{BatchRows: 1, Workers: 1}, {BatchRows: 1, Workers: 5}, {BatchRows: 3, Workers: 2}, {BatchRows: 1024, Workers: 4}, {BatchRows: 64 << 10, Workers: 1},
	} {
		ways[fmt.Sprintf("%d workers, batches of %d", o.Workers, o.BatchRows)] = usual.serving(o, optimize.Optimize)
	}
	for _, rule := range optimize.Rules() {
		ways["without "+rule] = usual.serving(exec.Options{BatchRows: 8, Workers: 2}, optimize.Without(rule))
	}
	ways["without any rule"] = usual.serving(exec.Options{Workers: 2}, optimize.Without(optimize.Rules()...))
	for _, partitions := range []string{"", " PARTITIONS 4", " PARTITION BY HASH (b) PARTITIONS 3"} {
		for _, sealed := range []bool{false, true} {
			ways[fmt.Sprintf("%q, sealed: %t", partitions, sealed)] = stored(t, statements, partitions, sealed)
		}
	}
	return ways
}

// stored is a server whose tables are made with a clause more, where they have the column that it names.
func stored(t *testing.T, statements []string, clause string, sealed bool) *instance {
	t.Helper()
	s := start(t, t.TempDir())
	for _, statement := range statements {
		made := strings.Replace(statement, "CREATE TABLE", "CREATE STREAM", 1)
		if made != statement && (!strings.Contains(clause, "(b)") || strings.Contains(made, "b BIGINT")) {
			made += clause
		}
		s.query(made)
	}
	for _, table := range generated {
		if sealed {
			s.seal(table.name)
		}
	}
	return s
}

// avoided reports whether an answer is an error that a value of a row makes.
func avoided(answer response) bool {
	return answer.status != 200 && bytes.Contains(answer.body, []byte(`"code":"invalid_value"`))
}

func requireSameRows(t *testing.T, name string, want, got [][]any) {
	t.Helper()
	x, y := sortedRows(want), sortedRows(got)
	require.Len(t, y, len(x), name)
	for i := range x {
		for c := range x[i] {
			require.True(t, sameValue(x[i][c], y[i][c]), "%s\nwant %v\ngot %v", name, x[i], y[i])
		}
	}
}
