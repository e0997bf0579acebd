// Package plan describes what a query computes: a tree of nodes over typed expressions, and the list of all functions.
//
// Nodes and expressions are closed sets: every switch over them names each case and answers an unknown one by an error.
// A tree is immutable once built; a rewrite makes a new one. Columns are referred to by their index in the input's
// columns, so names matter only for the result. The package computes nothing; package exec does.
package plan

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// Column is one output column of a node.
type Column struct {
	Name string `shape:"-"`
	Type event.Type
}

// Node is one relational operator.
type Node interface {
	// Columns are the output columns.
	Columns() []Column
	// Inputs are the nodes read from, left to right.
	Inputs() []Node
	// over is a copy of the node that reads other inputs, of the same number.
	over(inputs []Node) Node
	node()
}

// Over is n over other inputs, of the number that it has; n itself where they are the same.
func Over(n Node, inputs ...Node) Node {
	if slices.Equal(n.Inputs(), inputs) {
		return n
	}
	return n.over(inputs)
}

// Scan reads a stream: the columns of Fields and then of Members, in order, of every row for which Filter holds.
type Scan struct {
	Stream string
	// Schema is the version that Fields and the types were bound to.
	Schema *event.Schema
	Fields []event.FieldID
	// Members are members of documents, put here by the optimizer: the source may keep them by themselves.
	Members []Member
	// Filter holds conjuncts over the output columns, put here by the optimizer; they are applied in order.
	Filter []Expr
	// Ranges are implied by Filter and let the source leave out what cannot match.
	Ranges []Range
	// Rows is about how many rows the stream has, for choosing between ways to the same answer; 0 where nobody said.
	Rows int64
}

// Filter keeps the rows for which Predicate is true (not false, not NULL).
type Filter struct {
	Input     Node
	Predicate Expr
}

// Project computes one column per expression.
type Project struct {
	Input Node
	Exprs []Expr
	Names []string `shape:"-"`
}

// Aggregate groups by the values of Groups (NULL is a value) and computes Aggregates for each group. Its columns are the
// groups, then the aggregates. Without Groups there is exactly one row, also over no input.
type Aggregate struct {
	Input      Node
	Groups     []Expr
	Aggregates []Aggregation
	// Sets, if not nil, groups several times over: once by each set of indexes into Groups, whose rows follow each other. Groups
	// that are not in a set are NULL in its rows.
	Sets [][]int
	// Names holds one name for each output column.
	Names []string `shape:"-"`
	// Statistics tells that the calls can be answered, for rows of the scan below whose statistics are known, without reading them.
	Statistics bool `shape:"-"`
}

// Aggregation is one call of an aggregate function.
type Aggregation struct {
	Fn   *Function
	Args []Expr
	// Distinct restricts the call to one row of those whose arguments and keys of Order are all equal.
	Distinct bool
	// Order is the order in which the call takes its rows; without it, the rows come as they come.
	Order []SortKey
	// Filter, if not nil, restricts the rows that the call sees: FILTER (WHERE ...).
	Filter Expr
	// Marks, for a call of GroupingFunction, are indexes into the aggregate's Groups.
	Marks []int
}

// GroupingFunction is grouping(...): a number with one bit for each of its Marks, the last being the least, which is set in rows of
// sets without that group. It is no function of rows, so it is not in Functions.
var GroupingFunction = &Function{Name: "grouping", Result: event.Type{Kind: event.BigInt}, Aggregate: true}

// Sort orders rows by Keys; rows equal in all keys keep no particular order. With Limit >= 0 only the first Limit rows are kept.
type Sort struct {
	Input Node
	Keys  []SortKey
	Limit int64
}

// SortKey is one ordering: by the value of an expression over the input.
type SortKey struct {
	Expr       Expr
	Descending bool
	NullsFirst bool
}

// Limit skips Offset rows and then passes at most Count; a Count below 0 means all.
type Limit struct {
	Input  Node
	Count  int64
	Offset int64
	// Bounds, if not nil, gives both numbers when the plan runs: its one row has them in BIGINT columns, where NULL means none.
	Bounds Node
}

// Values is a table written out: rows of expressions without columns.
type Values struct {
	Cols []Column
	Rows [][]Expr
}

// Insert appends the rows of its input to a stream. Its one output column is the number of rows stored.
type Insert struct {
	Input  Node
	Stream string
	// Names are the stream's columns that the input's columns go to.
	Names []string
}

