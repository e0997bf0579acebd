package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// slideArg is an argument of calls. Rows that filter leaves out have NULL.
type slideArg struct {
	expr, filter plan.Expr
	value, keep  *kernel.Program // value is nil for a row that only counts, keep without a filter
	typ          event.Type
	// kept says that it is needed of rows that have been given.
	kept bool
}

// argOf finds or adds the argument that the first of exprs is, or without one the rows that a filter keeps.
func (n *slideNode) argOf(exprs []plan.Expr, filter plan.Expr) (at int, ok bool, err error) {
	a := slideArg{filter: filter, typ: event.Type{Kind: event.Boolean}}
	if len(exprs) > 0 {
		a.expr, a.typ = exprs[0], exprs[0].Type()
	}
	if a.typ.Kind == event.Unknown || a.typ.Kind == event.Array {
		return 0, false, nil
	}
	same := func(x, y plan.Expr) bool { return x == nil && y == nil || x != nil && y != nil && plan.Same(x, y) }
	at = slices.IndexFunc(n.args, func(b slideArg) bool { return same(a.expr, b.expr) && same(a.filter, b.filter) })
	if at >= 0 {
		return at, true, nil
	}
	if a.expr != nil {
		if a.value, err = kernel.Compile(a.expr); err != nil {
			return 0, false, err
		}
	}
	if a.filter != nil {
		if a.keep, err = kernel.Compile(a.filter); err != nil {
			return 0, false, err
		}
	}
	n.args = append(n.args, a)
	return len(n.args) - 1, true, nil
}

// eval computes an argument over rows.
func (a *slideArg) eval(d *Delta) (arrow.Array, error) {
	if a.keep == nil {
		v, err := a.value.Eval(steady, d.Columns, d.Rows)
		if err != nil {
			return nil, err
		}
		return typedAs(kernel.Decode(v.Expand(d.Rows)), a.typ), nil
	}
	condition, err := a.keep.Eval(steady, d.Columns, d.Rows)
	if err != nil {
		return nil, err
	}
	kept := kernel.True(condition, d.Rows, nil)
	if a.value == nil {
		marks := event.NewBitmap(d.Rows)
		for _, row := range kept {
			marks.Set(int(row))
		}
		return event.NewBooleans(marks, d.Rows, marks), nil
	}
	// The rows that the filter leaves out are not computed: what would fail there must not.
	some := d.filtered(kept)
	v, err := a.value.Eval(steady, some.Columns, some.Rows)
	if err != nil {
		return nil, err
	}
	places := slices.Repeat([]int32{-1}, d.Rows)
	for i, row := range kept {
		places[row] = int32(i)
	}
	return typedAs(kernel.TakeOrNull(kernel.Decode(v.Expand(some.Rows)), places), a.typ), nil
}

// typedAs gives NULLs without a type the one that they stand for.
func typedAs(values arrow.Array, t event.Type) arrow.Array {
	if values.DataType().ID() == arrow.NULL {
		return event.NewNulls(t, values.Len())
	}
	return values
}
