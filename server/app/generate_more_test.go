package app

import "fmt"

// special is a statement around one thing that the plain ones do not have.
func (g *generator) special() string {
	switch g.IntN(8) {
	case 0:
		return g.lateral()
	case 1:
		return g.recursive()
	case 2:
		return g.arrays()
	case 3:
		return g.rowValues()
	case 4:
		return g.frames()
	case 5:
		return g.times()
	case 6:
		return g.documents()
	default:
		return g.nearest()
	}
}

// lateral has a query for each row of another table: an aggregate, or the first rows by a value that is all it gives.
func (g *generator) lateral() string {
	g.bring([2]string{"t1", "x"})
	filter := fmt.Sprintf("z.a = %s AND z.f > %s", g.pick("x.a", "x.b", "x.a + 1"), g.literal(integers))
	inner := g.pick(
		"SELECT max(z.f) AS m, count(*) AS n FROM t2 AS z WHERE "+filter,
		fmt.Sprintf("SELECT z.f AS m, 1 AS n FROM t2 AS z WHERE %s ORDER BY z.f DESC NULLS LAST LIMIT %d", filter, g.IntN(3)+1),
		"SELECT z.f + x.b AS m, z.a AS n FROM t2 AS z WHERE "+filter, "SELECT DISTINCT z.f AS m, x.a AS n FROM t2 AS z WHERE "+filter)
	return fmt.Sprintf("SELECT x.a, x.c, q.m, q.n FROM t1 AS x %s JOIN LATERAL (%s) AS q ON TRUE WHERE %s", g.pick("", "LEFT"), inner, g.expr(booles))
}

func (g *generator) recursive() string {
	if g.IntN(2) == 0 {
		return fmt.Sprintf("WITH RECURSIVE r(n, s) AS (SELECT %d, 'a' UNION %s SELECT n + %d, s || 'b' FROM r WHERE n < %d) "+
			"SELECT r.n, r.s, count(x.a) FROM r LEFT JOIN t1 AS x ON x.a = r.n GROUP BY r.n, r.s",
			g.IntN(3), g.pick("", "ALL"), g.IntN(3)+1, g.IntN(12))
	}
	return fmt.Sprintf("WITH RECURSIVE r(a, d) AS (SELECT CAST(x.a AS BIGINT), 0 FROM t1 AS x WHERE x.a > %s UNION "+
		"SELECT y.f, r.d + 1 FROM r JOIN t2 AS y ON y.a = r.a WHERE r.d < %d) SELECT a, d FROM r", g.literal(integers), g.IntN(4)+1)
}

// arrays that are joined have a value: of nothing but NULLs DuckDB makes NULL, and PostgreSQL and we an empty text.
func (g *generator) arrays() string {
	g.bring([2]string{"t1", "x"})
	a, b := g.expr(integers), g.expr(integers)
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf("SELECT x.c, coalesce(array_to_string(array_agg(%s ORDER BY %s NULLS LAST), ','), '') FROM t1 AS x GROUP BY x.c", "x.b", "x.b")
	case 1:
		return fmt.Sprintf("SELECT x.a, u.v FROM t1 AS x, unnest(ARRAY[%s, %s, x.b]) AS u(v) WHERE u.v IS NULL OR u.v > %s", a, b, g.literal(integers))
	case 2:
		return fmt.Sprintf("SELECT x.a, (ARRAY[%s, %s])[%d], %s = ANY (ARRAY[%s, 3]) FROM t1 AS x", a, b, g.IntN(4)+1, g.column(integers), b)
	case 3:
		return fmt.Sprintf("SELECT array_length(ARRAY[%s, %s], 1), array_to_string(ARRAY[x.c, 'p', %s], '-') FROM t1 AS x", a, b, g.expr(strs))
	default:
		return fmt.Sprintf("SELECT ARRAY[x.a, x.b] = ARRAY[x.b, x.a], count(*) FROM t1 AS x WHERE %s GROUP BY 1", g.expr(booles))
	}
}

