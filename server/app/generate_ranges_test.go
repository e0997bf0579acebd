package app

import (
	"fmt"
	"strings"
)

// ranges joins by comparisons by order, of numbers of unlike types, texts and truths, beside equalities and other conditions.
func (g *generator) ranges() string {
	g.bring([2]string{"t1", "x"}, [2]string{"t2", "y"})
	conditions := []string{g.pick("x.a BETWEEN y.a AND y.f", "y.f BETWEEN x.a - 2 AND x.a + 2", "x.b < y.f", "x.d >= y.a", "x.c > y.g", "x.b > y.a AND x.a <= y.f",
		"x.d BETWEEN y.a AND y.f + 0.5", "x.c <= y.g AND x.b >= y.f", "x.e >= (y.a > 2)", "abs(x.a) < y.f AND x.b <> y.a")}
	if g.IntN(3) == 0 {
		conditions = append(conditions, g.pick("x.a = y.a", "x.c = y.g", "x.b = y.f"))
	}
	if g.IntN(4) == 0 {
		conditions = append(conditions, g.expr(booles))
	}
	on := strings.Join(conditions, " AND ")
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("SELECT x.a, x.b, x.c, %s (SELECT 1 FROM t2 AS y WHERE %s) FROM t1 AS x", g.pick("EXISTS", "NOT EXISTS"), on)
	case 1:
		return fmt.Sprintf("SELECT x.a, x.c, count(*), sum(y.f) FROM t1 AS x %s JOIN t2 AS y ON %s GROUP BY x.a, x.c", g.pick("", "LEFT", "RIGHT", "FULL"), on)
	case 2:
		return fmt.Sprintf("SELECT x.a, count(*), sum(z.b) FROM t1 AS x, t2 AS y, t3 AS z WHERE %s AND z.b %s y.f GROUP BY x.a", on, g.pick("=", "<", ">="))
	default:
		kind := g.pick("", "LEFT", "RIGHT", "FULL")
		return fmt.Sprintf("SELECT x.a, x.b, y.f, y.g FROM t1 AS x %s JOIN t2 AS y ON %s WHERE x.d > 2 AND %s", kind, on, g.expr(booles))
	}
}