// Exprs are all expressions of the call: arguments, keys of its order, filter.
func (a *Aggregation) Exprs() []Expr {
	out := append([]Expr(nil), a.Args...)
	for _, k := range a.Order {
		out = append(out, k.Expr)
	}
	if a.Filter != nil {
		out = append(out, a.Filter)
	}
	return out
}

func (*Scan) node()      {}
func (*Filter) node()    {}
func (*Project) node()   {}
func (*Aggregate) node() {}
func (*Sort) node()      {}
func (*Limit) node()     {}
func (*Values) node()    {}
func (*Insert) node()    {}

// Columns are the scanned fields under their names in the schema, and the members.
func (n *Scan) Columns() []Column {
	out := make([]Column, len(n.Fields), Width(n))
	for i, id := range n.Fields {
		c, _ := n.Schema.ByID(id)
		out[i] = Column{Name: c.Name, Type: c.Type}
	}
	for _, m := range n.Members {
		out = append(out, Column{Name: n.MemberName(m), Type: m.Expr.Type()})
	}
	return out
}

// Columns are the input's.
func (n *Filter) Columns() []Column { return n.Input.Columns() }

// Columns are the expressions under their names.
func (n *Project) Columns() []Column {
	out := make([]Column, len(n.Exprs))
	for i, e := range n.Exprs {
		out[i] = Column{Name: n.Names[i], Type: e.Type()}
	}
	return out
}

// SetsOfGroups lists the sets of indexes into Groups to group by: Sets, or else the one that has all groups.
func (n *Aggregate) SetsOfGroups() [][]int {
	if n.Sets != nil {
		return n.Sets
	}
	everything := make([]int, len(n.Groups))
	for i := range everything {
		everything[i] = i
	}
	return [][]int{everything}
}

// Columns are the groups, then the aggregates.
func (n *Aggregate) Columns() []Column {
	out := make([]Column, 0, len(n.Groups)+len(n.Aggregates))
	for i, e := range n.Groups {
		out = append(out, Column{Name: n.Names[i], Type: e.Type()})
	}
	for i, a := range n.Aggregates {
		out = append(out, Column{Name: n.Names[len(n.Groups)+i], Type: a.Fn.Result})
	}
	return out
}

// Columns are the input's.
func (n *Sort) Columns() []Column { return n.Input.Columns() }

// Columns are the input's.
func (n *Limit) Columns() []Column { return n.Input.Columns() }

// Columns are as given.
func (n *Values) Columns() []Column { return n.Cols }

// Columns is the count of rows stored.
func (n *Insert) Columns() []Column {
	return []Column{{Name: "rows_inserted", Type: event.Type{Kind: event.BigInt}}}
}

// Inputs is empty: a scan is a leaf.
func (n *Scan) Inputs() []Node { return nil }

func (n *Scan) over([]Node) Node { return n }

// Inputs is the filtered node.
func (n *Filter) Inputs() []Node { return []Node{n.Input} }

func (n *Filter) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Inputs is the projected node.
func (n *Project) Inputs() []Node { return []Node{n.Input} }

func (n *Project) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Inputs is the aggregated node.
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }

func (n *Aggregate) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Inputs is the sorted node.
func (n *Sort) Inputs() []Node { return []Node{n.Input} }

func (n *Sort) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Inputs is the limited node and, if there is one, that of the bounds.
func (n *Limit) Inputs() []Node {
	if n.Bounds == nil {
		return []Node{n.Input}
	}
	return []Node{n.Input, n.Bounds}
}

func (n *Limit) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	if n.Bounds != nil {
		out.Bounds = inputs[1]
	}
	return &out
}

// Inputs is empty: values are a leaf.
func (n *Values) Inputs() []Node { return nil }

func (n *Values) over([]Node) Node { return n }

// Inputs is the node whose rows are stored.
func (n *Insert) Inputs() []Node { return []Node{n.Input} }

func (n *Insert) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Streams names every stream that the plan reads, each once, in order of appearance.
func Streams(n Node) []string {
	var names []string
	seen := map[string]bool{}
	var walk func(Node)
	walk = func(n Node) {
		if s, ok := n.(*Scan); ok && !seen[s.Stream] {
			seen[s.Stream] = true
			names = append(names, s.Stream)
		}
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	walk(n)
	return names
}