// rowValues are without NULL, which DuckDB takes for a value of a row that is equal to itself, and PostgreSQL and we do not.
func (g *generator) rowValues() string {
	g.bring([2]string{"t1", "x"})
	const known = " AND x.a IS NOT NULL AND x.b IS NOT NULL"
	switch g.IntN(3) {
	case 0:
		return fmt.Sprintf("SELECT x.a, x.b FROM t1 AS x WHERE (x.a, x.b) %sIN ((%s, %s), (%s, %s))", g.pick("", "NOT "),
			g.literal(integers), g.literal(integers), g.literal(integers), g.literal(integers)) + known
	case 1:
		return "SELECT x.a, x.b FROM t1 AS x WHERE (x.a, x.b) IN (SELECT z.a, z.f FROM t2 AS z WHERE z.a IS NOT NULL AND z.f > " + g.literal(integers) + ")" + known
	default:
		return "SELECT x.a, x.b FROM t1 AS x WHERE EXISTS (SELECT 1 FROM t2 AS z WHERE (z.a, z.f) = (x.a, x.b + " + g.literal(integers) +
			") AND z.a IS NOT NULL AND z.f IS NOT NULL)" + known
	}
}

// frames have units and exclusions; over several columns rows have a total order but for equal ones, over one they have peers.
func (g *generator) frames() string {
	g.bring([2]string{"t1", "x"})
	call := g.pick("sum(x.b)", "count(*)", "count(x.a)", "min(x.b)", "max(x.c)", "avg(x.a)", "bool_or(x.e)")
	bound := g.pick("2 PRECEDING AND CURRENT ROW", "UNBOUNDED PRECEDING AND 1 FOLLOWING", "1 FOLLOWING AND 3 FOLLOWING",
		"3 PRECEDING AND 1 PRECEDING", "CURRENT ROW AND UNBOUNDED FOLLOWING", "1 PRECEDING AND 1 FOLLOWING")
	unit, order := "RANGE", "x.b "+g.pick("ASC", "DESC")
	if g.IntN(2) == 0 {
		unit, order = "GROUPS", g.pick("x.a", "x.c", "x.e, x.a")
	}
	return fmt.Sprintf("SELECT x.a, x.b, x.c, %s OVER (PARTITION BY %s ORDER BY %s %s BETWEEN %s%s) FROM t1 AS x WHERE x.b IS NOT NULL", call,
		g.pick("x.e", "x.a", "1"), order, unit, bound, g.pick("", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"))
}

// times count in months, days and seconds from a day near the end of a month.
func (g *generator) times() string {
	g.bring([2]string{"t1", "x"})
	n := g.column(integers)
	unit := g.pick("1 month", "1 day", "36 hours", "1 year", "10 days", "1 month 1 day", "90 minutes")
	moment := fmt.Sprintf("(TIMESTAMP '2024-01-31 12:30:00' + %s * INTERVAL '%s')", n, unit)
	return fmt.Sprintf("SELECT %s, CAST(CAST(%s AS DATE) AS TEXT), CAST(CAST(date_trunc('%s', %s) AS DATE) AS TEXT), "+
		"extract(%s FROM %s), %s < TIMESTAMP '2024-03-01' FROM t1 AS x", n, moment, g.pick("month", "week", "quarter", "year"), moment,
		g.pick("doy", "day", "isodow", "week", "hour", "quarter"), moment, moment)
}

// documents are JSON made of values that are not NULL.
func (g *generator) documents() string {
	g.bring([2]string{"t1", "x"})
	document := "CAST('{\"n\": ' || coalesce(x.a, 7) || ', \"s\": {\"t\": [\"' || coalesce(x.c, 'none') || '\", ' || coalesce(x.b, 0) || ']}}' AS JSON)"
	path := g.pick("(%s ->> 'n')", "((%s -> 's' -> 't') ->> 0)", "((%s -> 's' -> 't') ->> 1)", "(%s ->> 'missing')", "((%s -> 's') ->> 'none')")
	value := fmt.Sprintf(path, document)
	if g.IntN(2) == 0 {
		return fmt.Sprintf("SELECT %s AS k, count(*), max(x.b) FROM t1 AS x WHERE %s GROUP BY 1", value, g.expr(booles))
	}
	return fmt.Sprintf("SELECT x.a, %s, %s IS NULL FROM t1 AS x WHERE %s = '%d' OR %s", value, value, value, g.IntN(9), g.expr(booles))
}

// nearest is an ASOF join. Of the row found only its time is looked at: another with the same could stand for it.
func (g *generator) nearest() string {
	g.bring([2]string{"t1", "x"})
	op := g.pick(">=", ">", "<=", "<")
	return fmt.Sprintf("SELECT x.a, x.b, x.c, y.b FROM t1 AS x ASOF %s JOIN t3 AS y ON x.c = y.g AND x.b %s y.b WHERE %s",
		g.pick("", "LEFT"), op, g.expr(booles))
}
