package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// condition is one conjunct of a scan's filter.
type condition struct {
	program *kernel.Program
	// reads names the scan's columns that it looks at.
	reads []bool
	// ordered is the column that is compared with a constant, so that what is true of the least and the greatest value is true
	// of all between them; -1 where the conjunct is nothing of the kind.
	ordered int
}

func compileConditions(conjuncts []plan.Expr, columns int) ([]condition, error) {
	programs, err := compileAll(conjuncts)
	if err != nil {
		return nil, err
	}
	out := make([]condition, len(conjuncts))
	for i, e := range conjuncts {
		out[i] = condition{program: programs[i], reads: make([]bool, columns), ordered: orderedColumn(e)}
		plan.MarkColumns(out[i].reads, e)
	}
	return out, nil
}

// orderedColumn finds the column of a comparison with a constant. `<>` holds for both ends and not for a value between them, and
// types with NaN or cut bounds are left out.
func orderedColumn(e plan.Expr) int {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 {
		return -1
	}
	switch c.Fn.Name {
	case "=", "<", "<=", ">", ">=":
	default:
		return -1
	}
	column, constant := c.Args[0], c.Args[1]
	if _, ok := column.(*plan.ColumnRef); !ok {
		column, constant = constant, column
	}
	ref, ok := column.(*plan.ColumnRef)
	if !ok || (ref.Typ.Kind != event.BigInt && ref.Typ.Kind != event.TimestampTZ) || readsColumns(constant) {
		return -1
	}
	return ref.Index
}

func readsColumns(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) {
		if _, ok := e.(*plan.ColumnRef); ok {
			found = true
		}
	})
	return found
}

// bounded is rows of which the ends of columns may be known: a morsel, or statistics.
type bounded interface {
	Bounds(column int) (lowHigh arrow.Array, ok bool)
}

// holds reports that every row meets the condition, as far as that is known without reading any.
func (c *condition) holds(ctx *kernel.Context, m bounded) bool {
	if c.ordered < 0 {
		return false
	}
	ends, ok := m.Bounds(c.ordered)
	if !ok {
		return false
	}
	columns := make([]arrow.Array, len(c.reads))
	columns[c.ordered] = ends
	met, err := c.program.Eval(ctx, columns, ends.Len())
	return err == nil && len(kernel.True(met, ends.Len(), nil)) == ends.Len()
}
