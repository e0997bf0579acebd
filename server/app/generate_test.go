package app

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator writes random SELECT statements over three tables, in the part of SQL in which DuckDB and we mean the same. Left out is
// what differs on purpose: division of integers, and casts of text.
type generator struct {
	*rand.Rand
	depth int
	// scope holds the columns that an expression may name, by type.
	scope map[string][]string
}

const (
	integers = "integer"
	doubles  = "double"
	strs     = "text"
	booles   = "boolean"
)

// generated are the tables: name, and columns with their types.
var generated = []struct {
	name    string
	columns [][2]string
}{
	{"t1", [][2]string{{"a", "INTEGER"}, {"b", "BIGINT"}, {"c", "TEXT"}, {"d", "DOUBLE PRECISION"}, {"e", "BOOLEAN"}}},
	{"t2", [][2]string{{"a", "INTEGER"}, {"f", "BIGINT"}, {"g", "TEXT"}}},
	{"t3", [][2]string{{"b", "BIGINT"}, {"h", "DOUBLE PRECISION"}, {"g", "TEXT"}}},
}

func kindOf(sqlType string) string {
	return map[string]string{"INTEGER": integers, "BIGINT": integers, "TEXT": strs, "DOUBLE PRECISION": doubles, "BOOLEAN": booles}[sqlType]
}

func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

// value is a literal, NULL at times.
func (g *generator) value(kind string) string {
	if g.IntN(8) == 0 {
		return "NULL"
	}
	return g.literal(kind)
}

func (g *generator) literal(kind string) string {
	switch kind {
	case integers:
		return fmt.Sprint(g.IntN(12) - 3)
	case doubles:
		return fmt.Sprintf("%.2f::DOUBLE PRECISION", float64(g.IntN(40)-12)/4)
	case strs:
		return "'" + g.pick("", "a", "b", "B", "ab", "abc", "x_y", "50%", "Zoë") + "'"
	default:
		return g.pick("true", "false")
	}
}

// bring makes the columns of some tables, under aliases, the scope.
func (g *generator) bring(tables ...[2]string) {
	g.scope = map[string][]string{}
	for _, t := range tables {
		for _, known := range generated {
			if known.name != t[0] {
				continue
			}
			for _, c := range known.columns {
				g.scope[kindOf(c[1])] = append(g.scope[kindOf(c[1])], t[1]+"."+c[0])
			}
		}
	}
}

func (g *generator) column(kind string) string {
	if columns := g.scope[kind]; len(columns) > 0 {
		return g.pick(columns...)
	}
	return g.literal(kind)
}

// expr is an expression of a kind over the scope.
func (g *generator) expr(kind string) string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 3 || g.IntN(3) == 0 {
		if g.IntN(4) == 0 {
			return g.literal(kind)
		}
		return g.column(kind)
	}
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", g.expr(booles), g.expr(kind), g.expr(kind))
	case 1:
		return fmt.Sprintf("coalesce(%s, %s)", g.column(kind), g.expr(kind))
	}
	switch kind {
	case integers:
		return g.integer()
	case doubles:
		return g.pick(
			fmt.Sprintf("(%s %s %s)", g.expr(doubles), g.pick("+", "-", "*"), g.literal(doubles)),
			fmt.Sprintf("abs(%s)", g.expr(doubles)), fmt.Sprintf("floor(%s)", g.expr(doubles)))
	case strs:
		return g.pick(
			fmt.Sprintf("(%s || %s)", g.expr(strs), g.expr(strs)), fmt.Sprintf("upper(%s)", g.expr(strs)),
			fmt.Sprintf("substr(%s, %d, %d)", g.expr(strs), g.IntN(3)+1, g.IntN(3)+1), fmt.Sprintf("replace(%s, 'a', 'zz')", g.expr(strs)))
	default:
		return g.predicate()
	}
}

func (g *generator) integer() string {
	return g.pick(
		fmt.Sprintf("(%s %s %s)", g.expr(integers), g.pick("+", "-", "*"), g.literal(integers)), fmt.Sprintf("abs(%s)", g.expr(integers)),
		fmt.Sprintf("length(%s)", g.expr(strs)), fmt.Sprintf("nullif(%s, %s)", g.expr(integers), g.literal(integers)),
		fmt.Sprintf("(%s %% %d)", g.expr(integers), g.IntN(5)+1), fmt.Sprintf("greatest(%s, %s)", g.column(integers), g.column(integers)))
}

