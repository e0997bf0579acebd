package continuous

import (
	"context"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// unnestNode gives a row for each place in the arrays of a row, by package exec. It has no state: rows that go give the rows that they gave
// when they came.
type unnestNode struct {
	base
	plan plan.Node // over a table of the input's rows
	of   *plan.Unnest
}

func (c *compiler) compileUnnest(n *plan.Unnest) (node, error) {
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	over := *n
	over.Input = tableScan("0", input.columns())
	return &unnestNode{base: base{cols: n.Columns(), ins: []node{input}, tr: *input.traits()}, plan: &over, of: n}, nil
}

func (n *unnestNode) describe() string { return firstLine(n.of) }

func (n *unnestNode) start(_ *Machine, inputs []operator) operator {
	return &unnestOp{node: n, input: inputs[0]}
}

type unnestOp struct {
	stateless
	node  *unnestNode
	input operator
}

func (o *unnestOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	return o.unnest(ctx, in)
}

// provisional implements provisionalOperator.
func (o *unnestOp) provisional(ctx context.Context) (Delta, error) {
	in, err := provisionalOf(ctx, o.node.ins[0], o.input)
	if err != nil {
		return Delta{}, err
	}
	return o.unnest(ctx, in)
}

func (o *unnestOp) unnest(ctx context.Context, in Delta) (Delta, error) {
	if in.Rows == 0 {
		return noChange(o.node.cols), nil
	}
	var come, leave []int32
	for i := range in.Rows {
		if in.weight(i) > 0 {
			come = append(come, int32(i))
		} else {
			leave = append(leave, int32(i))
		}
	}
	came, gone := in.take(come), in.take(leave)
	gone = gone.negated()
	came, gone = came.expanded(), gone.expanded()
	parts := []Delta{noChange(o.node.cols), noChange(o.node.cols)}
	for i, part := range []Delta{came, gone} {
		if part.Rows == 0 {
			continue
		}
		var err error
		if parts[i], err = answer(ctx, o.node.plan, tables{"0": part}); err != nil {
			return Delta{}, err
		}
	}
	return sum(o.node.cols, parts[0], parts[1].negated())
}
