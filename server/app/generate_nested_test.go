package app

import (
	"fmt"
	"strings"
)

// nested is a statement of queries inside of queries, or of clauses that work on what others have made.
func (g *generator) nested() string {
	switch g.IntN(13) {
	case 0:
		return g.firstOfEach()
	case 1:
		return g.qualified()
	case 2:
		return g.withs()
	case 3:
		return g.setsOfGroups()
	case 4:
		return g.derived()
	case 5:
		return g.correlated()
	case 6:
		return g.quantified()
	case 7:
		return g.threeTables()
	case 8:
		return g.windowsOfGroups()
	case 9:
		return g.setTree()
	case 10:
		return g.intervals()
	case 11:
		return g.ranges()
	default:
		return g.texts()
	}
}

// totalOrder leaves nothing open of the rows of t1 but the order of equal ones.
func (g *generator) totalOrder() string {
	nulls := func() string { return g.pick(" NULLS FIRST", " DESC NULLS LAST", " NULLS LAST", " DESC NULLS FIRST") }
	columns := []string{"x.a", "x.b", "x.c", "x.d", "x.e"}
	g.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	for i, c := range columns {
		columns[i] = c + nulls()
	}
	return strings.Join(columns, ", ")
}

func (g *generator) firstOfEach() string {
	g.bring([2]string{"t1", "x"})
	key := g.pick("x.a", "x.c", "x.e", "x.a + 1", "(x.b > 2)")
	sql := fmt.Sprintf("SELECT DISTINCT ON (%s) x.a, x.b, x.c, x.d, x.e FROM t1 AS x%s ORDER BY %s, %s", key, g.where(), key, g.totalOrder())
	if g.IntN(2) == 0 {
		return sql
	}
	return fmt.Sprintf("SELECT q.a, count(*), max(q.b) FROM (%s) AS q WHERE q.b > %s GROUP BY q.a", sql, g.literal(integers))
}

func (g *generator) qualified() string {
	g.bring([2]string{"t1", "x"})
	over := fmt.Sprintf("OVER (PARTITION BY %s ORDER BY %s)", g.pick("x.c", "x.a", "x.e", "x.a, x.e"), g.totalOrder())
	if g.IntN(3) == 0 {
		return fmt.Sprintf("SELECT x.a, x.c, x.d FROM t1 AS x%s QUALIFY row_number() %s <= %d AND %s", g.where(), over, g.IntN(4), g.expr(booles))
	}
	return fmt.Sprintf("SELECT x.a, %s, sum(x.b) AS s, rank() OVER (ORDER BY count(*), x.a NULLS LAST) AS r FROM t1 AS x%s GROUP BY x.a "+
		"QUALIFY r %s %d AND count(*) OVER () > %d", g.aggregate(), g.where(), g.pick("<", ">=", "="), g.IntN(6), g.IntN(8))
}

// withs have queries that name those before them, that are named twice, or that have a WITH of their own.
func (g *generator) withs() string {
	g.bring([2]string{"t1", "x"})
	first := fmt.Sprintf("p AS (SELECT %s AS k, %s AS v, x.c FROM t1 AS x%s)", g.expr(integers), g.expr(integers), g.where())
	second := g.pick(
		"q AS (SELECT k, sum(v) AS v, count(*) AS n FROM p GROUP BY k)",
		"q AS (SELECT p.k, o.v, count(*) AS n FROM p JOIN p AS o ON p.k = o.v GROUP BY p.k, o.v)",
		"q(k, v, n) AS (SELECT k, v, 1 FROM p UNION ALL SELECT v, k, 2 FROM p)",
		"q AS (WITH p AS (SELECT z.a AS k, z.f AS v FROM t2 AS z) SELECT k, max(v) AS v, count(*) AS n FROM p GROUP BY k)",
		"q AS MATERIALIZED (SELECT DISTINCT k, v, 0 AS n FROM p WHERE v IS NOT NULL)")
	last := g.pick(
		"SELECT q.k, q.v, q.n, (SELECT count(*) FROM p WHERE p.k = q.k) FROM q",
		"SELECT p.c, sum(q.n), max(q.v) FROM p LEFT JOIN q ON p.k = q.k GROUP BY p.c",
		"SELECT k, n FROM q EXCEPT SELECT k, 1 FROM p",
		"SELECT a.k, b.k FROM q AS a, q AS b WHERE a.k = b.v AND a.n <= b.n",
		"SELECT n, count(DISTINCT k) FROM q WHERE k IN (SELECT v FROM p WHERE p.c IS NOT NULL) GROUP BY n")
	return fmt.Sprintf("WITH %s, %s %s", first, second, last)
}

