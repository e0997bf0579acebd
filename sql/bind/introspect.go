package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

const (
	// publicSchema is the schema of streams: public.orders is orders.
	publicSchema = "public"
	systemSchema = "system"
)

// table finds a table that the server keeps of itself by the two parts of its name.
func (b *binder) table(schema, name ast.Name) (full string, columns *event.Schema, err error) {
	full = lowered(schema) + "." + lowered(name)
	if columns, ok := b.catalog.SystemTable(full); ok {
		return full, columns, nil
	}
	fault := event.Errorf(event.CodeNotFound, "there is no table %q", schema.Text+"."+name.Text).At(schema.Pos)
	return "", nil, suggest(fault, full, append(b.catalog.SystemTables(), b.catalog.Tables()...))
}

// lowered is a name as catalogs spell it: in lower case unless it was quoted.
func lowered(n ast.Name) string {
	if n.Quoted {
		return n.Text
	}
	return strings.ToLower(n.Text)
}

// fromTable makes the scope of a table that the server keeps of itself. It has no hidden columns.
func (b *binder) fromTable(t *ast.StreamTable, table *ast.Name) (*scope, error) {
	if lowered(*t.Schema) == publicSchema {
		return b.fromStream(t, table)
	}
	full, schema, err := b.table(*t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	s := &scope{prune: true}
	for _, c := range schema.Columns {
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Type, field: c.ID})
	}
	s.node = func() plan.Node { return s.scan(full, schema) }
	return s.named(table), nil
}

// show is a query for all of a system table. SHOW TABLES is for those who come from elsewhere.
func (b *binder) show(s *ast.ShowTable) (Bound, error) {
	name := systemSchema + "." + lowered(s.What)
	if strings.EqualFold(s.What.Text, "tables") {
		name = "information_schema.tables"
	}
	schema, ok := b.catalog.SystemTable(name)
	if !ok {
		known := []string{"streams", "tables"}
		for _, t := range b.catalog.SystemTables() {
			if short, ok := strings.CutPrefix(t, systemSchema+"."); ok {
				known = append(known, short)
			}
		}
		fault := event.Errorf(event.CodeNotFound, "there is no system table %q to show", s.What.Text).At(s.What.Pos).
			WithHint("SHOW TABLES lists all tables")
		return nil, suggest(fault, s.What.Text, known)
	}
	fields := make([]event.FieldID, len(schema.Columns))
	for i, c := range schema.Columns {
		fields[i] = c.ID
	}
	return Query{Plan: &plan.Scan{Stream: name, Schema: schema, Fields: fields}}, nil
}

func (b *binder) describe(s *ast.Describe) (Bound, error) {
	if s.Query != nil {
		q, err := b.query(s.Query)
		if err != nil {
			return nil, err
		}
		return DescribeQuery{Columns: q.Plan.Columns()}, nil
	}
	if s.Schema != nil && lowered(*s.Schema) != publicSchema {
		name, _, err := b.table(*s.Schema, s.Stream)
		return DescribeTable{Name: name}, err
	}
	if view, ok := b.plainView(s.Stream); ok {
		sc, err := b.fromPlainView(view, s.Stream.Pos, &s.Stream)
		if err != nil {
			return nil, err
		}
		return DescribeQuery{Columns: sc.node().Columns()}, nil
	}
	if view, ok := b.view(s.Stream); ok {
		return DescribeView{View: view}, nil
	}
	stream, err := b.stream(s.Stream)
	return Describe{Stream: stream}, err
}

func (b *binder) killQuery(s *ast.KillQuery) (Bound, error) {
	a, err := b.constants("KILL QUERY").argument(s.ID)
	if err != nil {
		return nil, err
	}
	id, ok := literalText(a.expr)
	if !ok {
		return nil, event.Errorf(event.CodeBadRequest, "KILL QUERY takes the id of a query as a string").At(a.pos).
			WithHint("SHOW QUERIES lists the ids")
	}
	return KillQuery{ID: id}, nil
}
