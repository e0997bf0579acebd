package continuous

import (
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// noteTop remembers the window below a filter that keeps the first rows of each partition by their row_number().
func (c *compiler) noteTop(f *plan.Filter) {
	for _, e := range plan.Conjuncts(f.Predicate) {
		column, count, ok := leastNumbers(e)
		if !ok || count < 1 || count > mostTop {
			continue
		}
		if w := numberedBy(f.Input, column); w != nil {
			if c.tops == nil {
				c.tops = map[*plan.Window]int{}
			}
			c.tops[w] = int(count)
			return
		}
	}
}

// leastNumbers reads a condition that holds for the numbers up to a count only: a column is equal to a constant, below it, or either.
func leastNumbers(e plan.Expr) (column int, count int64, ok bool) {
	c, isCall := e.(*plan.Call)
	if !isCall || len(c.Args) != 2 {
		return 0, 0, false
	}
	ref, isColumn := c.Args[0].(*plan.ColumnRef)
	l, isLiteral := c.Args[1].(*plan.Literal)
	if !isColumn || !isLiteral || l.Typ.Kind != event.BigInt || l.Value.IsNull(0) {
		return 0, 0, false
	}
	values, isBigint := l.Value.(*array.Int64)
	if !isBigint {
		return 0, 0, false
	}
	switch c.Fn.Name {
	case "=", "<=":
		return ref.Index, values.Value(0), true
	case "<":
		return ref.Index, values.Value(0) - 1, true
	default:
		return 0, 0, false
	}
}

// numberedBy finds the window whose only call is the row_number() that a column is, through projections; nil where there is none.
func numberedBy(n plan.Node, column int) *plan.Window {
	switch n := n.(type) {
	case *plan.Project:
		if ref, ok := n.Exprs[column].(*plan.ColumnRef); ok {
			return numberedBy(n.Input, ref.Index)
		}
	case *plan.Window:
		if len(n.Calls) == 1 && n.Calls[0].Fn.Name == "row_number" && column == plan.Width(n.Input) {
			return n
		}
	}
	return nil
}