// setsOfGroups have sets of two or three columns, also twice, with what HAVING and ORDER BY leave of them.
func (g *generator) setsOfGroups() string {
	g.bring([2]string{"t1", "x"})
	sets := g.pick("GROUPING SETS ((x.a, x.c), (x.a), (x.e), ())", "GROUPING SETS ((x.a, x.c), (x.a, x.c), (x.e))", "ROLLUP (x.a, (x.c, x.e))",
		"CUBE (x.a, x.c, x.e)", "x.a, CUBE (x.c, x.e)", "ROLLUP (x.a), ROLLUP (x.c, x.e)", "GROUPING SETS (ROLLUP (x.a, x.c), (x.e))",
		"GROUPING SETS ((x.a, x.c, x.e))")
	sql := fmt.Sprintf("SELECT x.a, x.c, x.e, grouping(x.a, x.c, x.e) AS g, %s, %s FROM t1 AS x%s GROUP BY %s", g.aggregate(), g.aggregate(), g.where(), sets)
	switch g.IntN(3) {
	case 0:
		sql += fmt.Sprintf(" HAVING count(*) > %d OR grouping(x.a) = %d", g.IntN(4), g.IntN(2))
	case 1:
		return fmt.Sprintf("SELECT q.g, count(*), count(q.a), max(q.c) FROM (%s) AS q(a, c, e, g, v, w) WHERE q.a IS NULL OR q.a > %s GROUP BY q.g", sql,
			g.literal(integers))
	}
	return sql
}

// derived asks a query in FROM, joined with a table, for some of its rows.
func (g *generator) derived() string {
	g.bring([2]string{"t1", "x"})
	inner := g.pick(
		fmt.Sprintf("SELECT x.a AS k, %s AS v, x.c AS s FROM t1 AS x%s", g.expr(integers), g.where()),
		fmt.Sprintf("SELECT x.a AS k, sum(x.b) AS v, max(x.c) AS s FROM t1 AS x%s GROUP BY x.a", g.where()),
		fmt.Sprintf("SELECT x.a AS k, x.b AS v, x.c AS s FROM t1 AS x ORDER BY %s LIMIT %d", g.totalOrder(), g.IntN(20)),
		"SELECT x.a AS k, x.b AS v, x.c AS s FROM t1 AS x UNION SELECT z.a, z.f, z.g FROM t2 AS z",
		fmt.Sprintf("SELECT x.a AS k, row_number() OVER (PARTITION BY x.e ORDER BY %s) AS v, x.c AS s FROM t1 AS x", g.totalOrder()))
	join := fmt.Sprintf("%s JOIN (%s) AS q ON y.%s = q.%s", g.pick("", "LEFT", "RIGHT", "FULL"), inner, g.pick("a", "f"), g.pick("k", "v"))
	g.scope = map[string][]string{integers: {"q.k", "q.v", "y.a", "y.f"}, strs: {"q.s", "y.g"}}
	if g.IntN(2) == 0 {
		return fmt.Sprintf("SELECT y.a, q.k, q.v, %s FROM t2 AS y %s WHERE %s", g.expr(strs), join, g.expr(booles))
	}
	return fmt.Sprintf("SELECT %s AS k, %s FROM t2 AS y %s WHERE %s GROUP BY 1", g.expr(strs), g.aggregate(), join, g.expr(booles))
}

