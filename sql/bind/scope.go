package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// scope is the columns that names can mean: those of one table, or none without FROM.
type scope struct {
	// table qualifies columns: the alias, or else the stream's name. It is empty for a query without alias.
	table   string
	columns []scopeColumn
	// node makes the plan below the expressions, once all of them are bound.
	node func() plan.Node
	// used holds, for a stream, the indexes of the columns referred to so far, in the order of the scan's output; prune tells
	// that only those are output.
	used  []int
	prune bool
}

type scopeColumn struct {
	name   string
	typ    event.Type
	field  event.FieldID
	hidden bool
}

// ref refers to column i, and makes the scan output it.
func (s *scope) ref(i int) *plan.ColumnRef {
	c := s.columns[i]
	if !s.prune {
		return &plan.ColumnRef{Index: i, Name: c.name, Typ: c.typ}
	}
	for at, u := range s.used {
		if u == i {
			return &plan.ColumnRef{Index: at, Name: c.name, Typ: c.typ}
		}
	}
	s.used = append(s.used, i)
	return &plan.ColumnRef{Index: len(s.used) - 1, Name: c.name, Typ: c.typ}
}

// find looks a column up by its exact name, else by the only name equal to it but for case, as event.Schema.Resolve does.
// matches holds several names where it is ambiguous.
func (s *scope) find(name string) (i int, matches []string) {
	exact, folded := []int{}, []int{}
	for i, c := range s.columns {
		switch {
		case c.name == name:
			exact = append(exact, i)
		case strings.EqualFold(c.name, name):
			folded = append(folded, i)
		}
	}
	found := exact
	if len(found) == 0 {
		found = folded
	}
	for _, i := range found {
		matches = append(matches, `"`+s.columns[i].name+`"`)
	}
	if len(found) == 0 {
		return 0, nil
	}
	return found[0], matches
}

// resolve finds the column that a name with dots begins with and returns the members of JSONB that the rest of the name asks for.
func (s *scope) resolve(parts []ast.Name) (i int, path []ast.Name, err error) {
	if len(parts) > 1 && s.table != "" && strings.EqualFold(parts[0].Text, s.table) {
		i, matches := s.find(parts[1].Text)
		if len(matches) == 1 {
			return i, parts[2:], nil
		}
		if _, own := s.find(parts[0].Text); len(own) != 1 {
			return 0, nil, s.missing(parts[1], matches)
		}
	}
	i, matches := s.find(parts[0].Text)
	switch {
	case len(matches) == 1:
		return i, parts[1:], nil
	case len(parts) > 1 && len(matches) == 0 && s.table != "":
		err := event.Errorf(event.CodeUnknownColumn, "there is neither a table nor a column %q", parts[0].Text).At(parts[0].Pos)
		return 0, nil, err.WithHint("what FROM reads is called %s", s.table)
	default:
		return 0, nil, s.missing(parts[0], matches)
	}
}

func (s *scope) missing(n ast.Name, matches []string) error {
	if len(matches) > 1 {
		err := event.Errorf(event.CodeAmbiguousColumn, "column %q is ambiguous", n.Text).At(n.Pos)
		return err.WithHint("it could be %s", strings.Join(matches, " or "))
	}
	if len(s.columns) == 0 {
		return event.Errorf(event.CodeUnknownColumn, "there is no column %q, because there is nothing to read from", n.Text).At(n.Pos).
			WithHint("a string is written in single quotes, a column needs FROM")
	}
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.name
	}
	return suggest(event.Errorf(event.CodeUnknownColumn, "there is no column %q", n.Text).At(n.Pos), n.Text, names)
}

// withs are the queries of WITH that can be named at a place, the innermost first.
type withs struct {
	cte   *ast.CTE
	outer *withs
}

func (w *withs) find(name string) *withs {
	for ; w != nil; w = w.outer {
		if strings.EqualFold(w.cte.Name.Text, name) {
			return w
		}
	}
	return nil
}

// from makes the scope of a FROM clause.
func (b *binder) from(t ast.Table, w *withs) (*scope, error) {
	switch t := t.(type) {
	case nil:
		// One row without columns.
		return &scope{node: func() plan.Node { return &plan.Values{Rows: [][]plan.Expr{{}}} }}, nil
	case *ast.Subquery:
		node, err := b.selectPlan(t.Query, w, nil)
		if err != nil {
			return nil, err
		}
		table := ""
		if t.Alias != nil {
			table = t.Alias.Text
		}
		return scopeOf(node, table, nil), nil
	case *ast.StreamTable:
		table := t.Name.Text
		if t.Alias != nil {
			table = t.Alias.Text
		}
		if found := w.find(t.Name.Text); found != nil {
			return b.fromWith(found, table)
		}
		return b.fromStream(t, table)
	default:
		return nil, event.Errorf(event.CodeInternal, "bind FROM: %T is not a known table", t)
	}
}

// fromWith binds a query of WITH anew where it is named; only the queries before it are visible inside.
func (b *binder) fromWith(w *withs, table string) (*scope, error) {
	node, err := b.selectPlan(w.cte.Query, w.outer, nil)
	if err != nil {
		return nil, err
	}
	if given, has := len(w.cte.Columns), len(node.Columns()); given > has {
		return nil, event.Errorf(event.CodeBadRequest, "query %q has %d columns, but %d names are given", w.cte.Name.Text, has, given).
			At(w.cte.Name.Pos)
	}
	return scopeOf(node, table, w.cte.Columns), nil
}

// scopeOf is the scope of a query's output columns, the first of them renamed.
func scopeOf(node plan.Node, table string, renamed []ast.Name) *scope {
	s := &scope{table: table, node: func() plan.Node { return node }}
	for i, c := range node.Columns() {
		name := c.Name
		if i < len(renamed) {
			name = renamed[i].Text
		}
		s.columns = append(s.columns, scopeColumn{name: name, typ: c.Type})
	}
	return s
}

func (b *binder) fromStream(t *ast.StreamTable, table string) (*scope, error) {
	stream, err := b.stream(t.Name)
	if err != nil {
		return nil, err
	}
	s := &scope{table: table, prune: true}
	for i, c := range stream.Schema.All() {
		hidden := i >= len(stream.Schema.Columns)
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Type, field: c.ID, hidden: hidden})
	}
	s.node = func() plan.Node {
		fields := make([]event.FieldID, len(s.used))
		for at, i := range s.used {
			fields[at] = s.columns[i].field
		}
		return &plan.Scan{Stream: stream.Name, Schema: stream.Schema, Fields: fields}
	}
	return s, nil
}