func (g *generator) predicate() string {
	kind := g.pick(integers, doubles, strs)
	switch g.IntN(9) {
	case 0:
		return fmt.Sprintf("(%s AND %s)", g.expr(booles), g.expr(booles))
	case 1:
		return fmt.Sprintf("(%s OR %s)", g.expr(booles), g.expr(booles))
	case 2:
		return fmt.Sprintf("(NOT %s)", g.expr(booles))
	case 3:
		return fmt.Sprintf("(%s IS %sNULL)", g.expr(kind), g.pick("", "NOT "))
	case 4:
		return fmt.Sprintf("(%s %sIN (%s, %s, %s))", g.expr(kind), g.pick("", "NOT "), g.value(kind), g.literal(kind), g.literal(kind))
	case 5:
		return fmt.Sprintf("(%s %sBETWEEN %s AND %s)", g.expr(kind), g.pick("", "NOT "), g.literal(kind), g.expr(kind))
	case 6:
		return fmt.Sprintf("(%s %sLIKE %s)", g.expr(strs), g.pick("", "NOT "), g.pick("'a%'", "'%b%'", "'_'", "'%\\%' ESCAPE '\\'", "'%'"))
	case 7:
		return fmt.Sprintf("(%s IS %sDISTINCT FROM %s)", g.expr(kind), g.pick("", "NOT "), g.expr(kind))
	default:
		return fmt.Sprintf("(%s %s %s)", g.expr(kind), g.pick("=", "<>", "<", "<=", ">", ">="), g.expr(kind))
	}
}

// query is one statement. Rows come in any order, except that a LIMIT orders by every column.
func (g *generator) query() string {
	switch g.IntN(13) {
	case 7, 8:
		return g.special()
	case 9, 10, 11, 12:
		return g.nested()
	case 0:
		return g.setOperation()
	case 1:
		return g.windowed()
	case 2, 3:
		return g.grouped()
	default:
		return g.plain()
	}
}

// from is a FROM clause; the scope is what it offers.
func (g *generator) from() string {
	table := func() string { return g.pick("t1", "t2", "t3") }
	if g.IntN(3) == 0 {
		t := table()
		g.bring([2]string{t, "x"})
		return t + " AS x"
	}
	left, right := table(), table()
	g.bring([2]string{left, "x"}, [2]string{right, "y"})
	key := map[string]string{"t1": g.pick("a", "b"), "t2": g.pick("a", "f"), "t3": "b"}
	on := fmt.Sprintf("x.%s = y.%s", key[left], key[right])
	if g.IntN(3) == 0 {
		on += " AND " + g.expr(booles)
	}
	return fmt.Sprintf("%s AS x %s JOIN %s AS y ON %s", left, g.pick("", "LEFT", "RIGHT", "FULL", "INNER"), right, on)
}

func (g *generator) where() string {
	switch g.IntN(5) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" WHERE %s %sIN (SELECT z.f FROM t2 AS z WHERE z.f > %s)", g.column(integers), g.pick("", "NOT "), g.literal(integers))
	case 2:
		return fmt.Sprintf(" WHERE %sEXISTS (SELECT 1 FROM t3 AS z WHERE z.b = %s AND z.h > %s)", g.pick("", "NOT "), g.column(integers), g.literal(doubles))
	default:
		return " WHERE " + g.expr(booles)
	}
}

func (g *generator) plain() string {
	from := g.from()
	columns := make([]string, g.IntN(3)+1)
	for i := range columns {
		columns[i] = g.expr(g.pick(integers, doubles, strs, booles))
	}
	if g.IntN(6) == 0 {
		columns = append(columns, fmt.Sprintf("(SELECT max(z.f) FROM t2 AS z WHERE z.a = %s)", g.column(integers)))
	}
	sql := "SELECT " + g.pick("", "", "DISTINCT ") + strings.Join(columns, ", ") + " FROM " + from + g.where()
	if g.IntN(4) == 0 {
		sql += g.order(len(columns)) + fmt.Sprintf(" LIMIT %d OFFSET %d", g.IntN(10), g.IntN(4))
	}
	return sql
}

