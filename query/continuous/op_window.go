package continuous

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileWindow makes the operator of window functions.
func (c *compiler) compileWindow(n *plan.Window) (node, error) {
	input, frames, err := c.compileFrames(n)
	if frames != nil || err != nil {
		return frames, err
	}
	switch count := c.tops[n]; {
	case count > 0 && input.traits().provisional:
		if input, err = c.firstSoFar(n.Input, input, n.Partition, n.Order, count); err != nil {
			return nil, err
		}
	case count > 0 && input.traits().appendOnly:
		return c.compileTop(n, input, n.Partition, n.Order, count)
	}
	input = soFarOver(input)
	out, err := c.recompute(n, []node{input}, [][]plan.Expr{n.Partition})
	if err != nil {
		return nil, err
	}
	out.tr, out.parts = partTraits(n.Partition, input.traits()), plainColumns(n.Partition)
	sessions(n, input, &out.tr)
	if out.session = trimmedSessions(n, input.traits()); out.session != nil {
		return out, nil
	}
	return out, c.boundedRecompute(out, n)
}

// compileFrames makes the operator of a window in the order of event time. Where its frames are of another kind it is nil, and input has all that
// they are to see.
func (c *compiler) compileFrames(n *plan.Window) (input, frames node, err error) {
	late, rows := len(c.late), c.showing
	if rows == atTop {
		rows = settled
	}
	err = c.asked(rows, func() error {
		input, err = c.compile(n.Input)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	frames, ok, err := c.compileRolling(n, input)
	switch {
	case ok || err != nil:
		return nil, frames, err
	case c.showing == atTop:
		c.forgetLate(late)
		input, err = c.compileApart(n.Input)
		return input, nil, err
	default:
		return input, nil, nil
	}
}

// partTraits are those of rows that change together with all that have the same values of some columns.
func partTraits(parts []plan.Expr, input *traits) traits {
	out := traits{bounds: map[int]int64{}, recomputes: input.recomputes}
	for _, at := range plainColumns(parts) {
		if lag, ok := input.bounds[at]; ok {
			out.bounds[at] = lag
		}
	}
	return out
}

// plainColumns are those of some expressions that are nothing but a column.
func plainColumns(exprs []plan.Expr) []int {
	var out []int
	for _, e := range exprs {
		if ref, ok := e.(*plan.ColumnRef); ok {
			out = append(out, ref.Index)
		}
	}
	return out
}

// sessions adds what is known of the end of sessions: a row changes a session only while the time is before its end.
func sessions(n *plan.Window, input node, out *traits) {
	for i, call := range n.Calls {
		if call.Fn != plan.SessionEnd {
			continue
		}
		if lag, ok := boundOf(call.Args[0], input.traits().bounds); ok {
			*out = out.bounded(len(input.columns())+i, lag-1)
		}
	}
}
