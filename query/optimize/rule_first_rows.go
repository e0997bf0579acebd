package optimize

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// takeFirstRows keeps one row of each partition where a condition on row_number() asks for no other: instead of all rows in order, only the first
// one is held of each.
func takeFirstRows(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		w, ok := f.Input.(*plan.Window)
		if !ok || len(w.Calls) != 1 || w.Calls[0].Fn.Name != "row_number" || len(w.Partition) == 0 || len(w.Order) == 0 {
			return n, nil
		}
		conjuncts := plan.Conjuncts(f.Predicate)
		number := len(w.Columns()) - 1
		at := slices.IndexFunc(conjuncts, func(e plan.Expr) bool { return isFirst(e, number) })
		if at < 0 {
			return n, nil
		}
		others := slices.Delete(slices.Clone(conjuncts), at, at+1)
		reads := make([]bool, number+1)
		if plan.MarkColumns(reads, others...); reads[number] {
			return n, nil
		}
		return firstOf(w, others), nil
	})
}

// firstOf is the first row of each partition, with its number, where conditions hold for it.
func firstOf(w *plan.Window, conditions []plan.Expr) plan.Node {
	first := &plan.FirstRows{Input: w.Input, By: w.Partition, Keys: w.Order}
	out := &plan.Project{Input: where(first, conditions)}
	columns := w.Columns()
	number := columns[len(columns)-1]
	for i, c := range columns[:len(columns)-1] {
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		out.Names = append(out.Names, c.Name)
	}
	out.Exprs = append(out.Exprs, &plan.Literal{Value: event.NewInt64s([]int64{1}, nil), Typ: number.Type})
	out.Names = append(out.Names, number.Name)
	return out
}

// isFirst reports that a condition holds for the number 1 in a column of row numbers, and for no greater one.
func isFirst(e plan.Expr, column int) bool {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 || mirrored[c.Fn.Name] == "" {
		return false
	}
	op, number, bound := c.Fn.Name, c.Args[0], c.Args[1]
	if _, ok := number.(*plan.Literal); ok {
		op, number, bound = mirrored[op], bound, number
	}
	ref, isColumn := number.(*plan.ColumnRef)
	literal, isLiteral := bound.(*plan.Literal)
	if !isColumn || ref.Index != column || !isLiteral {
		return false
	}
	value, ok := literal.Value.(*array.Int64)
	if !ok || value.IsNull(0) {
		return false
	}
	switch op {
	case "=", "<=":
		return value.Value(0) == 1
	case "<":
		return value.Value(0) == 2
	default:
		return false
	}
}
