package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// exposeKey extends a plan by the columns that tell its rows apart, where the plan does not have them already. The key is a list of
// output columns; nil where rows may repeat.
func exposeKey(n plan.Node, inputs map[string]InputInfo) (plan.Node, []int) {
	out, key, ok := keyed(n, inputs)
	if !ok {
		return n, nil
	}
	if key == nil {
		key = []int{}
	}
	return out, key
}

// keyed gives a plan with the same columns as n, and more after them, of which some together are different in every row. ok is false
// where there are none, for then the plan is of no use.
func keyed(n plan.Node, inputs map[string]InputInfo) (out plan.Node, key []int, ok bool) {
	switch n := n.(type) {
	case *plan.Scan:
		return keyedScan(n, inputs[n.Stream])
	case *plan.Filter:
		input, key, ok := keyed(n.Input, inputs)
		return &plan.Filter{Input: input, Predicate: n.Predicate}, key, ok
	case *plan.Project:
		return keyedProject(n, inputs)
	case *plan.Assign:
		return keyedAssign(n, inputs)
	case *plan.Aggregate:
		return keyedAggregate(n)
	case *plan.Window:
		return keyedWindow(n, inputs)
	case *plan.FirstRows:
		input, key, ok := keyed(n.Input, inputs)
		if by, simple := columnsOf(n.By); simple {
			key, ok = by, true
			input = n.Input
		}
		return &plan.FirstRows{Input: input, By: n.By, Keys: n.Keys}, key, ok
	case *plan.Sort:
		input, key, ok := keyed(n.Input, inputs)
		return &plan.Sort{Input: input, Keys: n.Keys, Limit: n.Limit}, key, ok
	case *plan.Limit:
		input, key, ok := keyed(n.Input, inputs)
		return &plan.Limit{Input: input, Count: n.Count, Offset: n.Offset}, key, ok
	case *plan.Join:
		return keyedJoin(n, inputs)
	case *plan.AsofJoin:
		return keyedAsof(n, inputs)
	case *plan.Apply:
		return keyedApply(n, inputs)
	default:
		return n, nil, false
	}
}

// keyedScan adds a stream's partition and offset, or the key of a view.
func keyedScan(n *plan.Scan, info InputInfo) (plan.Node, []int, bool) {
	fields := info.Key
	if info.Kind == StreamInput {
		fields = []event.FieldID{event.FieldPartition, event.FieldOffset}
	}
	if len(fields) == 0 {
		return n, nil, false
	}
	out := *n
	var key []int
	for _, f := range fields {
		at := slices.Index(out.Fields, f)
		if at < 0 {
			at = len(out.Fields)
			out.Fields = append(slices.Clip(out.Fields), f)
		}
		key = append(key, at)
	}
	return &out, key, true
}

func keyedProject(n *plan.Project, inputs map[string]InputInfo) (plan.Node, []int, bool) {
	input, inner, ok := keyed(n.Input, inputs)
	if !ok {
		return n, nil, false
	}
	out := &plan.Project{Input: input, Exprs: slices.Clip(n.Exprs), Names: slices.Clip(n.Names)}
	columns := input.Columns()
	key := make([]int, len(inner))
	for i, at := range inner {
		key[i] = slices.IndexFunc(out.Exprs, func(e plan.Expr) bool {
			ref, ok := e.(*plan.ColumnRef)
			return ok && ref.Index == at
		})
		if key[i] < 0 {
			key[i] = len(out.Exprs)
			out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: at, Name: columns[at].Name, Typ: columns[at].Type})
			out.Names = append(out.Names, columns[at].Name)
		}
	}
	return out, key, true
}

// keyedAssign moves what the input has behind the plan's own columns behind the window's bounds, by a projection.
func keyedAssign(n *plan.Assign, inputs map[string]InputInfo) (plan.Node, []int, bool) {
	input, key, ok := keyed(n.Input, inputs)
	if !ok {
		return n, nil, false
	}
	width, wider := plan.Width(n.Input), plan.Width(input)
	out := *n
	out.Input = input
	moved, at := keyBehind(&out, plan.Width(n), width, wider, key)
	return moved, append(at, width, width+1), true
}

// keyedAggregate is keyed by its groups; with grouping sets, also by which set a row is of.
func keyedAggregate(n *plan.Aggregate) (plan.Node, []int, bool) {
	key := upTo(len(n.Groups))
	if n.Sets == nil {
		return n, key, true
	}
	out := *n
	out.Aggregates = append(slices.Clip(n.Aggregates), plan.Aggregation{Fn: plan.GroupingFunction, Marks: upTo(len(n.Groups))})
	out.Names = append(slices.Clip(n.Names), "_grouping")
	return &out, append(key, len(n.Groups)+len(n.Aggregates)), true
}