// order is by all of n columns, so that it leaves nothing open but the order of equal rows.
func (g *generator) order(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%d %s NULLS %s", i+1, g.pick("ASC", "DESC"), g.pick("FIRST", "LAST"))
	}
	return " ORDER BY " + strings.Join(keys, ", ")
}

func (g *generator) grouped() string {
	from := g.from()
	group := g.expr(g.pick(integers, strs, booles))
	aggregates := []string{g.aggregate(), g.aggregate()}
	if g.IntN(4) == 0 {
		return g.groupingSets(from, aggregates)
	}
	sql := fmt.Sprintf("SELECT %s AS k, %s FROM %s%s GROUP BY 1", group, strings.Join(aggregates, ", "), from, g.where())
	if g.IntN(3) == 0 {
		sql += fmt.Sprintf(" HAVING count(*) > %d", g.IntN(4))
	}
	return sql
}

func (g *generator) groupingSets(from string, aggregates []string) string {
	a, b := g.column(integers), g.column(strs)
	if !strings.Contains(a, ".") || !strings.Contains(b, ".") { // a literal is no group
		return fmt.Sprintf("SELECT %s FROM %s", strings.Join(aggregates, ", "), from)
	}
	sets := g.pick("ROLLUP (%s, %s)", "CUBE (%s, %s)", "GROUPING SETS ((%s), (%s), ())", "%s, ROLLUP (%s)")
	return fmt.Sprintf("SELECT %s, %s, grouping(%s), %s FROM %s%s GROUP BY ", a, b, a, strings.Join(aggregates, ", "), from, g.where()) +
		fmt.Sprintf(sets, a, b)
}

func (g *generator) aggregate() string {
	kind := g.pick(integers, doubles, strs)
	call := g.pick("count(*)", "count("+g.expr(kind)+")", "min("+g.expr(kind)+")", "max("+g.expr(kind)+")",
		"sum("+g.expr(integers)+")", "avg("+g.expr(integers)+")", "sum("+g.expr(doubles)+")",
		"count(DISTINCT "+g.expr(kind)+")", "sum(DISTINCT "+g.expr(integers)+")", "bool_and("+g.expr(booles)+")", "bool_or("+g.expr(booles)+")",
		"median("+g.expr(doubles)+")", "var_pop("+g.expr(integers)+")", "stddev_samp("+g.expr(integers)+")",
		"percentile_disc(0.3) WITHIN GROUP (ORDER BY "+g.expr(integers)+")")
	if g.IntN(4) == 0 {
		call += " FILTER (WHERE " + g.expr(booles) + ")"
	}
	return call
}

func (g *generator) windowed() string {
	g.bring([2]string{"t1", "x"})
	over := fmt.Sprintf("PARTITION BY %s ORDER BY x.b NULLS %s, x.a NULLS FIRST, x.c NULLS FIRST, x.d NULLS FIRST, x.e NULLS FIRST",
		g.pick("x.c", "x.e", "x.a"), g.pick("FIRST", "LAST"))
	call := g.pick("row_number()", "rank()", "lag(x.b)", "lead(x.a, 2)", "first_value(x.d)", "sum(x.b)", "count(*)", "min(x.c)", "max(x.d)")
	frame := ""
	if strings.Contains(call, "x.") && !strings.HasPrefix(call, "la") && !strings.HasPrefix(call, "le") {
		frame = g.pick("", " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
			" ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING")
	}
	return fmt.Sprintf("SELECT x.a, x.b, x.c, %s OVER (%s%s) FROM t1 AS x%s", call, over, frame, g.pick("", " WHERE "+g.expr(booles)))
}

func (g *generator) setOperation() string {
	side := func() string {
		t := g.pick("t1", "t2", "t3")
		g.bring([2]string{t, "x"})
		return fmt.Sprintf("SELECT %s, %s FROM %s AS x WHERE %s", g.expr(integers), g.expr(strs), t, g.expr(booles))
	}
	return side() + g.pick(" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " INTERSECT ALL ", " EXCEPT ALL ") + side()
}
