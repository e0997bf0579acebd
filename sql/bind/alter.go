package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// AlterStream changes the definition of a stream that is there.
type AlterStream struct {
	Name   string
	Change catalog.Change
}

func (AlterStream) bound() {}

// alterStream reads what is to change. Whether a column is there already is decided when the change is made: rows that come meanwhile may
// add it too.
func (b *binder) alterStream(s *ast.AlterStream) (Bound, error) {
	stream, err := b.stream(s.Name)
	if err != nil {
		return nil, err
	}
	out := AlterStream{Name: stream.Name}
	for _, a := range s.Add {
		add, err := bindAddColumn(a)
		if err != nil {
			return nil, err
		}
		out.Change.Add = append(out.Change.Add, add)
	}
	altered := *stream
	if err := b.bindOptions(s.Options, &altered); err != nil {
		return nil, err
	}
	for _, o := range s.Options {
		switch strings.ToLower(o.Name.Text) {
		case "retention":
			out.Change.Retention = &altered.Retention
		case "log_retention":
			out.Change.LogRetention = &altered.LogRetention
		case "log_retention_size":
			out.Change.LogRetentionBytes = &altered.LogRetentionBytes
		case "schema":
			out.Change.SchemaMode = &altered.SchemaMode
		case "sort":
			out.Change.SortBy = &altered.SortBy
		}
	}
	return out, nil
}

func bindAddColumn(a ast.AddColumn) (catalog.AddColumn, error) {
	c := a.Column
	out := catalog.AddColumn{Name: c.Name.Text, IfNotExists: a.IfNotExists}
	if c.NotNull {
		return out, event.Errorf(event.CodeBadRequest, "a column that is added cannot be NOT NULL: earlier rows have no value for it").At(c.Name.Pos)
	}
	if err := notHidden(c.Name); err != nil {
		return out, err
	}
	var err error
	out.Type, err = storedType(c.Type)
	return out, err
}

// notHidden refuses the names of columns that every stream has.
func notHidden(n ast.Name) error {
	for _, hidden := range event.Hidden {
		if strings.EqualFold(hidden.Name, n.Text) {
			return event.Errorf(event.CodeBadRequest, "every stream already has a hidden column %q", hidden.Name).At(n.Pos)
		}
	}
	return nil
}
