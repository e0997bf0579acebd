package optimize

import (
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// readMembers lets scans give members of JSONB documents that are taken along constant paths, as doc -> 'a' ->> 'b', as columns of their own: a
// source that keeps a member by itself then reads it instead of the documents, and comparing, grouping and joining by it goes as by any column of
// text. The member of a row whose source has only the document is computed from that, as it would have been above.
//
// What keeps few of many rows lets no member pass: computing it for all of them below costs more than for the few above.
func readMembers(n plan.Node) (plan.Node, error) { return withMembers(n) }

// maxMemberDepth is how many names a path may have: no source keeps what lies deeper.
const maxMemberDepth = 6

// member is a member of the documents in a column of a node's input.
type member struct {
	column *plan.ColumnRef
	path   []string
	text   bool
}

func (m *member) same(o *member) bool {
	return m.column.Index == o.column.Index && m.text == o.text && slices.Equal(m.path, o.path)
}

// withMembers rewrites a tree; its columns stay what they are.
func withMembers(n plan.Node) (plan.Node, error) {
	out, at, _, err := lift(n, nil)
	if err != nil || plan.Width(out) == len(at) && slices.Equal(at, identity(len(at))) {
		return out, err
	}
	columns := n.Columns()
	own := &plan.Project{Input: out}
	for i, c := range columns {
		own.Exprs = append(own.Exprs, &plan.ColumnRef{Index: at[i], Name: c.Name, Typ: c.Type})
		own.Names = append(own.Names, c.Name)
	}
	return own, nil
}

// lift rewrites a node, and adds columns for members of its columns. It says where the columns went that it had, and the members; -1 for one that
// the node does not give.
func lift(n plan.Node, wanted []*member) (out plan.Node, at, members places, err error) {
	switch n := n.(type) {
	case *plan.Scan:
		out, at, members = liftScan(n, wanted)
		return out, at, members, nil
	case *plan.Filter:
		return liftOver(n, n.Input, wanted, wanted, n.Predicate)
	case *plan.Sort:
		below := wanted
		if n.Limit >= 0 {
			below = nil
		}
		return liftOver(n, n.Input, wanted, below, sortExprs(n.Keys)...)
	case *plan.Project:
		return liftProject(n, wanted)
	case *plan.Aggregate:
		return liftAggregate(n, wanted)
	case *plan.Window:
		return liftWindow(n, wanted)
	case *plan.Join:
		return liftJoin(n, wanted)
	default:
		inputs := slices.Clone(n.Inputs())
		for i := range inputs {
			if inputs[i], err = withMembers(inputs[i]); err != nil {
				return nil, nil, nil, err
			}
		}
		return plan.Over(n, inputs...), identity(plan.Width(n)), dropped(len(wanted)), nil
	}
}

func sortExprs(keys []plan.SortKey) []plan.Expr {
	out := make([]plan.Expr, len(keys))
	for i, k := range keys {
		out[i] = k.Expr
	}
	return out
}

// liftOver is lift for a node whose columns are those of its input. below are those members wanted that may pass it; none or all.
func liftOver(n, input plan.Node, wanted, below []*member, exprs ...plan.Expr) (plan.Node, places, places, error) {
	l, err := liftInput(input, below, exprs...)
	if err != nil {
		return nil, nil, nil, err
	}
	found := dropped(len(wanted))
	copy(found, l.members[:len(below)])
	return mapExpressions(plan.Over(n, l.node), l.move), l.at, found, nil
}

// lifted is an input with members.
type lifted struct {
	node    plan.Node
	at      places
	wanted  []*member
	members places
}

// liftInput asks an input for some members, and then for those that expressions have.
func liftInput(input plan.Node, wanted []*member, exprs ...plan.Expr) (*lifted, error) {
	l := &lifted{wanted: slices.Clip(wanted)}
	for _, e := range exprs {
		l.collect(e)
	}
	var err error
	l.node, l.at, l.members, err = lift(input, l.wanted)
	return l, err
}

// collect adds the members in an expression, of each the longest path.
func (l *lifted) collect(e plan.Expr) {
	if m := memberOf(e); m != nil {
		if !slices.ContainsFunc(l.wanted, m.same) {
			l.wanted = append(l.wanted, m)
		}
		return
	}
	for _, part := range plan.Operands(e) {
		l.collect(part)
	}
}

// move points an expression at the columns' new places, and puts members that are columns now in place of what computes them.
func (l *lifted) move(e plan.Expr) plan.Expr {
	if m := memberOf(e); m != nil {
		if i := slices.IndexFunc(l.wanted, m.same); i >= 0 && l.members[i] >= 0 {
			name := l.node.Columns()[l.members[i]].Name
			return &plan.ColumnRef{Index: l.members[i], Name: name, Typ: e.Type()}
		}
	}
	if c, ok := e.(*plan.ColumnRef); ok {
		return l.at.move(c)
	}
	return mapOperands(e, l.move)
}

// mapOperands rebuilds an expression with f applied to its parts; e itself where they stay as they are.
func mapOperands(e plan.Expr, f func(plan.Expr) plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Call:
		if args := mapAll(x.Args, f); !sameList(args, x.Args) {
			return &plan.Call{Fn: x.Fn, Args: args}
		}
	case *plan.Cast:
		if input := f(x.Input); input != x.Input {
			return &plan.Cast{Input: input, To: x.To, Try: x.Try}
		}
	case *plan.Case:
		out := &plan.Case{Typ: x.Typ}
		for _, w := range x.Whens {
			out.Whens = append(out.Whens, plan.When{Condition: f(w.Condition), Then: f(w.Then)})
		}
		if x.Else != nil {
			out.Else = f(x.Else)
		}
		return out
	}
	return e
}

