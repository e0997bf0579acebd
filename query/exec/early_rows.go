package exec

import (
	"context"
	"errors"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// EarlyRow is the one row of a part of a plan that depends on no other row, read before the rest is built: its values stand there as constants, by which
// scans leave out segments, and conditions are computed as with any constant.
type EarlyRow struct {
	// Plan is the part.
	Plan plan.Node
	// Values are those of its columns; all are NULL where it gives no row.
	Values []*plan.Literal
}

// earlyRows reads such parts of one plan.
type earlyRows struct {
	run  *run
	rows []EarlyRow
}

// readEarly puts constants in the place of the parts of a plan that give one row at most and are joined to all others: what `(SELECT max(ts) FROM events)`
// becomes. A part that fails or gives more rows stays as it is, so that it fails only if a row needs it.
func (r *run) readEarly(ctx context.Context, root plan.Node) (plan.Node, error) {
	rewrite := r.engine.options.Rewrite
	if rewrite == nil {
		return root, nil
	}
	e := &earlyRows{run: r}
	out := e.over(ctx, root)
	if len(e.rows) == 0 {
		return root, nil
	}
	r.early = e.rows
	return rewrite(out)
}

// over is a plan with its early rows put in. What may be computed several times, with other values each, is left alone.
func (e *earlyRows) over(ctx context.Context, n plan.Node) plan.Node {
	inputs := slices.Clone(n.Inputs())
	switch n.(type) {
	case *plan.Recursive:
		return n
	case *plan.Apply:
		inputs[0] = e.over(ctx, inputs[0])
	default:
		for i, in := range inputs {
			inputs[i] = e.over(ctx, in)
		}
	}
	n = plan.Over(n, inputs...)
	if j, ok := n.(*plan.Join); ok {
		return e.joined(ctx, j)
	}
	return n
}

// joined is a join with constants for the side that gives one row at most, if there is one.
func (e *earlyRows) joined(ctx context.Context, j *plan.Join) plan.Node {
	switch {
	case j.Kind == plan.SingleJoin && len(j.On) == 0:
		if values, _ := e.read(ctx, j.Right); values != nil {
			return beside(j.Left, j.Right, nil, values)
		}
	case j.Kind == plan.InnerJoin && atMostOneRow(j.Right):
		if values, some := e.read(ctx, j.Right); some {
			return conditioned(beside(j.Left, j.Right, nil, values), j.On)
		}
	case j.Kind == plan.InnerJoin && atMostOneRow(j.Left):
		if values, some := e.read(ctx, j.Left); some {
			return conditioned(beside(j.Right, j.Left, values, nil), j.On)
		}
	}
	return j
}

// beside is the rows of a plan with constants before or behind their columns, which have the names of another plan's columns.
func beside(rows, named plan.Node, before, behind []*plan.Literal) plan.Node {
	out := &plan.Project{Input: rows}
	constants := func(values []*plan.Literal) {
		for i, v := range values {
			out.Exprs, out.Names = append(out.Exprs, v), append(out.Names, named.Columns()[i].Name)
		}
	}
	constants(before)
	for i, c := range rows.Columns() {
		out.Exprs, out.Names = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type}), append(out.Names, c.Name)
	}
	constants(behind)
	return out
}

func conditioned(n plan.Node, on []plan.Expr) plan.Node {
	for _, condition := range on {
		n = &plan.Filter{Input: n, Predicate: condition}
	}
	return n
}

// errSecondRow ends the reading of a part that gives more than one row.
var errSecondRow = errors.New("there is a second row")

// read runs a part of the plan. It gives nil where that fails or gives more than one row; some tells whether there is one.
func (e *earlyRows) read(ctx context.Context, n plan.Node) (values []*plan.Literal, some bool) {
	columns := n.Columns()
	for _, c := range columns {
		values = append(values, &plan.Literal{Value: event.NewNulls(c.Type, 1), Typ: c.Type})
	}
	err := guard(func() error {
		op, err := e.run.build(ctx, n, all(len(columns)))
		if err != nil {
			return err
		}
		in := gather(op)
		defer in.close()
		return feed(ctx, in, func(batch *Batch) error {
			if some || batch.Rows > 1 {
				return errSecondRow
			}
			some = true
			for i, v := range batch.Columns {
				values[i].Value = event.PlainText(kernel.Take(v, []int32{0})) // a copy: the batch may lie in memory that is used again
			}
			return nil
		})
	})
	if err != nil {
		return nil, false
	}
	e.rows = append(e.rows, EarlyRow{Plan: n, Values: values})
	return values, some
}

// atMostOneRow tells plans that can be seen to give no second row.
func atMostOneRow(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Aggregate:
		return len(n.Groups) == 0 && len(n.Sets) == 0
	case *plan.Values:
		return len(n.Rows) <= 1
	case *plan.Limit:
		return n.Bounds == nil && n.Count >= 0 && n.Count <= 1 || atMostOneRow(n.Input)
	case *plan.Sort:
		return n.Limit == 1 || atMostOneRow(n.Input)
	case *plan.Project:
		return atMostOneRow(n.Input)
	case *plan.Filter:
		return atMostOneRow(n.Input)
	default:
		return false
	}
}
