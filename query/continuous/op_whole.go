package continuous

import (
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileWhole makes one operator of a whole tree, down to its scans: for nodes whose inputs cannot be computed apart from them, as
// the right side of an Apply.
func (c *compiler) compileWhole(n plan.Node) (node, error) {
	out := &recomputeNode{base: base{cols: n.Columns()}, expires: -1}
	var err error
	if out.plan, err = c.cutScans(n, out); err != nil {
		return nil, err
	}
	return out, c.boundedRecompute(out, n)
}

// cutScans is a tree with each of its scans replaced by a table, whose rows come from an input of the operator.
func (c *compiler) cutScans(n plan.Node, out *recomputeNode) (plan.Node, error) {
	if s, ok := n.(*plan.Scan); ok {
		if slices.ContainsFunc(s.Filter, readsOuterRow) { // of which nothing is known down there
			bare := *s
			bare.Filter, bare.Ranges = nil, nil
			table, err := c.cutScans(&bare, out)
			for _, condition := range s.Filter {
				table = &plan.Filter{Input: table, Predicate: condition}
			}
			return table, err
		}
		input, err := c.compileScan(s)
		if err != nil {
			return nil, err
		}
		table := tableScan(fmt.Sprint(len(out.ins)), s.Columns())
		out.ins, out.keys = append(out.ins, input), append(out.keys, nil)
		return table, nil
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n, nil
	}
	cut := make([]plan.Node, len(inputs))
	for i, in := range inputs {
		var err error
		if cut[i], err = c.cutScans(in, out); err != nil {
			return nil, err
		}
	}
	return plan.Over(n, cut...), nil
}

// readsOuterRow reports whether an expression takes a value from the row that a query inside another is computed for.
func readsOuterRow(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) {
		_, outer := e.(*plan.OuterRef)
		found = found || outer
	})
	return found
}
