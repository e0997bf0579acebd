package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// takesOrder are the aggregates that depend on the order in which they meet rows. With an ORDER BY of their own they see that one; without it
// they take rows as these come, which is another order where many rows are answered at once.
var takesOrder = map[string]bool{
	"first": true, "last": true, "mode": true, "string_agg": true, "array_agg": true, "json_agg": true, "json_object_agg": true,
	"approx_top_k": true, "increase": true, "rate": true, "delta": true,
}

// spreadAggregate groups by the row of the domain too. Without groups of its own it has a row for each row of the domain.
func (d *domain) spreadAggregate(n *plan.Aggregate) (plan.Node, bool) {
	for _, c := range n.Aggregates {
		if takesOrder[c.Fn.Name] && len(c.Order) == 0 || slices.ContainsFunc(c.Exprs(), plan.Volatile) {
			return nil, false
		}
	}
	if slices.ContainsFunc(n.Sets, func(set []int) bool { return len(set) == 0 }) {
		return d.spreadWholeSets(n)
	}
	input, ok := d.spread(n.Input)
	if !ok {
		return nil, false
	}
	width, groups := plan.Width(n.Input), len(n.Groups)
	within := func(e plan.Expr) plan.Expr { return d.within(e, width) }
	keys, names := d.columns(width)
	if groups == 0 {
		keys, names = keys[:1], names[:1]
	}
	grouped := &plan.Aggregate{Input: input, Groups: append(slices.Clone(mapAll(n.Groups, within)), keys...), Aggregates: mapCalls(n.Aggregates, within)}
	grouped.Names = slices.Concat(n.Names[:groups], names, n.Names[groups:])
	for _, set := range n.Sets {
		set = slices.Clone(set)
		for i := range keys {
			set = append(set, groups+i)
		}
		grouped.Sets = append(grouped.Sets, set)
	}
	if groups > 0 {
		return turned(grouped, groups, len(keys), len(n.Aggregates)), true
	}
	return d.orNone(grouped, n), true
}

// orNone is the groups of a domain's rows, by their number, and what the aggregates give over no rows for those that have none.
func (d *domain) orNone(grouped *plan.Aggregate, n *plan.Aggregate) plan.Node {
	join := &plan.Join{Left: d.table, Right: grouped, Kind: plan.LeftJoin}
	number := grouped.Columns()[0]
	join.On = []plan.Expr{&plan.Call{Fn: equality(number.Type), Args: []plan.Expr{
		d.column(0, 0), &plan.ColumnRef{Index: d.width(), Name: number.Name, Typ: number.Type},
	}}}
	out := &plan.Project{Input: join, Names: slices.Clone(n.Names)}
	for i, c := range grouped.Columns()[1:] {
		ref := &plan.ColumnRef{Index: d.width() + 1 + i, Name: c.Name, Typ: c.Type}
		out.Exprs = append(out.Exprs, zeroForNone(ref, n.Aggregates[i]))
	}
	exprs, names := d.columns(0)
	out.Exprs, out.Names = append(out.Exprs, exprs...), append(out.Names, names...)
	return out
}

// spreadWholeSets sees to grouping sets of which some have no groups, as of ROLLUP and CUBE: those give a row for each row of the domain, also
// for one that has none to group, so that they stand beside the others as aggregates without groups.
func (d *domain) spreadWholeSets(n *plan.Aggregate) (plan.Node, bool) {
	grouped := *n
	grouped.Sets = slices.DeleteFunc(slices.Clone(n.Sets), func(set []int) bool { return len(set) == 0 })
	whole, ok := d.spreadProject(withoutGroups(n))
	if !ok {
		return nil, false
	}
	out := &plan.Union{}
	if len(grouped.Sets) > 0 {
		part, ok := d.spreadAggregate(&grouped)
		if !ok {
			return nil, false
		}
		out.Parts = append(out.Parts, part)
	}
	for range len(n.Sets) - len(grouped.Sets) {
		out.Parts = append(out.Parts, whole)
	}
	return out, true
}

// withoutGroups is the row of an aggregate for the set without groups: these are NULL, and grouping() has the bits of all of them.
func withoutGroups(n *plan.Aggregate) *plan.Project {
	columns := n.Columns()
	out := &plan.Project{Input: nil, Names: n.Names}
	for _, c := range columns[:len(n.Groups)] {
		out.Exprs = append(out.Exprs, &plan.Literal{Value: event.NewNulls(c.Type, 1), Typ: c.Type})
	}
	all := &plan.Aggregate{Input: n.Input}
	for i, c := range n.Aggregates {
		column := columns[len(n.Groups)+i]
		if c.Fn == plan.GroupingFunction {
			out.Exprs = append(out.Exprs, bigintLiteral(1<<len(c.Marks)-1))
			continue
		}
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: len(all.Aggregates), Name: column.Name, Typ: column.Type})
		all.Aggregates, all.Names = append(all.Aggregates, c), append(all.Names, column.Name)
	}
	out.Input = all
	return out
}

// bigintLiteral is a BIGINT written out.
func bigintLiteral(v int64) *plan.Literal {
	return &plan.Literal{Value: event.NewInt64s([]int64{v}, nil), Typ: event.Type{Kind: event.BigInt}}
}
