package plan

import (
	"strings"
)

// Window gives every row of its input one more column for each call, computed over rows of the same partition. Its columns are the
// input's, then the calls'. It gives the rows of a partition side by side, in the order of Order; rows equal in all keys are in no
// particular order.
type Window struct {
	Input Node
	// Partition are the values that rows of one partition have in common; NULL is a value.
	Partition []Expr
	Order     []SortKey
	// Ties is how many keys at the end of Order only put peers in order: rows that differ in these alone are peers still.
	Ties  int
	Calls []WindowCall
	// Names holds one name for each call.
	Names []string `shape:"-"`
}

// WindowCall is one call of a window function, or of an aggregate over a frame.
type WindowCall struct {
	Fn   *Function
	Args []Expr
	// Filter, if not nil, restricts the rows that an aggregate sees.
	Filter Expr
	// Distinct restricts an aggregate to the first row of those in its frame whose arguments are equal.
	Distinct bool
	Frame    Frame
	// IgnoreNulls makes the functions that fetch a value from another row pass over rows where it is NULL.
	IgnoreNulls bool
}

// Frame says which rows of its partition a call sees from each row. Functions that rank rows or look a number of rows away have none
// and ignore it.
type Frame struct {
	Unit       FrameUnit
	Start, End FrameBound
	Exclude    FrameExclusion
}

// FrameUnit is what the offsets of a frame count.
type FrameUnit uint8

// The units of frames. Peers are rows that are equal in all keys of the order but those that break ties; without an order all rows of a
// partition are.
const (
	FrameRange  FrameUnit = iota // differences of the only key of the order
	FrameRows                    // rows
	FrameGroups                  // groups of peers
)

// FrameBound is one end of a frame. Offset is set for Preceding and Following only, is not NULL and not negative: a BIGINT for rows
// and groups; for ranges a value of the key's type, or an INTERVAL where that is TIMESTAMPTZ.
type FrameBound struct {
	Kind   BoundKind
	Offset *Literal
}

// BoundKind says where a frame's end lies.
type BoundKind uint8

// The kinds of bounds, in the order in which they can follow each other.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow // with ranges and groups: the current row with its peers
	Following
	UnboundedFollowing
)

// FrameExclusion is what a frame leaves out around the current row.
type FrameExclusion uint8

// The exclusions.
const (
	ExcludeNothing FrameExclusion = iota
	ExcludeRow
	ExcludeGroup // the current row and its peers
	ExcludeTies  // the peers of the current row
)

// WholePartition is the frame of all rows of the partition.
var WholePartition = Frame{Start: FrameBound{Kind: UnboundedPreceding}, End: FrameBound{Kind: UnboundedFollowing}}

func (*Window) node() {}

// Columns are the input's, then the calls'.
func (n *Window) Columns() []Column {
	out := append([]Column(nil), n.Input.Columns()...)
	for i, c := range n.Calls {
		out = append(out, Column{Name: n.Names[i], Type: c.Fn.Result})
	}
	return out
}

// Peers are the keys in which peers are equal.
func (n *Window) Peers() []SortKey { return n.Order[:len(n.Order)-n.Ties] }

// Inputs is the node whose rows are extended.
func (n *Window) Inputs() []Node { return []Node{n.Input} }

func (n *Window) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Exprs are all expressions of the node over its input, those of calls included.
func (n *Window) Exprs() []Expr {
	out := append([]Expr(nil), n.Partition...)
	for _, k := range n.Order {
		out = append(out, k.Expr)
	}
	for _, c := range n.Calls {
		out = append(out, c.Exprs()...)
	}
	return out
}

// Exprs are the call's arguments and its filter.
func (c WindowCall) Exprs() []Expr {
	out := append([]Expr(nil), c.Args...)
	if c.Filter != nil {
		out = append(out, c.Filter)
	}
	return out
}

// Map is the node with f applied to each of its expressions as a whole.
func (n *Window) Map(f func(Expr) Expr) *Window {
	apply := func(list []Expr) []Expr {
		out := make([]Expr, len(list))
		for i, e := range list {
			out[i] = f(e)
		}
		return out
	}
	out := &Window{Input: n.Input, Partition: apply(n.Partition), Ties: n.Ties, Names: n.Names}
	for _, k := range n.Order {
		k.Expr = f(k.Expr)
		out.Order = append(out.Order, k)
	}
	for _, c := range n.Calls {
		c.Args = apply(c.Args)
		if c.Filter != nil {
			c.Filter = f(c.Filter)
		}
		out.Calls = append(out.Calls, c)
	}
	return out
}

func describeWindow(n *Window) string {
	calls := make([]string, len(n.Calls))
	for i, c := range n.Calls {
		text := c.text(len(n.Peers()) > 0)
		calls[i] = text + as(text, n.Names[i])
	}
	out := "Window"
	if len(n.Partition) > 0 {
		out += " by=[" + join(n.Partition, ", ") + "]"
	}
	if len(n.Peers()) > 0 {
		out += " order=[" + joinKeys(n.Peers()) + "]"
	}
	if n.Ties > 0 {
		out += " ties=[" + joinKeys(n.Order[len(n.Order)-n.Ties:]) + "]"
	}
	return out + " compute=[" + strings.Join(calls, ", ") + "]"
}

func joinKeys(keys []SortKey) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.String()
	}
	return strings.Join(parts, ", ")
}

// text prints a call with its frame where that is not what it would be by default.
func (c WindowCall) text(ordered bool) string {
	out := Aggregation{Fn: c.Fn, Args: c.Args, Filter: c.Filter, Distinct: c.Distinct}.String()
	if c.Fn.Window && len(c.Args) == 0 {
		out = c.Fn.Name + "()"
	}
	if c.IgnoreNulls {
		out += " IGNORE NULLS"
	}
	if usual := c.Frame.isDefault(ordered); !usual && c.Fn.Framed() {
		out += " " + c.Frame.String()
	}
	return out
}

func (f Frame) isDefault(ordered bool) bool {
	end := UnboundedFollowing
	if ordered {
		end = CurrentRow
	}
	return f.Unit == FrameRange && f.Start.Kind == UnboundedPreceding && f.End.Kind == end && f.Exclude == ExcludeNothing
}

// String prints the frame as SQL.
func (f Frame) String() string {
	out := [...]string{FrameRange: "RANGE", FrameRows: "ROWS", FrameGroups: "GROUPS"}[f.Unit]
	out += " BETWEEN " + f.Start.String() + " AND " + f.End.String()
	return out + [...]string{
		ExcludeNothing: "", ExcludeRow: " EXCLUDE CURRENT ROW", ExcludeGroup: " EXCLUDE GROUP", ExcludeTies: " EXCLUDE TIES",
	}[f.Exclude]
}

// String prints the bound as SQL.
func (b FrameBound) String() string {
	text := [...]string{
		UnboundedPreceding: "UNBOUNDED PRECEDING", Preceding: " PRECEDING", CurrentRow: "CURRENT ROW", Following: " FOLLOWING",
		UnboundedFollowing: "UNBOUNDED FOLLOWING",
	}[b.Kind]
	if b.Offset != nil {
		return b.Offset.String() + text
	}
	return text
}