// correlated has queries over the row around them, and over the row around that.
func (g *generator) correlated() string {
	g.bring([2]string{"t1", "x"})
	n := g.literal(integers)
	column := g.pick(
		"(SELECT count(*) FROM t2 AS z WHERE z.a = x.a AND z.f > "+n+")",
		"(SELECT sum(z.f) + x.b FROM t2 AS z WHERE z.a < x.a)",
		"(SELECT max(z.f) FROM t2 AS z WHERE z.a = x.a AND z.f > (SELECT min(w.b) FROM t3 AS w WHERE w.b >= z.a))",
		"(SELECT count(*) FROM t2 AS z WHERE z.a = x.a AND EXISTS (SELECT 1 FROM t3 AS w WHERE w.b = z.f))",
		"(SELECT max(z.f) FROM t2 AS z WHERE z.g = x.c OR z.a = "+n+")",
		"(SELECT avg(q.m) FROM (SELECT max(z.f) AS m FROM t2 AS z WHERE z.a <= x.a GROUP BY z.g) AS q)",
		"(SELECT count(*) FROM t2 AS z WHERE z.a BETWEEN x.a AND x.b AND z.f <> x.b)",
		"(SELECT count(z.f + x.b) FROM t2 AS z LEFT JOIN t3 AS w ON w.b = z.f AND w.h > x.d WHERE z.a >= x.a)")
	condition := g.pick(g.expr(booles), "x.b > (SELECT avg(o.b) FROM t1 AS o WHERE o.c = x.c)",
		"x.a IN (SELECT z.f FROM t2 AS z WHERE z.a > x.a - 3)", "x.a NOT IN (SELECT z.f FROM t2 AS z WHERE z.g = x.c)",
		"NOT EXISTS (SELECT 1 FROM t2 AS z WHERE z.a = x.a AND z.f = (SELECT max(w.b) FROM t3 AS w))",
		"EXISTS (SELECT 1 FROM t2 AS z WHERE z.a = x.a OR z.f > x.b AND z.g = x.c)",
		"NOT EXISTS (SELECT 1 FROM t2 AS z WHERE z.a = x.a AND NOT EXISTS (SELECT 1 FROM t3 AS w WHERE w.b = z.f AND w.h <> x.d))",
		"x.b > (SELECT max(z.f) FROM t2 AS z WHERE z.g = x.c AND z.a < (SELECT avg(w.b) FROM t3 AS w WHERE w.b <> x.b AND w.g = z.g))",
		"x.a NOT IN (SELECT z.f FROM t2 AS z WHERE z.a = x.b OR z.g = x.c)")
	if g.IntN(3) == 0 {
		return fmt.Sprintf("SELECT %s AS k, count(*) FROM t1 AS x WHERE %s GROUP BY 1", column, condition)
	}
	return fmt.Sprintf("SELECT x.a, x.b, %s FROM t1 AS x WHERE %s", column, condition)
}

func (g *generator) quantified() string {
	g.bring([2]string{"t1", "x"})
	test := fmt.Sprintf("%s %s %s (SELECT z.f FROM t2 AS z WHERE z.a %s %s)", g.expr(integers), g.pick("=", "<>", "<", "<=", ">", ">="),
		g.pick("ANY", "ALL"), g.pick("=", ">", "<"), g.pick("x.a", g.literal(integers)))
	if g.IntN(2) == 0 {
		return fmt.Sprintf("SELECT x.a, x.b, %s FROM t1 AS x", test)
	}
	return fmt.Sprintf("SELECT x.a, x.b FROM t1 AS x WHERE %s %s %s", test, g.pick("AND", "OR", "IS NOT TRUE OR"), g.expr(booles))
}

