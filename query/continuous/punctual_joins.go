package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// Punctual leaves out of an optimized plan the late events that a program of the same query leaves out of its joins; some tells whether
// there is such a join.
func Punctual(n plan.Node, inputs map[string]InputInfo) (punctual plan.Node, some bool) {
	out := punctualJoins(n, inputs)
	return out, plan.Print(out) != plan.Print(n)
}

// punctualJoins leaves late events out of joins that bound the time between their rows: a row whose event time is before its own
// watermark enters no pair. Only so can the other side's rows be forgotten. Joins without such a bound know no lateness.
func punctualJoins(n plan.Node, inputs map[string]InputInfo) plan.Node {
	n = absorbFilter(n)
	n = overInputs(n, func(in plan.Node) plan.Node { return punctualJoins(in, inputs) })
	if a, ok := n.(*plan.AsofJoin); ok {
		return punctualAsof(a, inputs)
	}
	j, ok := n.(*plan.Join)
	if !ok {
		return n
	}
	out := *j
	for _, g := range timeGaps(j.On, plan.Width(j.Left)) {
		if g.both() && isEventTime(out.Left, g.left, inputs) && isEventTime(out.Right, g.right, inputs) {
			out.Left, out.Right = punctual(out.Left, g.left, inputs), punctual(out.Right, g.right, inputs)
		}
	}
	return &out
}

// punctualAsof leaves late rows out of both sides of an ASOF JOIN by event time.
func punctualAsof(n *plan.AsofJoin, inputs map[string]InputInfo) plan.Node {
	left, leftOK := n.LeftAt.(*plan.ColumnRef)
	right, rightOK := n.RightAt.(*plan.ColumnRef)
	if !leftOK || !rightOK || !isEventTime(n.Left, left.Index, inputs) || !isEventTime(n.Right, right.Index, inputs) {
		return n
	}
	out := *n
	out.Left, out.Right = punctual(n.Left, left.Index, inputs), punctual(n.Right, right.Index, inputs)
	return &out
}

// absorbFilter makes conditions on the pairs of an inner join part of it. The optimizer leaves those above it that may fail, as adding
// to a time may.
func absorbFilter(n plan.Node) plan.Node {
	f, ok := n.(*plan.Filter)
	if !ok {
		return n
	}
	j, ok := f.Input.(*plan.Join)
	if !ok || j.Kind != plan.InnerJoin {
		return n
	}
	out := *j
	out.On = append(slices.Clip(j.On), plan.Conjuncts(f.Predicate)...)
	return &out
}

// isEventTime reports whether a column is the event time of a stream's rows or the time of a view's.
func isEventTime(n plan.Node, column int, inputs map[string]InputInfo) bool {
	switch n := n.(type) {
	case *plan.Scan:
		return n.Fields[column] == inputs[n.Stream].Time
	case *plan.Filter:
		return isEventTime(n.Input, column, inputs)
	case *plan.Sort:
		return isEventTime(n.Input, column, inputs)
	case *plan.AsofJoin:
		return column < plan.Width(n.Left) && isEventTime(n.Left, column, inputs)
	case *plan.Project:
		ref, ok := n.Exprs[column].(*plan.ColumnRef)
		return ok && isEventTime(n.Input, ref.Index, inputs)
	case *plan.Assign:
		return column < plan.Width(n.Input) && isEventTime(n.Input, column, inputs)
	case *plan.Union:
		return !slices.ContainsFunc(n.Parts, func(part plan.Node) bool { return !isEventTime(part, column, inputs) })
	case *plan.Join:
		if n.Kind != plan.InnerJoin {
			return false
		}
		if width := plan.Width(n.Left); column >= width {
			return isEventTime(n.Right, column-width, inputs)
		}
		return isEventTime(n.Left, column, inputs)
	default:
		return false
	}
}

// punctual leaves late rows out of the scan that a column comes from.
func punctual(n plan.Node, column int, inputs map[string]InputInfo) plan.Node {
	switch n := n.(type) {
	case *plan.Scan:
		return punctualScan(n, column, inputs[n.Stream])
	case *plan.Filter:
		return &plan.Filter{Input: punctual(n.Input, column, inputs), Predicate: n.Predicate}
	case *plan.Sort:
		return &plan.Sort{Input: punctual(n.Input, column, inputs), Keys: n.Keys, Limit: n.Limit}
	case *plan.AsofJoin:
		out := *n
		out.Left = punctual(n.Left, column, inputs)
		return &out
	case *plan.Project:
		return &plan.Project{Input: punctual(n.Input, n.Exprs[column].(*plan.ColumnRef).Index, inputs), Exprs: n.Exprs, Names: n.Names}
	case *plan.Assign:
		out := *n
		out.Input = punctual(n.Input, column, inputs)
		return &out
	case *plan.Union:
		out := &plan.Union{}
		for _, part := range n.Parts {
			out.Parts = append(out.Parts, punctual(part, column, inputs))
		}
		return out
	case *plan.Join:
		out := *n
		if width := plan.Width(n.Left); column >= width {
			out.Right = punctual(n.Right, column-width, inputs)
		} else {
			out.Left = punctual(n.Left, column, inputs)
		}
		return &out
	default:
		return n
	}
}

// punctualScans leaves late events out of every scan of a plan that has the event time among its columns. Of a query that nothing else makes know
// lateness, rows can be told to be complete only so.
func punctualScans(n plan.Node, inputs map[string]InputInfo) plan.Node {
	n = overInputs(n, func(in plan.Node) plan.Node { return punctualScans(in, inputs) })
	if s, ok := n.(*plan.Scan); ok {
		info := inputs[s.Stream]
		if at := slices.Index(s.Fields, info.Time); at >= 0 && info.Time != 0 {
			return punctualScan(s, at, info)
		}
	}
	return n
}

func punctualScan(n *plan.Scan, column int, info InputInfo) plan.Node {
	if info.watermark() == 0 {
		return n // the view's changes are never late
	}
	at := slices.Index(n.Fields, info.watermark())
	marks := map[int]bool{at: at >= 0}
	for _, f := range n.Filter {
		if p, ok := punctualityOf(f, marks); ok && p.column == column {
			return n
		}
	}
	out := *n
	if at < 0 {
		at = len(n.Fields)
		out.Fields = append(slices.Clip(n.Fields), info.watermark())
	}
	columns := out.Columns()
	ref := func(i int) plan.Expr { return &plan.ColumnRef{Index: i, Name: columns[i].Name, Typ: columns[i].Type} }
	inTime := call("or", call("is_null", ref(at)), call(">=", ref(column), ref(at)))
	out.Filter = append([]plan.Expr{inTime}, n.Filter...)
	return pick(&out, upTo(len(n.Fields)))
}

// call applies the overload of a function that takes these arguments.
func call(name string, args ...plan.Expr) plan.Expr {
	for _, f := range plan.Functions[name] {
		fits := len(f.Args) == len(args)
		for i := 0; fits && i < len(args); i++ {
			fits = f.Args[i].Equal(args[i].Type())
		}
		if fits {
			return &plan.Call{Fn: f, Args: args}
		}
	}
	panic("continuous: no function " + name)
}
