package continuous

import (
	"context"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// Frames in the order of event time and as-of joins give a row once, when the watermark has passed it. At the top of a view it stays there like
// that. An operator that is to see all rows so far, as a grouping does that shows every change, needs the others too: provisional rows, which are
// computed over what there is, and go again when that changes or when the watermark passes them.

// showing says which rows the operator is asked for that is being compiled.
type showing uint8

const (
	// atTop asks for the rows of the view itself: those of frames and as-of joins wait for the watermark, those of all others do not.
	atTop showing = iota
	// settled asks for what an operator needs that gives a row when the watermark has passed it: what is below need not be ahead of that.
	settled
	// soFar asks for all rows so far.
	soFar
)

// asked compiles by f while other rows are asked for.
func (c *compiler) asked(rows showing, f func() error) error {
	before := c.showing
	c.showing = rows
	defer func() { c.showing = before }()
	return f()
}

// compileSoFar makes the operators of inputs that are to be seen in full.
func (c *compiler) compileSoFar(inputs ...plan.Node) ([]node, error) {
	out := make([]node, len(inputs))
	for i, in := range inputs {
		var err error
		if out[i], err = c.compileInput(in); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// compileInput is compileSoFar for an operator with one input.
func (c *compiler) compileInput(n plan.Node) (node, error) {
	in, err := c.compileApart(n)
	if err != nil {
		return nil, err
	}
	return soFarOver(in), nil
}

// compileApart makes the operator of an input that is to be seen in full, where the provisional rows may stay apart from the others.
func (c *compiler) compileApart(n plan.Node) (out node, err error) {
	rows := c.showing
	if rows == atTop {
		rows = soFar
	}
	err = c.asked(rows, func() error {
		out, err = c.compile(n)
		return err
	})
	return out, err
}

// forgetLate takes back the places of late rows that were found since there were so many: what has been compiled is compiled again.
func (c *compiler) forgetLate(count int) { c.late = c.late[:count] }

// soFarNode gives all rows so far: those that are final, and as long as they are not the provisional ones.
type soFarNode struct{ base }

// soFarOver makes an operator give all rows so far.
func soFarOver(input node) node {
	if !input.traits().provisional {
		return input
	}
	out := &soFarNode{base{cols: input.columns(), ins: []node{input}, tr: *input.traits()}}
	out.tr.appendOnly, out.tr.final, out.tr.provisional, out.tr.watermarks = false, false, false, nil
	return out
}

func (n *soFarNode) describe() string { return "all rows so far" }

func (n *soFarNode) start(_ *Machine, inputs []operator) operator {
	return &soFarOp{node: n, input: inputs[0]}
}

type soFarOp struct {
	stateless
	node  *soFarNode
	input operator
}

func (o *soFarOp) step(ctx context.Context, s *stepping) (Delta, error) {
	final, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	provisional, err := provisionalOf(ctx, o.node.ins[0], o.input)
	if err != nil {
		return Delta{}, err
	}
	out, err := sum(o.node.cols, final, provisional)
	if err != nil || final.Rows == 0 || provisional.Rows == 0 {
		return out, err
	}
	return consolidate(out), nil
}

// settling says what becomes of rows when the watermark passes them.
func (t *traits) settling() string {
	if t.provisional {
		return ", final once the watermark passes"
	}
	return ", shown once the watermark passes"
}

// provisionalOperator is an operator whose node has the trait of that name.
type provisionalOperator interface {
	operator
	// provisional is called after step and gives the change of the rows that are not final: what step has given is among them no more.
	provisional(ctx context.Context) (Delta, error)
}

// provisionalOf is the change of the provisional rows of an operator; none where all that it gives is final.
func provisionalOf(ctx context.Context, n node, o operator) (Delta, error) {
	if !n.traits().provisional {
		return noChange(n.columns()), nil
	}
	return o.(provisionalOperator).provisional(ctx)
}
