package app

import (
	"errors"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/sql/ast"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// plainState is what lists of views say of one that is not materialized.
const plainState = "query"

func (r *runner) createPlainView(b bind.CreatePlainView) (api.Rows, error) {
	err := r.app.catalog.CreatePlainView(b.Definition, b.OrReplace)
	var fault *event.Error
	if b.IfNotExists && errors.As(err, &fault) && fault.Code == event.CodeAlreadyExists {
		return message("view " + b.Definition.Name + " exists already"), nil
	}
	if err != nil {
		return nil, err
	}
	return message("view " + b.Definition.Name + " created"), nil
}

func (r *runner) dropPlainView(b bind.DropPlainView) (api.Rows, error) {
	err := r.app.catalog.DropPlainView(b.Name)
	var fault *event.Error
	if b.IfExists && errors.As(err, &fault) && fault.Code == event.CodeNotFound {
		return message("there is no view " + b.Name), nil
	}
	if err != nil {
		return nil, err
	}
	return message("view " + b.Name + " dropped"), nil
}

// plainDefinition is the statement that makes a view that is not materialized.
func plainDefinition(v *catalog.PlainView) string {
	return "CREATE VIEW " + ast.Name{Text: v.Name, Quoted: true}.String() + " AS " + v.Query
}

// plainColumns are the columns of a view that is not materialized; none where what it reads is not there any more.
func (a *App) plainColumns(v *catalog.PlainView) []event.Column {
	bound, err := bind.Bind(&ast.Describe{Stream: ast.Name{Text: v.Name, Quoted: true}}, names{a.catalog, a.tables}, bind.Params{})
	described, ok := bound.(bind.DescribeQuery)
	if err != nil || !ok {
		return nil
	}
	var out []event.Column
	for _, c := range described.Columns {
		column := event.Column{Name: c.Name}
		column.Declare(c.Type)
		out = append(out, column)
	}
	return out
}
