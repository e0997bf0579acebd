package exec

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// splitDistinct turns an aggregate all of whose calls take the same distinct values into one of two steps: group by these values too,
// and then compute the calls over the groups. Groups can spill where the values that a single call has met cannot. It gives nil where
// that is not what the aggregate is.
func splitDistinct(n *plan.Aggregate) *plan.Aggregate {
	if n.Sets != nil || len(n.Aggregates) == 0 {
		return nil
	}
	first := n.Aggregates[0]
	for _, a := range n.Aggregates {
		simple := a.Distinct && a.Filter == nil && len(a.Order) == 0 && slices.Contains([]string{"count", "sum", "avg"}, a.Fn.Name)
		if !simple || !slices.EqualFunc(a.Args, first.Args, plan.Same) {
			return nil
		}
	}
	values := &plan.Aggregate{Input: n.Input, Groups: slices.Concat(n.Groups, first.Args)}
	for _, e := range values.Groups {
		values.Names = append(values.Names, e.String())
	}
	column := func(i int) plan.Expr {
		return &plan.ColumnRef{Index: i, Name: values.Names[i], Typ: values.Groups[i].Type()}
	}
	out := &plan.Aggregate{Input: values, Names: n.Names}
	for i := range n.Groups {
		out.Groups = append(out.Groups, column(i))
	}
	for _, a := range n.Aggregates {
		call := plan.Aggregation{Fn: a.Fn}
		for i := range a.Args {
			call.Args = append(call.Args, column(len(n.Groups)+i))
		}
		out.Aggregates = append(out.Aggregates, call)
	}
	return out
}

// mostDistinctSets bounds how many times over rows are grouped.
const mostDistinctSets = 16

// splitDistincts does the same for an aggregate without groups whose calls take different distinct values: one set of groups for the values of
// each, all in one reading, and one set without groups for calls that take all rows. The sets of values compute those too, so their states have
// to be of a fixed size.
func splitDistincts(n *plan.Aggregate) *plan.Aggregate {
	if n.Sets != nil || len(n.Groups) > 0 {
		return nil
	}
	s := &distinctSets{values: &plan.Aggregate{Input: n.Input}, places: make([]int, len(n.Aggregates))}
	for i, a := range n.Aggregates {
		if !s.place(i, a) {
			return nil
		}
	}
	if k := len(s.values.Groups); k == 0 || k > mostDistinctSets {
		return nil
	}
	return s.over(n)
}

// distinctSets is an aggregate that is being split. values groups by the arguments of its distinct calls and computes the other calls.
type distinctSets struct {
	values *plan.Aggregate
	places []int // of each call: among the groups of values or, for calls without DISTINCT, among its calls
}

// place finds a place for a call in values, and reports false where there is none.
func (s *distinctSets) place(i int, a plan.Aggregation) bool {
	if !a.Distinct {
		s.places[i] = len(s.values.Aggregates)
		s.values.Aggregates = append(s.values.Aggregates, a)
		call := aggregateCall{node: a}
		return call.fixedState()
	}
	if a.Filter != nil || len(a.Order) > 0 || len(a.Args) != 1 || !slices.Contains([]string{"count", "sum", "avg"}, a.Fn.Name) {
		return false
	}
	s.places[i] = slices.IndexFunc(s.values.Groups, func(e plan.Expr) bool { return plan.Same(e, a.Args[0]) })
	if s.places[i] < 0 {
		s.places[i] = len(s.values.Groups)
		s.values.Groups = append(s.values.Groups, a.Args[0])
	}
	return true
}

// over computes the calls of n from the groups of values, each from those of one set, which grouping() tells.
func (s *distinctSets) over(n *plan.Aggregate) *plan.Aggregate {
	v := s.values
	groups, plain := len(v.Groups), len(v.Aggregates)
	mark := plan.Aggregation{Fn: plan.GroupingFunction}
	for g, e := range v.Groups {
		v.Sets = append(v.Sets, []int{g})
		v.Names = append(v.Names, e.String())
		mark.Marks = append(mark.Marks, g)
	}
	if plain > 0 {
		v.Sets = append(v.Sets, []int{})
	}
	v.Aggregates = append(v.Aggregates, mark)
	for _, a := range v.Aggregates {
		v.Names = append(v.Names, a.Fn.Name)
	}
	column := func(i int, t event.Type) plan.Expr { return &plan.ColumnRef{Index: i, Name: v.Names[i], Typ: t} }
	marks := column(groups+plain, plan.GroupingFunction.Result)
	out := &plan.Aggregate{Input: v, Names: n.Names}
	for i, a := range n.Aggregates {
		at, all := s.places[i], int64(1)<<groups-1
		var call plan.Aggregation
		if a.Distinct {
			call = plan.Aggregation{Fn: a.Fn, Args: []plan.Expr{column(at, v.Groups[at].Type())}, Filter: isMarked(marks, all&^(1<<(groups-1-at)))}
		} else {
			call = plan.Aggregation{Fn: anyOf(a.Fn.Result), Args: []plan.Expr{column(groups+at, a.Fn.Result)}, Filter: isMarked(marks, all)}
		}
		out.Aggregates = append(out.Aggregates, call)
	}
	return out
}

// isMarked holds in the rows of one set of groups.
func isMarked(marks plan.Expr, bits int64) plan.Expr {
	literal := &plan.Literal{Value: event.NewInt64s([]int64{bits}, nil), Typ: marks.Type()}
	return &plan.Call{Fn: equalBigints, Args: []plan.Expr{marks, literal}}
}

// anyOf is any_value of a type, of any precision and scale.
func anyOf(t event.Type) *plan.Function {
	return &plan.Function{Name: "any_value", Args: []event.Type{t}, Result: t, Aggregate: true}
}

var equalBigints = func() *plan.Function {
	at := slices.IndexFunc(plan.Functions["="], func(f *plan.Function) bool { return f.Args[0].Kind == event.BigInt })
	return plan.Functions["="][at]
}()