// liftScan adds the members wanted, and those of the scan's own conditions.
func liftScan(n *plan.Scan, wanted []*member) (plan.Node, places, places) {
	l := &lifted{wanted: slices.Clip(wanted), at: identity(plan.Width(n))}
	for _, e := range n.Filter {
		l.collect(e)
	}
	l.members = dropped(len(l.wanted))
	out := *n
	out.Members = slices.Clip(n.Members)
	for i, m := range l.wanted {
		if m.column.Index >= len(n.Fields) {
			continue // a member of a member
		}
		asked := plan.Member{Column: n.Fields[m.column.Index], Path: m.path, Text: m.text, Expr: m.expr()}
		known := slices.IndexFunc(out.Members, func(o plan.Member) bool {
			return o.Column == asked.Column && o.Text == asked.Text && slices.Equal(o.Path, asked.Path)
		})
		if known < 0 {
			known = len(out.Members)
			out.Members = append(out.Members, asked)
		}
		l.members[i] = len(n.Fields) + known
	}
	if len(out.Members) == len(n.Members) && len(l.wanted) == 0 {
		return n, l.at, l.members
	}
	l.node = &out
	out.Filter = mapAll(n.Filter, l.move)
	return &out, l.at, l.members[:len(wanted)]
}

// liftProject passes members of columns on that the projection only passes on, and makes longer paths of members of members.
func liftProject(n *plan.Project, wanted []*member) (plan.Node, places, places, error) {
	below, from := []*member{}, dropped(len(wanted))
	for i, m := range wanted {
		inner := &member{path: m.path, text: m.text}
		switch e := n.Exprs[m.column.Index].(type) {
		case *plan.ColumnRef:
			inner.column = e
		default:
			outer := memberOf(e)
			if outer == nil || outer.text || len(outer.path)+len(m.path) > maxMemberDepth {
				continue
			}
			inner.column, inner.path = outer.column, slices.Concat(outer.path, m.path)
		}
		if from[i] = slices.IndexFunc(below, inner.same); from[i] < 0 {
			from[i] = len(below)
			below = append(below, inner)
		}
	}
	l, err := liftInput(n.Input, below, n.Exprs...)
	if err != nil {
		return nil, nil, nil, err
	}
	out := mapExpressions(plan.Over(n, l.node), l.move).(*plan.Project)
	members := dropped(len(wanted))
	for i, k := range from {
		if k < 0 || l.members[k] < 0 {
			continue
		}
		if members[i] < 0 {
			c := l.node.Columns()[l.members[k]]
			out = &plan.Project{
				Input: out.Input,
				Exprs: append(slices.Clip(out.Exprs), &plan.ColumnRef{Index: l.members[k], Name: c.Name, Typ: c.Type}),
				Names: append(slices.Clip(out.Names), c.Name),
			}
			members[i] = len(out.Exprs) - 1
		}
	}
	return out, identity(len(n.Exprs)), members, nil
}

func liftAggregate(n *plan.Aggregate, wanted []*member) (plan.Node, places, places, error) {
	exprs := slices.Clone(n.Groups)
	for _, a := range n.Aggregates {
		exprs = append(exprs, a.Exprs()...)
	}
	l, err := liftInput(n.Input, nil, exprs...)
	if err != nil {
		return nil, nil, nil, err
	}
	return mapExpressions(plan.Over(n, l.node), l.move), identity(plan.Width(n)), dropped(len(wanted)), nil
}

// liftWindow keeps the calls behind the columns of the input.
func liftWindow(n *plan.Window, wanted []*member) (plan.Node, places, places, error) {
	width := plan.Width(n.Input)
	var below []*member
	from := dropped(len(wanted))
	for i, m := range wanted {
		if m.column.Index < width {
			from[i] = len(below)
			below = append(below, m)
		}
	}
	l, err := liftInput(n.Input, below, n.Exprs()...)
	if err != nil {
		return nil, nil, nil, err
	}
	at, members := slices.Clip(l.at), dropped(len(wanted))
	for i := range n.Calls {
		at = append(at, plan.Width(l.node)+i)
	}
	for i, k := range from {
		if k >= 0 {
			members[i] = l.members[k]
		}
	}
	return plan.Over(n, l.node).(*plan.Window).Map(l.move), at, members, nil
}

