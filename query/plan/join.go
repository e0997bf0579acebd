package plan

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// JoinKind says which rows a Join gives.
type JoinKind uint8

// The kinds of join. A pair is a row of Left beside a row of Right for which all conditions of On are true.
const (
	// InnerJoin gives the pairs.
	InnerJoin JoinKind = iota
	// LeftJoin gives the pairs, and rows of Left without a pair beside NULLs.
	LeftJoin
	// RightJoin gives the pairs, and rows of Right without a pair beside NULLs.
	RightJoin
	// FullJoin does both.
	FullJoin
	// SingleJoin is a LeftJoin that fails where a row of Left is in more than one pair.
	SingleJoin
	// MarkJoin gives every row of Left once, with a BOOLEAN column after it: whether Test is true for one of its pairs at least,
	// and if it is not, NULL where Test is NULL for one of them. Without Test it says whether there is a pair.
	MarkJoin
)

var joinNames = [...]string{"inner", "left", "right", "full", "single", "mark"}

// String is the kind's name as plans print it.
func (k JoinKind) String() string { return joinNames[k] }

// Join pairs the rows of two inputs. Its columns are those of Left, then those of Right or, in a MarkJoin, the mark.
type Join struct {
	Left, Right Node
	Kind        JoinKind
	// On holds conditions over the columns of Left followed by those of Right. Without any, all rows pair with all.
	On []Expr
	// Test is what a MarkJoin asks of its pairs, over the same columns as On; nil in other joins.
	Test Expr
	// Mark names the column that a MarkJoin adds.
	Mark string `shape:"-"`
}

func (*Join) node() {}

// Columns are those of Left, then those of Right or the mark.
func (n *Join) Columns() []Column {
	return joinedColumns(n.Left, n.Right, n.Kind, n.Mark)
}

func joinedColumns(left, right Node, kind JoinKind, mark string) []Column {
	if kind == MarkJoin {
		return append(slices.Clip(left.Columns()), Column{Name: mark, Type: event.Type{Kind: event.Boolean}})
	}
	return slices.Concat(left.Columns(), right.Columns())
}

// Inputs are the two sides.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

func (n *Join) over(inputs []Node) Node {
	out := *n
	out.Left, out.Right = inputs[0], inputs[1]
	return &out
}

// SplitEquality takes apart a condition that two values are equal, of which one is of the first width columns and the other
// of those after them. ok is false for other conditions.
func SplitEquality(e Expr, width int) (left, right Expr, ok bool) {
	c, isCall := e.(*Call)
	if !isCall || c.Fn.Name != "=" || !c.Fn.Args[0].Equal(c.Fn.Args[1]) {
		return nil, nil, false
	}
	a, b := sideOf(c.Args[0], width), sideOf(c.Args[1], width)
	switch {
	case a == leftSide && b == rightSide:
		return c.Args[0], c.Args[1], true
	case a == rightSide && b == leftSide:
		return c.Args[1], c.Args[0], true
	default:
		return nil, nil, false
	}
}

// SplitLookup is SplitEquality for what rows of a join are looked up by, where only that counts which is true: a JSONB and a TEXT that it is
// compared with are both TEXT there, as equal values of that have equal bytes. For a JSON that is no string the value is NULL.
func SplitLookup(e Expr, width int) (left, right Expr, ok bool) {
	if left, right, ok = SplitEquality(e, width); ok {
		return left, right, ok
	}
	c, isCall := e.(*Call)
	if !isCall || c.Fn.Name != "=" || len(c.Args) != 2 {
		return nil, nil, false
	}
	a, b := c.Args[0], c.Args[1]
	switch {
	case a.Type().Kind == event.JSONB && b.Type().Kind == event.Text:
		a = textOfJSON(a)
	case a.Type().Kind == event.Text && b.Type().Kind == event.JSONB:
		b = textOfJSON(b)
	default:
		return nil, nil, false
	}
	return SplitEquality(&Call{Fn: functionOf("=", text, text), Args: []Expr{a, b}}, width)
}

// textOfJSON is the text that a JSON string holds, and NULL for other JSON.
func textOfJSON(e Expr) Expr {
	literal := func(s string) Expr {
		return &Literal{Value: event.NewStrings([]int32{0, int32(len(s))}, []byte(s), nil), Typ: text}
	}
	kind := &Call{Fn: functionOf("jsonb_typeof", jsonb), Args: []Expr{e}}
	isString := &Call{Fn: functionOf("=", text, text), Args: []Expr{kind, literal("string")}}
	value := &Call{Fn: functionOf("#>>", jsonb, text), Args: []Expr{e, literal("{}")}}
	return &Case{Whens: []When{{Condition: isString, Then: value}}, Typ: text}
}

// functionOf is the function of a name that takes arguments of these types.
func functionOf(name string, args ...event.Type) *Function {
	forms := Functions[name]
	at := slices.IndexFunc(forms, func(f *Function) bool { return slices.EqualFunc(f.Args, args, event.Type.Equal) })
	return forms[at]
}

// side says which of two inputs an expression reads; the values are bits.
type side uint8

const (
	leftSide  side = 1
	rightSide side = 2
)

func sideOf(e Expr, width int) side {
	var out side
	Walk(e, func(e Expr) {
		if c, ok := e.(*ColumnRef); ok {
			if c.Index < width {
				out |= leftSide
			} else {
				out |= rightSide
			}
		}
	})
	return out
}

func describeJoin(n *Join) string { return n.Line(n.way()) }

// Line is how the join prints, without its inputs, where it finds its pairs in a way: "ranges", "keys, ranges", "pairs" where it has to try all, or
// empty for keys alone.
func (n *Join) Line(way string) string {
	out := "Join " + n.Kind.String()
	if len(n.On) > 0 {
		out += " on=[" + join(n.On, " AND ") + "]"
	}
	if n.Test != nil {
		out += " test=" + n.Test.String()
	}
	if way != "" {
		out += " by=[" + way + "]"
	}
	if n.Kind == MarkJoin {
		out += " as " + n.Mark
	}
	return out
}
