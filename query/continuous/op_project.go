package continuous

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// projectNode computes one column per expression.
type projectNode struct {
	base
	exprs    []plan.Expr
	programs []*kernel.Program
}

func (c *compiler) compileProject(n *plan.Project) (node, error) {
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	return projectOver(input, n)
}

// projectOver projects the rows of a compiled operator.
func projectOver(input node, n *plan.Project) (node, error) {
	var err error
	out := &projectNode{base: base{cols: n.Columns(), ins: []node{input}, tr: *input.traits()}, exprs: n.Exprs}
	out.tr.bounds, out.tr.watermarks = map[int]int64{}, map[int]bool{}
	out.tr.windows, out.tr.either = pickedWindows(input.traits().windows, n.Exprs), pickedEither(input.traits().either, n.Exprs)
	for i, e := range n.Exprs {
		if lag, ok := input.traits().boundOf(e); ok {
			out.tr.bounds[i] = lag
		}
		out.tr.watermarks[i] = isWatermark(e, input.traits().watermarks)
	}
	out.programs, err = compileExprs(n.Exprs)
	return out, err
}

func (n *projectNode) describe() string {
	parts := make([]string, len(n.exprs))
	for i, e := range n.exprs {
		parts[i] = e.String()
		if parts[i] != n.cols[i].Name {
			parts[i] += " AS " + n.cols[i].Name
		}
	}
	return "project " + strings.Join(parts, ", ")
}

// form implements keeper: rows that fail are kept until they go.
func (n *projectNode) form(in shapes) (f form, whole bool) {
	if !keepsFaults(n.ins[0], n.exprs) {
		return form{}, false
	}
	return form{Kind: "rows that fail", Version: 1, Computes: in.all().OfAll(n.exprs)}, true
}

func (n *projectNode) start(_ *Machine, inputs []operator) operator {
	o := &projectOp{node: n, input: inputs[0]}
	o.faults = faultsOver(n.ins[0], n.exprs, o.project)
	return o
}

type projectOp struct {
	faults
	node  *projectNode
	input operator
}

func (o *projectOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	switch {
	case in.Rows == 0:
		return noChange(o.node.cols), nil
	case o.node.ins[0].traits().appendOnly:
		return o.calc(in)
	default:
		return o.all(ctx, in)
	}
}

// provisional implements provisionalOperator.
func (o *projectOp) provisional(ctx context.Context) (Delta, error) {
	return provisionalBy(ctx, o.node, o.input, o.all)
}

// all is the projection of a change.
func (o *projectOp) all(_ context.Context, in Delta) (Delta, error) {
	parts, err := o.compute(in, nil)
	if err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, parts...)
}

func (o *projectOp) project(in Delta) (Delta, error) {
	values, err := evalAll(steady, o.node.programs, &in)
	if err != nil {
		return Delta{}, err
	}
	return Delta{Columns: typed(values, o.node.cols), Rows: in.Rows, Weights: in.Weights, events: in.events}, nil
}

func (o *projectOp) load(r *stateReader) error { return o.faults.load(r, o.node.ins[0]) }

// typed gives NULLs without a type that of their column.
func typed(values []arrow.Array, columns []plan.Column) []arrow.Array {
	out := make([]arrow.Array, len(values))
	for i, v := range values {
		out[i] = v
		if v.DataType().ID() == arrow.NULL && columns[i].Type.Kind != event.Unknown {
			out[i] = event.NewNulls(columns[i].Type, v.Len())
		}
	}
	return out
}