// liftJoin asks both sides for what the conditions have and what is wanted of the columns of both.
func liftJoin(n *plan.Join, wanted []*member) (plan.Node, places, places, error) {
	width := plan.Width(n.Left)
	asked := &lifted{wanted: slices.Clip(wanted)}
	for _, e := range n.On {
		asked.collect(e)
	}
	if n.Test != nil {
		asked.collect(n.Test)
	}
	var sides [2][]*member
	from := make([]int, len(asked.wanted)) // the place among those of its side
	for i, m := range asked.wanted {
		side, inner := 0, *m
		if m.column.Index >= width {
			side = 1
			inner.column = &plan.ColumnRef{Index: m.column.Index - width, Name: m.column.Name, Typ: m.column.Typ}
		}
		from[i] = len(sides[side])
		sides[side] = append(sides[side], &inner)
	}
	left, leftAt, leftMembers, err := lift(n.Left, sides[0])
	if err != nil {
		return nil, nil, nil, err
	}
	right, rightAt, rightMembers, err := lift(n.Right, sides[1])
	if err != nil {
		return nil, nil, nil, err
	}
	s := prunedSides{left: left, right: right, leftAt: leftAt, rightAt: rightAt, both: beside(leftAt, rightAt, plan.Width(left))}
	asked.at, asked.members = s.both, dropped(len(asked.wanted))
	for i, m := range asked.wanted {
		if m.column.Index < width {
			asked.members[i] = leftMembers[from[i]]
		} else if at := rightMembers[from[i]]; at >= 0 {
			asked.members[i] = plan.Width(left) + at
		}
	}
	out := *n
	out.Left, out.Right = left, right
	both := out
	both.Kind = plan.InnerJoin // whose columns are those of both sides, as its conditions see them
	asked.node = &both
	return mapJoin(&out, asked.move), s.output(n.Kind), asked.members[:len(wanted)], nil
}

// memberOf takes an expression apart that follows a constant path into the documents of a column; nil for others.
func memberOf(e plan.Expr) *member {
	if m := followed(e); m != nil && len(m.path) > 0 {
		return m
	}
	return nil
}

// followed is memberOf that takes a column for its documents' member at the path without steps. Steps of #> that are numbers may mean elements of
// arrays, which are no members.
func followed(e plan.Expr) *member {
	if c, ok := e.(*plan.ColumnRef); ok && c.Typ.Kind == event.JSONB {
		return &member{column: c}
	}
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) < 2 || call.Fn.Args[0].Kind != event.JSONB {
		return nil
	}
	steps, text := stepsOf(call)
	outer := followed(call.Args[0])
	if outer == nil || outer.text || len(steps) == 0 || len(outer.path)+len(steps) > maxMemberDepth {
		return nil
	}
	return &member{column: outer.column, path: slices.Concat(outer.path, steps), text: text}
}

// stepsOf are the names that an operator follows; none where they are not constant or may be anything but names.
func stepsOf(call *plan.Call) (steps []string, text bool) {
	var constants []string
	for _, arg := range call.Args[1:] {
		literal, ok := arg.(*plan.Literal)
		if !ok || literal.Typ.Kind != event.Text || literal.Value.IsNull(0) {
			return nil, false
		}
		constants = append(constants, literal.Value.(*array.String).Value(0))
	}
	switch name := call.Fn.Name; name {
	case "->", "->>":
		return constants, name == "->>"
	case "#>", "#>>":
		steps, _ = kernel.ParsePath(constants[0])
		return onlyNames(steps), name == "#>>"
	case "jsonb_extract_path", "jsonb_extract_path_text":
		return onlyNames(constants), name == "jsonb_extract_path_text"
	default:
		return nil, false
	}
}

func onlyNames(steps []string) []string {
	if slices.ContainsFunc(steps, func(step string) bool {
		_, err := strconv.ParseInt(step, 10, 64)
		return err == nil
	}) {
		return nil
	}
	return steps
}

// expr computes the member from the document as column 0.
func (m *member) expr() plan.Expr {
	var out plan.Expr = &plan.ColumnRef{Name: m.column.Name, Typ: m.column.Typ}
	for i, name := range m.path {
		fn := memberFunction
		if m.text && i == len(m.path)-1 {
			fn = memberTextFunction
		}
		literal := &plan.Literal{Value: event.NewStrings([]int32{0, int32(len(name))}, []byte(name), nil), Typ: event.Type{Kind: event.Text}}
		out = &plan.Call{Fn: fn, Args: []plan.Expr{out, literal}}
	}
	return out
}

var memberFunction, memberTextFunction = byName("->"), byName("->>")

// byName is the overload for names of members.
func byName(operator string) *plan.Function {
	all := plan.Functions[operator]
	return all[slices.IndexFunc(all, func(f *plan.Function) bool { return f.Args[1].Kind == event.Text })]
}
