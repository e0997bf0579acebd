package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileWindow makes the operator of window functions.
func (c *compiler) compileWindow(n *plan.Window) (node, error) {
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	if rolling, ok, err := c.compileRolling(n, input); ok || err != nil {
		return rolling, err
	}
	out, err := c.recompute(n, []node{input}, [][]plan.Expr{n.Partition})
	if err != nil {
		return nil, err
	}
	out.tr = partTraits(n.Partition, input.traits())
	sessions(n, input, &out.tr)
	if out.session = trimmedSessions(n, input.traits()); out.session != nil {
		return out, nil
	}
	return out, c.boundedRecompute(out, n)
}

// partTraits are those of rows that change together with all that have the same values of some columns.
func partTraits(parts []plan.Expr, input *traits) traits {
	out := traits{bounds: map[int]int64{}, recomputes: input.recomputes}
	columns, _ := columnsOf(slices.DeleteFunc(slices.Clone(parts), func(e plan.Expr) bool {
		_, ok := e.(*plan.ColumnRef)
		return !ok
	}))
	for _, at := range columns {
		if lag, ok := input.bounds[at]; ok {
			out.bounds[at] = lag
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
