package continuous

import "context"

// transformOp gives what a function makes of each change of the input, row by row and without a memory, and the same of its provisional rows.
type transformOp struct {
	stateless
	of        node
	input     operator
	transform transform
}

// transform makes a change of another one, which has rows.
type transform func(ctx context.Context, in Delta) (Delta, error)

func (o *transformOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil || in.Rows == 0 {
		return noChange(o.of.columns()), err
	}
	return o.transform(ctx, in)
}

// provisional implements provisionalOperator.
func (o *transformOp) provisional(ctx context.Context) (Delta, error) {
	return provisionalBy(ctx, o.of, o.input, o.transform)
}

// provisionalBy is what an operator with one input makes of the change of its provisional rows.
func provisionalBy(ctx context.Context, of node, input operator, f transform) (Delta, error) {
	in, err := provisionalOf(ctx, of.inputs()[0], input)
	if err != nil || in.Rows == 0 {
		return noChange(of.columns()), err
	}
	return f(ctx, in)
}
