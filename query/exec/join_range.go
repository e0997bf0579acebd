package exec

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// joinRange is a condition of a join that compares a value of each side by order.
type joinRange struct {
	condition    plan.Expr
	probe, build plan.Expr
	op           string // between the build side's value and the probe side's, in that order
}

// above holds for > and >=: the build side's values begin at the probe side's, else they end there.
func (j joinRange) above() bool { return j.op[0] == '>' }

// joinRanges are the conditions by which the rows of a group are found without trying each. The rows of a group lie in the order of one
// value, so that a condition on it leaves those behind a place, or those before one. Among these, one condition on another value
// finds its rows by the greatest values of blocks (see greatest). This takes the logarithm of the group's rows for a row of the probe side, and as
// much at most for each pair. It does what IEJoin does (Khayyat et al., Lightning Fast and Space Efficient Inequality Joins, 2015), but
// needs no order of the probe side, which may stream.
type joinRanges struct {
	// order are conditions on the value by which the rows lie: one, or one for either end.
	order []joinRange
	// beside is the condition on another value, if there is one.
	beside []joinRange

	probe, build []*kernel.Program // the values of order, then of beside
}

// newRanges chooses among conditions that compare by order; nil where there is none.
func (o *joinOp) newRanges(conditions []plan.Expr) (*joinRanges, error) {
	if len(conditions) == 0 {
		return nil, nil
	}
	all := make([]joinRange, len(conditions))
	for i, e := range conditions {
		all[i] = o.rangeOf(e)
	}
	out := &joinRanges{}
	out.choose(all)
	var probe, build []plan.Expr
	for _, c := range out.conditions() {
		probe, build = append(probe, c.probe), append(build, c.build)
	}
	var err error
	if out.probe, err = compileAll(probe); err != nil {
		return nil, err
	}
	out.build, err = compileAll(build)
	return out, err
}

func (o *joinOp) rangeOf(e plan.Expr) joinRange {
	left, right, op, _ := plan.SplitInequality(e, o.leftWidth)
	if o.buildIsLeft {
		return joinRange{condition: e, probe: right, build: left, op: op}
	}
	turned := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
	return joinRange{condition: e, probe: left, build: right, op: turned[op]}
}

// choose takes both ends of one value where they are there, since they leave just the rows that meet both. Else it prefers the two ends
// between which one value of the probe side lies.
func (r *joinRanges) choose(all []joinRange) {
	first, second := 0, -1
	for i := range all {
		for j := range all[:i] {
			if second < 0 && all[i].above() != all[j].above() && plan.Same(all[i].build, all[j].build) {
				first, second = j, i
			}
		}
	}
	r.order = []joinRange{all[first]}
	if second >= 0 {
		r.order = append(r.order, all[second])
	}
	for i, c := range all {
		if i == first || i == second {
			continue
		}
		around := second < 0 && c.above() != all[first].above() && plan.Same(c.probe, all[first].probe)
		if len(r.beside) == 0 || around {
			r.beside = []joinRange{c}
		}
		if around {
			break
		}
	}
}

// conditions are those that the ranges answer.
func (r *joinRanges) conditions() []joinRange { return slices.Concat(r.order, r.beside) }

// answers reports whether e is one of them.
func (r *joinRanges) answers(e plan.Expr) bool {
	return r != nil && slices.ContainsFunc(r.conditions(), func(c joinRange) bool { return c.condition == e })
}
