package bind

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// CreatePlainView is a view, not materialized, to be made.
type CreatePlainView struct {
	Definition             catalog.PlainView
	OrReplace, IfNotExists bool
}

// DropPlainView is a view, not materialized, to be removed. With IfExists it may be gone already.
type DropPlainView struct {
	Name     string
	IfExists bool
}

func (CreatePlainView) bound() {}
func (DropPlainView) bound()   {}

// plainViews are the views that are not materialized as the statement has met them.
type plainViews struct {
	// open are those around what is being bound, the outermost first.
	open []string
	// met has the queries of all of them.
	met map[string]string
}

// plainView finds a view that is not materialized by the name written, as stream does.
func (b *binder) plainView(n ast.Name) (*catalog.PlainView, bool) {
	if v, ok := b.catalog.PlainView(n.Text); ok || n.Quoted {
		return v, ok
	}
	return b.catalog.PlainView(strings.ToLower(n.Text))
}

// createPlainView binds the query, so that what it gets wrong is told now. Its text is kept, and bound again wherever the view is read.
func (b *binder) createPlainView(s *ast.CreatePlainView) (Bound, error) {
	name, err := streamName(s.Name)
	if err != nil {
		return nil, err
	}
	b.params = Params{} // a view outlives the request
	node, err := b.selectPlan(s.Query, nil, nil)
	if err != nil {
		return nil, err
	}
	if _, reads := b.plain.met[name]; reads {
		return nil, event.Errorf(event.CodeBadRequest, "view %q would read itself", name).At(s.Name.Pos)
	}
	query := s.Query
	if names := numberedNames(query, node.Columns()); names != nil {
		query = query.Renamed(names)
	} else if err := oneNameEach(node.Columns(), query.Pos); err != nil {
		return nil, err
	}
	definition := catalog.PlainView{Name: name, Query: query.String()}
	return CreatePlainView{Definition: definition, OrReplace: s.OrReplace, IfNotExists: s.IfNotExists}, nil
}

// oneNameEach refuses a query of which two columns have the same name: nobody could ask for either.
func oneNameEach(columns []plan.Column, pos event.Position) error {
	for i, c := range columns {
		if slices.ContainsFunc(columns[:i], func(o plan.Column) bool { return o.Name == c.Name }) {
			return event.Errorf(event.CodeBadRequest, "the query has two columns %q", c.Name).At(pos).WithHint("give one another name with AS")
		}
	}
	return nil
}

func (b *binder) dropPlainView(s *ast.DropPlainView) (Bound, error) {
	if v, ok := b.plainView(s.Name); ok {
		return DropPlainView{Name: v.Name, IfExists: s.IfExists}, nil
	}
	if v, ok := b.view(s.Name); ok {
		return nil, event.Errorf(event.CodeBadRequest, "%q is a materialized view", v.Name).At(s.Name.Pos).WithHint("write DROP MATERIALIZED VIEW")
	}
	if s.IfExists {
		return DropPlainView{Name: strings.ToLower(s.Name.Text), IfExists: true}, nil
	}
	err := event.Errorf(event.CodeNotFound, "there is no view %q", s.Name.Text).At(s.Name.Pos)
	return nil, suggest(err, s.Name.Text, b.catalog.Tables())
}

// fromPlainView binds the query of a view where the view is named. The query sees nothing of what is around it: no row, no query of WITH,
// no parameter.
func (b *binder) fromPlainView(v *catalog.PlainView, at event.Position, table *ast.Name) (*scope, error) {
	if slices.Contains(b.plain.open, v.Name) {
		return nil, event.Errorf(event.CodeBadRequest, "view %q reads itself, by way of %s", v.Name, strings.Join(b.plain.open, ", ")).At(at)
	}
	statements, err := parser.Parse(v.Query)
	if err != nil {
		return nil, inView(err, v.Name, at)
	}
	query, ok := statements[0].(*ast.Select)
	if !ok {
		return nil, event.Errorf(event.CodeCorrupt, "the definition of view %q is another statement", v.Name).At(at)
	}
	if b.plain.met == nil {
		b.plain.met = map[string]string{}
	}
	b.plain.met[v.Name] = v.Query
	outer, params := b.outer, b.params
	b.outer, b.params, b.plain.open = nil, Params{}, append(b.plain.open, v.Name)
	node, err := b.selectPlan(query, nil, nil)
	b.outer, b.params, b.plain.open = outer, params, b.plain.open[:len(b.plain.open)-1]
	if err != nil {
		return nil, inView(err, v.Name, at)
	}
	return b.scopeOf(node, table), nil
}

// inView says of an error in the query of a view where the statement names that view: places in the view's text would be taken for such in the
// statement's.
func inView(err error, name string, at event.Position) error {
	var fault *event.Error
	if !errors.As(err, &fault) {
		return fmt.Errorf("view %s: %w", name, err)
	}
	out := fault.At(at)
	out.Detail = fmt.Sprintf("view %q: %s", name, fault.Detail)
	return out
}
