package continuous

import (
	"context"
	"strings"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// filterNode keeps the rows for which all conjuncts are true.
type filterNode struct {
	base
	exprs     []plan.Expr
	conjuncts []*kernel.Program
	// late is the conjunct that leaves out late rows, -1 without one.
	late int
}

func (c *compiler) compileFilter(n *plan.Filter) (node, error) {
	if latest, ok, err := c.compileLatestRuns(n); ok || err != nil {
		return latest, err
	}
	c.noteTop(n)
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	return c.filterOver(input, n.Input, plan.Conjuncts(n.Predicate))
}

// filterOver filters the rows of a compiled operator, that of a plan.
func (c *compiler) filterOver(input node, of plan.Node, conjuncts []plan.Expr) (node, error) {
	out := &filterNode{base: base{cols: input.columns(), ins: []node{input}, tr: *input.traits()}, exprs: conjuncts, late: -1}
	var err error
	if out.conjuncts, err = compileExprs(conjuncts); err != nil {
		return nil, err
	}
	for i, e := range conjuncts {
		if p, ok := punctualityOf(e, out.tr.watermarks); ok {
			out.late = i
			out.tr = out.tr.bounded(p.column, p.lag)
			out.tr.recomputes = c.options.Horizon > 0
		}
	}
	c.noteLate(of, conjuncts, out.late)
	return out, nil
}

func (n *filterNode) describe() string {
	parts := make([]string, len(n.exprs))
	for i, e := range n.exprs {
		parts[i] = e.String()
	}
	return "filter " + strings.Join(parts, " AND ")
}

// form implements keeper: rows that fail are kept until they go.
func (n *filterNode) form(in shapes) (f form, whole bool) {
	if !keepsFaults(n.ins[0], n.exprs) {
		return form{}, false
	}
	return form{Kind: "rows that fail", Version: 1, Computes: in.all().OfAll(n.exprs)}, true
}

func (n *filterNode) start(_ *Machine, inputs []operator) operator {
	o := &filterOp{node: n, input: inputs[0]}
	o.faults = faultsOver(n.ins[0], n.exprs, func(in Delta) (Delta, error) { return o.kept(in, n.conjuncts) })
	return o
}

type filterOp struct {
	faults
	node  *filterNode
	input operator
}

func (o *filterOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil || in.Rows == 0 {
		return in, err
	}
	late := o.node.late
	switch {
	case late < 0 && o.node.ins[0].traits().appendOnly:
		return o.calc(in)
	case late < 0:
		return o.all(ctx, in)
	}
	// Lateness is a matter of a stream's rows, which never go.
	before, err := o.kept(in, o.node.conjuncts[:late])
	if err != nil {
		return Delta{}, err
	}
	if before.Rows == 0 {
		return before, nil
	}
	punctual, err := kernel.Filter(steady, o.node.conjuncts[late:late+1], before.Columns, before.Rows)
	if err != nil {
		return Delta{}, err
	}
	s.late += before.eventsBut(punctual)
	return o.kept(before.filtered(punctual), o.node.conjuncts[late+1:])
}

// provisional implements provisionalOperator. Events that are late are counted once, when their row is final.
func (o *filterOp) provisional(ctx context.Context) (Delta, error) {
	return provisionalBy(ctx, o.node, o.input, o.all)
}

// all is the rows of a change for which all conjuncts are true.
func (o *filterOp) all(_ context.Context, in Delta) (Delta, error) {
	parts, err := o.compute(in, nil)
	if err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, parts...)
}

func (o *filterOp) load(r *stateReader) error { return o.faults.load(r, o.node.ins[0]) }

// kept is the rows of a change for which all of some conjuncts are true.
func (o *filterOp) kept(in Delta, conjuncts []*kernel.Program) (Delta, error) {
	if len(conjuncts) == 0 || in.Rows == 0 {
		return in, nil
	}
	kept, err := kernel.Filter(steady, conjuncts, in.Columns, in.Rows)
	if err != nil {
		return Delta{}, err
	}
	return in.filtered(kept), nil
}
