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
	return &transformOp{of: n, input: inputs[0], transform: n.unnest}
}

func (n *unnestNode) unnest(ctx context.Context, in Delta) (Delta, error) {
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
	parts := []Delta{noChange(n.cols), noChange(n.cols)}
	for i, part := range []Delta{came, gone} {
		if part.Rows == 0 {
			continue
		}
		var err error
		if parts[i], err = answer(ctx, n.plan, tables{"0": part}); err != nil {
			return Delta{}, err
		}
	}
	return sum(n.cols, parts[0], parts[1].negated())
}