// keyedWindow moves what the input has behind the plan's own columns behind the calls.
func keyedWindow(n *plan.Window, inputs map[string]InputInfo) (plan.Node, []int, bool) {
	input, key, ok := keyed(n.Input, inputs)
	if !ok {
		return n, nil, false
	}
	width, wider := plan.Width(n.Input), plan.Width(input)
	out := *n
	out.Input = input
	moved, places := keyBehind(&out, plan.Width(n), width, wider, key)
	if at := slices.Index(n.Names, plan.OverSessions[1]); at >= 0 { // it says when a row is complete
		places = append(places, width+at)
	}
	return moved, places, true
}

// keyedJoin is keyed by both sides, or by the left one where each of its rows comes once.
func keyedJoin(n *plan.Join, inputs map[string]InputInfo) (plan.Node, []int, bool) {
	left, leftKey, ok := keyed(n.Left, inputs)
	if !ok {
		return n, nil, false
	}
	right, rightKey := n.Right, []int(nil)
	once := n.Kind == plan.MarkJoin || n.Kind == plan.SingleJoin
	if !once {
		if right, rightKey, ok = keyed(n.Right, inputs); !ok {
			return n, nil, false
		}
	}
	if n.Kind == plan.FullJoin { // a key of NULLs differs from no row at all
		left, leftKey = withPresence(left, leftKey)
		right, rightKey = withPresence(right, rightKey)
	}
	width, wider := plan.Width(n.Left), plan.Width(left)
	move := func(e plan.Expr) plan.Expr { return shiftColumns(e, width, wider-width) }
	out := &plan.Join{Left: left, Right: right, Kind: n.Kind, Mark: n.Mark}
	for _, e := range n.On {
		out.On = append(out.On, move(e))
	}
	if n.Test != nil {
		out.Test = move(n.Test)
	}
	key := slices.Clone(leftKey)
	for _, at := range rightKey {
		key = append(key, wider+at)
	}
	moved, at := keyBehind(out, plan.Width(n), width, wider, key)
	return moved, at, true
}

// keyedApply is keyed by its left side where each row of that comes once.
func keyedApply(n *plan.Apply, inputs map[string]InputInfo) (plan.Node, []int, bool) {
	if n.Kind != plan.MarkJoin && n.Kind != plan.SingleJoin {
		return n, nil, false
	}
	left, key, ok := keyed(n.Left, inputs)
	if !ok {
		return n, nil, false
	}
	width, wider := plan.Width(n.Left), plan.Width(left)
	out := *n
	out.Left, out.On = left, nil
	for _, e := range n.On {
		out.On = append(out.On, shiftColumns(e, width, wider-width))
	}
	if n.Test != nil {
		out.Test = shiftColumns(n.Test, width, wider-width)
	}
	moved, at := keyBehind(&out, plan.Width(n), width, wider, key)
	return moved, at, true
}

// keyedAsof is keyed by its left side, of which each row comes once at most.
func keyedAsof(n *plan.AsofJoin, inputs map[string]InputInfo) (plan.Node, []int, bool) {
	left, key, ok := keyed(n.Left, inputs)
	if !ok {
		return n, nil, false
	}
	width, wider := plan.Width(n.Left), plan.Width(left)
	out := *n
	out.Left = left
	if n.Within != nil {
		out.Within = shiftColumns(n.Within, width, wider-width)
	}
	moved, at := keyBehind(&out, plan.Width(n), width, wider, key)
	return moved, at, true
}

// withPresence adds a column to the key that is true in every row, and NULL where a join found no row.
func withPresence(n plan.Node, key []int) (plan.Node, []int) {
	width := plan.Width(n)
	yes := event.NewBitmap(1)
	yes.Set(0)
	typ := event.Type{Kind: event.Boolean}
	out := &plan.Project{Input: n}
	for i, c := range n.Columns() {
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		out.Names = append(out.Names, c.Name)
	}
	out.Exprs = append(out.Exprs, &plan.Literal{Value: event.NewBooleans(yes, 1, nil), Typ: typ})
	out.Names = append(out.Names, "_present")
	return out, append(slices.Clip(key), width)
}

