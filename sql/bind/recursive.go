package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// recursivePlan plans a query of WITH RECURSIVE that is a UNION: its left side does not name the query itself, its right side may, and
// then stands for a step over the rows given last. Where it does not, the query is like any other.
func (b *binder) recursivePlan(w *withs) (plan.Node, error) {
	set := w.cte.Query.Set
	base, err := b.selectPlan(set.Left, w.outer, nil)
	if err != nil {
		return nil, err
	}
	// The types of the step's columns can widen those of the base, once: the step is bound again over the wider ones.
	for range 2 {
		work := b.workTable(base.Columns())
		step, err := b.selectPlan(set.Right, &withs{cte: w.cte, outer: w.outer, work: work}, typesOf(base))
		if err != nil {
			return nil, err
		}
		if !readsWork(step, work) {
			return b.selectPlan(w.cte.Query, w.outer, nil)
		}
		if l, r := plan.Width(base), plan.Width(step); l != r {
			return nil, event.Errorf(event.CodeBadRequest, "%s of %d columns and %d columns", set.Op, l, r).At(set.Pos)
		}
		common, err := commonTypes(set, base, step)
		if err != nil {
			return nil, err
		}
		if sameTypes(common, typesOf(base)) || settled(common, typesOf(base)) {
			columns := base.Columns()
			step = converted(step, columns, typesOf(base))
			return &plan.Recursive{Base: base, Step: step, Distinct: !set.All, ID: work.ID}, nil
		}
		base = converted(base, base.Columns(), wide(common))
	}
	return nil, event.Errorf(event.CodeTypeMismatch, "the types of the recursive query %q change from step to step", w.cte.Name.Text).
		At(w.cte.Name.Pos).WithHint("cast the columns of its first SELECT")
}

// settled reports whether types differ only in the digits of a NUMERIC, which a step that computes adds to each time.
func settled(common, base []event.Type) bool {
	for i, t := range common {
		if !t.Equal(base[i]) && (t.Kind != event.Numeric || base[i].Kind != event.Numeric || base[i].Precision < event.MaxPrecision) {
			return false
		}
	}
	return true
}

// wide gives NUMERICs all the digits that there are.
func wide(types []event.Type) []event.Type {
	out := make([]event.Type, len(types))
	for i, t := range types {
		if out[i] = t; t.Kind == event.Numeric {
			out[i].Precision = event.MaxPrecision
		}
	}
	return out
}

func sameTypes(a, b []event.Type) bool {
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// workTable stands for a recursive query inside itself.
func (b *binder) workTable(columns []plan.Column) *plan.WorkTable {
	b.recursions++
	return &plan.WorkTable{Cols: columns, ID: b.recursions}
}

func readsWork(n plan.Node, work *plan.WorkTable) bool {
	if n == plan.Node(work) {
		return true
	}
	for _, in := range n.Inputs() {
		if readsWork(in, work) {
			return true
		}
	}
	return false
}
