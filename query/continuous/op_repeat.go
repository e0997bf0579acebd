package continuous

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// repeatNode multiplies the weight of each row by an expression over it.
type repeatNode struct {
	base
	of    *plan.Repeat
	count *kernel.Program
}

func (c *compiler) compileRepeat(n *plan.Repeat) (node, error) {
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	out := &repeatNode{base: base{cols: n.Columns(), ins: []node{input}, tr: *input.traits()}, of: n}
	out.count, err = kernel.Compile(n.Times)
	return out, err
}

func (n *repeatNode) describe() string { return "repeat " + n.of.Times.String() }

func (n *repeatNode) start(_ *Machine, inputs []operator) operator {
	return &transformOp{of: n, input: inputs[0], transform: n.repeat}
}

func (n *repeatNode) repeat(_ context.Context, in Delta) (Delta, error) {
	value, err := n.count.Eval(steady, in.Columns, in.Rows)
	if err != nil {
		return Delta{}, err
	}
	times := value.Expand(in.Rows)
	counts := arrow.GetValues[int64](times.Data(), 1)
	var rows []int32
	var weights []int64
	for i := range in.Rows {
		if times.IsValid(i) && counts[i] > 0 {
			rows = append(rows, int32(i))
			weights = append(weights, in.weight(i)*counts[i])
		}
	}
	out := in.take(rows)
	out.Weights = weights
	return out, nil
}