// threeTables are joined by words of all kinds, by equality and otherwise.
func (g *generator) threeTables() string {
	kind := func() string { return g.pick("", "LEFT", "RIGHT", "FULL") }
	if g.IntN(3) == 0 {
		return fmt.Sprintf("SELECT a, b, g, count(*) FROM t1 %s JOIN t2 USING (a) %s JOIN t3 USING (%s) WHERE a > %s OR b IS NULL GROUP BY a, b, g",
			kind(), kind(), "b, g", g.literal(integers))
	}
	g.bring([2]string{"t1", "x"}, [2]string{"t2", "y"}, [2]string{"t3", "z"})
	first := g.pick("x.a = y.a", "x.a = y.f AND x.c = y.g", "x.b < y.f AND x.a = y.a", "x.a = y.a AND x.b > "+g.literal(integers))
	second := g.pick("y.f = z.b", "x.b = z.b", "x.b = z.b AND y.g = z.g", "z.g = y.g AND z.h > x.d", "coalesce(x.b, y.f) = z.b")
	sql := fmt.Sprintf("t1 AS x %s JOIN t2 AS y ON %s %s JOIN t3 AS z ON %s", kind(), first, kind(), second)
	if g.IntN(3) == 0 {
		second = g.pick("y.f = z.b", "z.g = y.g")
		sql = fmt.Sprintf("t1 AS x %s JOIN (t2 AS y %s JOIN t3 AS z ON %s) ON %s", kind(), kind(), second, first)
	}
	return fmt.Sprintf("SELECT x.a, y.f, z.b, %s FROM %s WHERE %s", g.expr(strs), sql, g.expr(booles))
}

// windowsOfGroups are windows over what groups have made, and several over the same rows.
func (g *generator) windowsOfGroups() string {
	g.bring([2]string{"t1", "x"})
	if g.IntN(2) == 0 {
		return fmt.Sprintf("SELECT x.c, count(*), sum(sum(x.b)) OVER (ORDER BY x.c NULLS LAST %s), rank() OVER (ORDER BY %s, x.c NULLS FIRST), "+
			"lag(max(x.a)) OVER (ORDER BY x.c NULLS FIRST) FROM t1 AS x%s GROUP BY x.c", g.pick("", "ROWS 1 PRECEDING", "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING"),
			g.pick("count(*)", "sum(x.b) NULLS LAST", "min(x.d) NULLS FIRST"), g.where())
	}
	call := g.pick("ntile(3)", "cume_dist()", "percent_rank()", "dense_rank()", "nth_value(x.b, 2)", "last_value(x.c)", "lag(x.b, 2, -1)", "count(x.d)",
		"sum(x.b) FILTER (WHERE "+g.expr(booles)+")")
	return fmt.Sprintf("SELECT x.a, x.b, x.c, %s OVER w, row_number() OVER (w ROWS UNBOUNDED PRECEDING), sum(x.a) OVER (PARTITION BY x.e) FROM t1 AS x%s "+
		"WINDOW w AS (PARTITION BY %s ORDER BY %s)", call, g.where(), g.pick("x.c", "x.e", "x.a"), g.totalOrder())
}

