package continuous

import (
	"context"
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// unionNode adds up the changes of its parts.
type unionNode struct{ base }

func (c *compiler) compileUnion(n *plan.Union) (node, error) {
	parts := make([]node, len(n.Parts))
	for i, part := range n.Parts {
		var err error
		if parts[i], err = c.compileApart(part); err != nil {
			return nil, err
		}
	}
	out := &unionNode{base{cols: n.Columns(), ins: parts, tr: *parts[0].traits()}}
	out.tr.either = nil
	for _, p := range parts[1:] {
		t := p.traits()
		out.tr.appendOnly = out.tr.appendOnly && t.appendOnly
		out.tr.final = out.tr.final && t.final
		out.tr.provisional = out.tr.provisional || t.provisional
		out.tr.recomputes = out.tr.recomputes || t.recomputes
		out.tr.bounds = commonBounds(out.tr.bounds, t.bounds)
		if !slices.Equal(out.tr.windows, t.windows) {
			out.tr.windows = nil
		}
		own := map[int]bool{}
		for i := range out.tr.watermarks {
			own[i] = out.tr.watermarks[i] && t.watermarks[i]
		}
		out.tr.watermarks = own
	}
	return out, nil
}

func (n *unionNode) describe() string { return "union" }

func (n *unionNode) start(_ *Machine, inputs []operator) operator {
	return &unionOp{node: n, inputs: inputs}
}

type unionOp struct {
	stateless
	node   *unionNode
	inputs []operator
}

func (o *unionOp) step(ctx context.Context, s *stepping) (Delta, error) {
	parts := make([]Delta, len(o.inputs))
	for i, in := range o.inputs {
		var err error
		if parts[i], err = in.step(ctx, s); err != nil {
			return Delta{}, err
		}
	}
	return sum(o.node.cols, parts...)
}

// provisional implements provisionalOperator.
func (o *unionOp) provisional(ctx context.Context) (Delta, error) {
	parts := make([]Delta, len(o.inputs))
	for i, in := range o.inputs {
		var err error
		if parts[i], err = provisionalOf(ctx, o.node.ins[i], in); err != nil {
			return Delta{}, err
		}
	}
	return sum(o.node.cols, parts...)
}
