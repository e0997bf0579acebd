package app

import (
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

// TestAnswersAtOnceAreThoseRowByRow asks generated queries that name columns of the row around them, with limits, sets, windows and groups inside,
// at once and for one row after another. TIDEMARK_STRESS makes it long and new.
func TestAnswersAtOnceAreThoseRowByRow(t *testing.T) {
	t.Parallel()
	statements, seed := 60, uint64(1)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		statements, seed = 3000, uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 5))}
	usual := start(t, t.TempDir())
	fillTables(usual, g)
	rowByRow := usual.serving(exec.Options{Workers: 2}, optimize.Without("answer-at-once", "decorrelate"))
	answered, atOnce := 0, 0
	for range statements {
		sql := g.atOnce()
		want := rowByRow.do("POST", "/v1/sql", sql)
		got := usual.do("POST", "/v1/sql", sql)
		require.Less(t, want.status, 500, "%s\n%s", sql, want.body)
		if want.status != 200 {
			require.Equal(t, want.status, got.status, "%s\n%s", sql, got.body)
			continue
		}
		require.Equal(t, 200, got.status, "%s\n%s", sql, got.body)
		var expected, rows table
		want.decode(t, &expected)
		got.decode(t, &rows)
		requireSameRows(t, sql, expected.Rows, rows.Rows)
		answered++
		if plan := usual.do("POST", "/v1/sql", "EXPLAIN "+sql); strings.Contains(string(plan.body), "at_once=") {
			atOnce++
		}
	}
	require.Greater(t, answered, statements*9/10, "most statements have an answer to compare")
	require.Greater(t, atOnce, statements/2, "most statements are answered at once")
}

// atOnce is a query with one over t2 and t3 inside for each row of t1.
func (g *generator) atOnce() string {
	inner := g.correlatedRows()
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf("SELECT t1.a, t1.b, (SELECT %s FROM (%s) AS q) AS v FROM t1", g.pick("count(*)", "sum(v)", "min(v)", "max(v) + t1.a",
			"count(v) FILTER (WHERE v > 0)", "string_agg(v::TEXT, ',' ORDER BY v)", "array_agg(v ORDER BY v DESC)", "regr_count(v, v)", "bool_or(v > 2)"), inner)
	case 1:
		return fmt.Sprintf("SELECT a, b, c FROM t1 WHERE %s (%s)", g.pick("EXISTS", "NOT EXISTS", "b IN", "b NOT IN", "b > ANY", "b <= ALL"), inner)
	case 2:
		return fmt.Sprintf("SELECT t1.a, t1.b, q.v FROM t1 LEFT JOIN LATERAL (%s) AS q(v) ON %s", inner, g.pick("true", "q.v > 1", "q.v <> t1.a"))
	default:
		return fmt.Sprintf("SELECT t1.a, t1.b, q.v FROM t1, LATERAL (%s) AS q(v)", inner)
	}
}

// correlatedRows is a query with one column, v, of whole numbers, whose rows no order leaves open.
func (g *generator) correlatedRows() string {
	switch g.IntN(7) {
	case 0:
		return fmt.Sprintf("SELECT f AS v FROM t2 %s ORDER BY f %s NULLS %s%s", g.correlation("t2"), g.pick("", "DESC"), g.pick("FIRST", "LAST"), g.limits())
	case 1:
		return fmt.Sprintf("SELECT v FROM (SELECT f AS v FROM t2 %s) AS x %s (SELECT b AS v FROM t3 %s)", g.correlation("t2"),
			g.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"), g.pick(g.correlation("t3"), ""))
	case 2:
		return fmt.Sprintf("SELECT %s AS v FROM t2 %s", g.pick("rank() OVER (ORDER BY f)", "sum(f) OVER (PARTITION BY g)",
			"count(*) OVER (ORDER BY f)", "max(a) OVER () + t1.b", "dense_rank() OVER (PARTITION BY a ORDER BY g)"), g.correlation("t2"))
	case 3:
		return fmt.Sprintf("SELECT %s AS v FROM t2 %s GROUP BY %s", g.pick("count(*)", "sum(f)", "grouping(a)", "max(f) - t1.a"), g.correlation("t2"),
			g.pick("ROLLUP (a, g)", "CUBE (a, g)", "GROUPING SETS ((a), (g), ())", "GROUPING SETS ((a, g), (a))", "a"))
	case 4:
		return fmt.Sprintf("SELECT v FROM (SELECT DISTINCT ON (a) a, f AS v FROM t2 %s ORDER BY a, f) AS x", g.correlation("t2"))
	case 5:
		return fmt.Sprintf("SELECT v FROM (VALUES (t1.a), (t1.b), (3), (NULL)) AS x(v) WHERE v %s", g.pick("> 1", "IS NOT NULL", "<> t1.b"))
	default:
		rows := fmt.Sprintf("SELECT 1 FROM t3 WHERE t3.b %s t2.f AND t3.b %s t1.b ORDER BY h, t3.b%s", g.pick("=", "<"), g.pick("=", "<", "<>"), g.limits())
		return "SELECT count(*) AS v FROM t2, LATERAL (" + rows + ") AS y " + g.correlation("t2")
	}
}

// correlation is a condition on the rows of a table and the row around.
func (g *generator) correlation(name string) string {
	column := map[string]string{"t2": "f", "t3": "b"}[name]
	return "WHERE " + g.pick(name+"."+column+" = t1.b", name+"."+column+" < t1.b", name+".g = t1.c", name+".g >= t1.c AND "+name+"."+column+" <> t1.a",
		name+".g IS NOT DISTINCT FROM t1.c", "t1.e OR "+name+"."+column+" = t1.a", name+"."+column+" BETWEEN t1.a AND t1.b")
}

func (g *generator) limits() string {
	return g.pick("", " LIMIT 1", " LIMIT 3", " LIMIT 2 OFFSET 1", " OFFSET 2", " LIMIT 0")
}