// setTree joins four queries, in parentheses or by what binds tighter, and takes some of the rows in order.
func (g *generator) setTree() string {
	side := func() string {
		t := g.pick("t1", "t2", "t3")
		if g.IntN(6) == 0 {
			return fmt.Sprintf("(VALUES (%s, %s), (%s, %s))", g.literal(integers), g.literal(strs), g.literal(integers), g.literal(strs))
		}
		g.bring([2]string{t, "x"})
		return fmt.Sprintf("SELECT %s, %s FROM %s AS x%s", g.expr(integers), g.expr(strs), t, g.where())
	}
	op := func() string {
		return g.pick(" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " EXCEPT ALL ", " INTERSECT ALL ")
	}
	sql := side() + op() + side() + op() + side()
	if g.IntN(2) == 0 {
		sql = "(" + side() + op() + side() + ")" + op() + "(" + side() + op() + side() + ")"
	}
	switch g.IntN(3) {
	case 0:
		return sql
	case 1:
		return fmt.Sprintf("SELECT q.n, count(*), max(q.s) FROM (%s) AS q(n, s) WHERE q.n IS NULL OR q.n > %s GROUP BY q.n", sql, g.literal(integers))
	default:
		return sql + g.order(2) + fmt.Sprintf(" LIMIT %d", g.IntN(15))
	}
}

// intervals are of months, days and smaller units, added to, compared, grouped by and summed up. Their texts are alike where none has a
// negative part.
func (g *generator) intervals() string {
	g.bring([2]string{"t1", "x"})
	span := func() string {
		return fmt.Sprintf("(coalesce(%s, 1) * INTERVAL '%s')", g.column(integers),
			g.pick("1 month", "1 day", "15 days", "5 hours", "1 year", "1 month 3 days 2 hours"))
	}
	day := fmt.Sprintf("(DATE '2024-02-29' + %s)", span())
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("SELECT %s < %s, %s = %s, extract(%s FROM %s) FROM t1 AS x", span(), span(), span(), span(),
			g.pick("month", "day", "year", "hour"), span())
	case 1:
		return fmt.Sprintf("SELECT x.c, CAST(DATE '2000-01-31' + max(%s) AS DATE)::TEXT, count(DISTINCT %s) FROM t1 AS x%s GROUP BY x.c", span(), span(), g.where())
	case 2:
		return fmt.Sprintf("SELECT x.a, x.b, CAST(%s - %s AS TIMESTAMP), extract(epoch FROM (%s - DATE '2024-02-29')) FROM t1 AS x WHERE %s > DATE '2023-%02d-28'",
			day, span(), day, day, g.IntN(12)+1)
	default:
		return fmt.Sprintf("SELECT x.b, x.a, count(*) OVER (ORDER BY DATE '2024-03-31' + x.b * INTERVAL '1 day' "+
			"RANGE BETWEEN INTERVAL '%s' PRECEDING AND INTERVAL '%s' FOLLOWING) FROM t1 AS x WHERE x.b IS NOT NULL",
			g.pick("1 month", "1 day", "2 days", "1 month 1 day"), g.pick("1 month", "1 day", "0 days"))
	}
}

// texts are cut, filled up, looked through and put together.
func (g *generator) texts() string {
	g.bring([2]string{"t1", "x"})
	text := func() string {
		s := g.expr(strs)
		return g.pick(
			fmt.Sprintf("left(%s, %d)", s, g.IntN(6)-2), fmt.Sprintf("right(%s, %d)", s, g.IntN(6)-2), fmt.Sprintf("lpad(%s, %d, 'xy')", s, g.IntN(7)),
			fmt.Sprintf("rpad(%s, %d, '*')", s, g.IntN(7)), fmt.Sprintf("trim(both 'a' from %s)", s), fmt.Sprintf("reverse(%s)", s),
			fmt.Sprintf("repeat(%s, %d)", s, g.IntN(4)), fmt.Sprintf("split_part(%s, 'b', %d)", s, g.IntN(3)+1),
			fmt.Sprintf("concat_ws('-', %s, x.c, %s)", s, g.expr(strs)),
			fmt.Sprintf("translate(%s, 'ab', 'b')", s), fmt.Sprintf("substring(%s FROM %d FOR %d)", s, g.IntN(4), g.IntN(4)), fmt.Sprintf("lower(%s)", s))
	}
	number := fmt.Sprintf(g.pick("position('b' IN %s)", "strpos(%s, 'a')", "length(%s)", "ascii(%s)", "octet_length(CAST(%s AS BLOB))"), text())
	if g.IntN(2) == 0 {
		return fmt.Sprintf("SELECT x.c, %s, %s, starts_with(%s, x.c) FROM t1 AS x", text(), number, text())
	}
	return fmt.Sprintf("SELECT %s AS k, string_agg(DISTINCT x.c, '|' ORDER BY x.c), min(%s), max(%s) FROM t1 AS x WHERE %s GROUP BY 1",
		text(), text(), number, g.expr(booles))
}