// keyBehind puts the columns that a node had before its inputs got keys into their old places, those of the key that are new behind them, and
// says where the key is then. The node had own columns, the first of them those of its input, which had width columns and has wider.
func keyBehind(n plan.Node, own, width, wider int, key []int) (plan.Node, []int) {
	order := append(upTo(width), from(wider, own-width)...)
	for _, at := range key {
		if !slices.Contains(order, at) {
			order = append(order, at)
		}
	}
	return pick(n, order), placesOf(order, key)
}

// pick is a node's columns in another order; the node itself where that changes nothing.
func pick(n plan.Node, order []int) plan.Node {
	if slices.Equal(order, upTo(plan.Width(n))) {
		return n
	}
	columns := n.Columns()
	out := &plan.Project{Input: n}
	for _, at := range order {
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: at, Name: columns[at].Name, Typ: columns[at].Type})
		out.Names = append(out.Names, columns[at].Name)
	}
	return out
}

// placesOf finds columns in an order.
func placesOf(order, columns []int) []int {
	out := make([]int, len(columns))
	for i, c := range columns {
		out[i] = slices.Index(order, c)
	}
	return out
}

// columnsOf are the columns that expressions are; ok is false if one is more than a column.
func columnsOf(exprs []plan.Expr) ([]int, bool) {
	out := make([]int, len(exprs))
	for i, e := range exprs {
		ref, ok := e.(*plan.ColumnRef)
		if !ok {
			return nil, false
		}
		out[i] = ref.Index
	}
	return out, true
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// shiftColumns moves references to columns from a place on.
func shiftColumns(e plan.Expr, from, by int) plan.Expr {
	return mapColumns(e, func(c *plan.ColumnRef) plan.Expr {
		if c.Index < from {
			return c
		}
		return &plan.ColumnRef{Index: c.Index + by, Name: c.Name, Typ: c.Typ}
	})
}

// mapColumns is an expression with f applied to its columns.
func mapColumns(e plan.Expr, f func(*plan.ColumnRef) plan.Expr) plan.Expr {
	all := func(list []plan.Expr) []plan.Expr {
		out := make([]plan.Expr, len(list))
		for i, e := range list {
			out[i] = mapColumns(e, f)
		}
		return out
	}
	switch e := e.(type) {
	case *plan.ColumnRef:
		return f(e)
	case *plan.Call:
		return &plan.Call{Fn: e.Fn, Args: all(e.Args)}
	case *plan.Cast:
		return &plan.Cast{Input: mapColumns(e.Input, f), To: e.To, Try: e.Try}
	case *plan.Case:
		out := &plan.Case{Typ: e.Typ}
		for _, w := range e.Whens {
			out.Whens = append(out.Whens, plan.When{Condition: mapColumns(w.Condition, f), Then: mapColumns(w.Then, f)})
		}
		if e.Else != nil {
			out.Else = mapColumns(e.Else, f)
		}
		return out
	default:
		return e
	}
}

// exprsOf are the expressions of a plan node, of its own.
func exprsOf(n plan.Node) []plan.Expr {
	switch n := n.(type) {
	case *plan.Scan:
		return n.Filter
	case *plan.Filter:
		return []plan.Expr{n.Predicate}
	case *plan.Project:
		return n.Exprs
	case *plan.Aggregate:
		out := slices.Clone(n.Groups)
		for i := range n.Aggregates {
			out = append(out, n.Aggregates[i].Exprs()...)
		}
		return out
	case *plan.Window:
		return n.Exprs()
	case *plan.FirstRows:
		return n.Exprs()
	case *plan.Assign:
		return []plan.Expr{n.Time}
	case *plan.Repeat:
		return []plan.Expr{n.Times}
	case *plan.Unnest:
		return n.Arrays
	case *plan.Sort:
		var out []plan.Expr
		for _, k := range n.Keys {
			out = append(out, k.Expr)
		}
		return out
	case *plan.AsofJoin:
		out := append(append(slices.Clone(n.LeftKeys), n.RightKeys...), n.LeftAt, n.RightAt)
		if n.Within != nil {
			out = append(out, n.Within)
		}
		return out
	case *plan.Join:
		if n.Test == nil {
			return n.On
		}
		return append(slices.Clip(n.On), n.Test)
	case *plan.Apply:
		out := append(slices.Clip(n.On), n.Args...)
		if n.Test != nil {
			out = append(out, n.Test)
		}
		return out
	case *plan.Fill:
		return slices.DeleteFunc([]plan.Expr{n.Next, n.Low, n.High}, func(e plan.Expr) bool { return e == nil })
	case *plan.Values:
		return slices.Concat(n.Rows...)
	case *plan.Series:
		return []plan.Expr{n.From, n.To, n.Step}
	default:
		return nil
	}
}
