package continuous

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileWindow makes the operator of window functions.
func (c *compiler) compileWindow(n *plan.Window) (node, error) {
	before := len(c.late)
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	if rolling, ok, err := c.compileRolling(n, input); ok || err != nil {
		return rolling, err
	}
	if count := c.tops[n]; count > 0 && input.traits().appendOnly {
		return c.compileTop(n, input, n.Partition, n.Order, count)
	}
	out, err := c.recompute(n, []node{input}, [][]plan.Expr{n.Partition})
	if err != nil {
		return nil, err
	}
	out.tr, out.parts = partTraits(n.Partition, input.traits()), plainColumns(n.Partition)
	sessions(n, input, &out.tr)
	if out.session = trimmedSessions(n, input.traits()); out.session != nil {
		return out, nil
	}
	if err := c.boundedRecompute(out, n); err != nil {
		return nil, err
	}
	if out.expires < 0 && input.traits().final && c.options.Emit == OnUpdate && !c.unsettled {
		c.late = c.late[:before] // those of the input are found again
		return c.overUnsettled(n)
	}
	return out, nil
}

// overUnsettled makes the operator of a window that is computed anew over rows which would wait for the watermark: it is to see all rows so far, so
// that they come at once and may change. What is below it keeps its rows for as long as it does itself.
func (c *compiler) overUnsettled(n *plan.Window) (node, error) {
	c.unsettled = true
	defer func() { c.unsettled = false }()
	return c.compileWindow(n)
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
