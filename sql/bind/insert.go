package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

func (b *binder) insert(s *ast.Insert) (Bound, error) {
	stream, err := b.stream(s.Stream)
	if err != nil {
		return nil, err
	}
	targets, err := insertTargets(stream, s)
	if err != nil {
		return nil, err
	}
	var rows plan.Node
	if s.Query != nil {
		rows, targets, err = b.insertQuery(s, targets)
	} else {
		rows, targets, err = b.insertValues(s, targets)
	}
	if err != nil {
		return nil, err
	}
	if err := checkNotNull(stream, targets, s.Stream.Pos); err != nil {
		return nil, err
	}
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.Name
	}
	return Insert{Plan: &plan.Insert{Input: rows, Stream: stream.Name, Names: names}, Late: b.lateJoins}, nil
}

// insertTargets are the columns listed, or all of the stream's own.
func insertTargets(stream *catalog.Stream, s *ast.Insert) ([]event.Column, error) {
	if len(s.Columns) == 0 {
		return stream.Schema.Columns, nil
	}
	own := scope{}
	for _, c := range stream.Schema.Columns {
		own.columns = append(own.columns, scopeColumn{name: c.Name})
	}
	var out []event.Column
	seen := map[int]bool{}
	for _, n := range s.Columns {
		i, matches := own.find(n.Text)
		switch {
		case len(matches) != 1:
			if strings.HasPrefix(n.Text, "_") {
				return nil, event.Errorf(event.CodeUnknownColumn, "column %q cannot be written", n.Text).At(n.Pos)
			}
			return nil, own.missing(n, matches)
		case seen[i]:
			return nil, event.Errorf(event.CodeBadRequest, "column %q is listed twice", n.Text).At(n.Pos)
		}
		seen[i] = true
		out = append(out, stream.Schema.Columns[i])
	}
	return out, nil
}

// fit cuts the targets to the number of values given. Without a list of columns the last ones may be left out.
func fit(s *ast.Insert, targets []event.Column, given int, pos event.Position) ([]event.Column, error) {
	if given > len(targets) || (given < len(targets) && len(s.Columns) > 0) {
		return nil, event.Errorf(event.CodeBadRequest, "there are %d values for %d columns", given, len(targets)).At(pos)
	}
	return targets[:given], nil
}

func (b *binder) insertQuery(s *ast.Insert, targets []event.Column) (plan.Node, []event.Column, error) {
	types := make([]event.Type, len(targets))
	for i, t := range targets {
		types[i] = t.Shown()
	}
	node, err := b.selectPlan(s.Query, nil, types)
	if err != nil {
		return nil, nil, err
	}
	columns := node.Columns()
	if targets, err = fit(s, targets, len(columns), s.Query.Pos); err != nil {
		return nil, nil, err
	}
	p := &plan.Project{Input: node}
	changed := false
	for i, t := range targets {
		e, err := assign(argument{columnOf(columns, i), s.Query.Pos}, t)
		if err != nil {
			return nil, nil, err
		}
		changed = changed || !columns[i].Type.Equal(t.Type)
		p.Exprs, p.Names = append(p.Exprs, e), append(p.Names, t.Name)
	}
	if changed {
		node = p
	}
	return node, targets, nil
}

func (b *binder) insertValues(s *ast.Insert, targets []event.Column) (plan.Node, []event.Column, error) {
	targets, err := fit(s, targets, len(s.Rows[0]), s.Rows[0][0].Position())
	if err != nil {
		return nil, nil, err
	}
	values := &plan.Values{}
	for _, t := range targets {
		values.Cols = append(values.Cols, plan.Column{Name: t.Name, Type: t.Type})
	}
	x := b.constants("VALUES")
	x.queries = true
	for _, row := range s.Rows {
		if len(row) != len(targets) {
			return nil, nil, event.Errorf(event.CodeBadRequest, "this row has %d values and the first %d", len(row), len(targets)).
				At(row[0].Position())
		}
		args, err := x.arguments(withoutDefaults(row))
		if err != nil {
			return nil, nil, err
		}
		exprs := make([]plan.Expr, len(row))
		for i, a := range args {
			if exprs[i], err = assign(a, targets[i]); err != nil {
				return nil, nil, err
			}
		}
		values.Rows = append(values.Rows, exprs)
	}
	return withQueries(values), targets, nil
}

// withoutDefaults puts NULL in the place of DEFAULT: columns have no other default.
func withoutDefaults(row []ast.Expr) []ast.Expr {
	out := slices.Clone(row)
	for i, e := range row {
		if name, ok := bareName(e); ok && !name.Quoted && strings.EqualFold(name.Text, "DEFAULT") {
			out[i] = &ast.Null{Pos: name.Pos}
		}
	}
	return out
}

// assign brings a value to the type of its column, and from there to the one that it is stored as.
func assign(a argument, c event.Column) (plan.Expr, error) {
	if c.As != nil {
		declared := c
		declared.Type, declared.As = *c.As, nil
		value, err := assign(a, declared)
		if err != nil {
			return nil, err
		}
		return cast(argument{value, a.pos}, c.Type)
	}
	if isNull(a.expr) && c.NotNull {
		return nil, event.Errorf(event.CodeInvalidValue, "column %q is NOT NULL", c.Name).At(a.pos)
	}
	from := a.typ()
	if assignable(from, c.Type) {
		return cast(a, c.Type) // a value beyond the column's range is an error when it comes
	}
	if _, ok := implicitCost(a.expr, c.Type); !ok && from.Kind != event.Unknown && !isNull(a.expr) {
		return nil, event.Errorf(event.CodeTypeMismatch, "column %q is %s, and the value is %s", c.Name, c.Type, from).At(a.pos).
			WithHint("convert it, as in x::%s", c.Type)
	}
	return coerce(a, c.Type)
}

// assignable reports whether values of a type go into a column of another without a cast: numbers into one of numbers, rounded as a cast
// rounds them, times into one of what they have a part of, everything into TEXT as its text, and arrays where their elements do.
func assignable(from, to event.Type) bool {
	switch {
	case from.Kind == event.Unknown:
		return false
	case to.Kind == event.Text:
		return true
	case from.Kind == event.Array && to.Kind == event.Array:
		return assignable(*from.Elem, *to.Elem)
	case from.Kind == event.TimestampTZ:
		return to.Kind == event.Date || to.Kind == event.Time
	case from.Kind == event.Interval:
		return to.Kind == event.Time
	case from.Kind == event.Time:
		return to.Kind == event.Interval
	default:
		return from.IsNumeric() && to.IsNumeric()
	}
}

// checkNotNull refuses to leave out a column that must have a value.
func checkNotNull(stream *catalog.Stream, targets []event.Column, pos event.Position) error {
	given := map[event.FieldID]bool{}
	for _, t := range targets {
		given[t.ID] = true
	}
	for _, c := range stream.Schema.Columns {
		if c.NotNull && !given[c.ID] {
			return event.Errorf(event.CodeInvalidValue, "column %q is NOT NULL and gets no value", c.Name).At(pos)
		}
	}
	return nil
}
