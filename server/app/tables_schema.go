package app

import (
	"context"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/system"
)

// catalogName is the one catalog that information_schema knows.
const catalogName = "tidemark"

// eachTable hands over every table there is by its schema: streams are in public.
func (a *App) eachTable(take func(schema, name, kind string, columns []event.Column)) {
	for _, d := range a.catalog.Streams() {
		take("public", d.Name, "BASE TABLE", d.Schema.Columns)
	}
	for _, full := range a.tables.Tables() {
		schema, name, _ := strings.Cut(full, ".")
		columns, _ := a.tables.Table(full)
		take(schema, name, "SYSTEM VIEW", columns.Columns)
	}
}

func (a *App) schemaTables() system.Table {
	return system.Table{
		Name: "information_schema.tables", Help: "Streams and system tables, as the SQL standard lists tables.",
		Columns: []system.Column{
			{Name: "table_catalog", Type: system.Text, Help: "tidemark."},
			{Name: "table_schema", Type: system.Text, Help: "public for streams, else what stands before the dot."},
			{Name: "table_name", Type: system.Text, Help: "The table."},
			{Name: "table_type", Type: system.Text, Help: "BASE TABLE for streams, else SYSTEM VIEW."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			a.eachTable(func(schema, name, kind string, _ []event.Column) {
				rows.Text(catalogName)
				rows.Text(schema)
				rows.Text(name)
				rows.Text(kind)
			})
			return nil
		},
	}
}

func (a *App) schemaColumns() system.Table {
	return system.Table{
		Name: "information_schema.columns", Help: "Their columns, as the SQL standard lists columns.",
		Columns: []system.Column{
			{Name: "table_catalog", Type: system.Text, Help: "tidemark."},
			{Name: "table_schema", Type: system.Text, Help: "As in information_schema.tables."},
			{Name: "table_name", Type: system.Text, Help: "The table."},
			{Name: "column_name", Type: system.Text, Help: "The column."},
			{Name: "ordinal_position", Type: system.BigInt, Help: "Where it stands, from 1."},
			{Name: "is_nullable", Type: system.Text, Help: "YES or NO."},
			{Name: "data_type", Type: system.Text, Help: "Its type."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			a.eachTable(func(schema, name, _ string, columns []event.Column) {
				for i, c := range columns {
					rows.Text(catalogName)
					rows.Text(schema)
					rows.Text(name)
					rows.Text(c.Name)
					rows.BigInt(int64(i + 1))
					rows.Text(yesNo(!c.NotNull))
					rows.Text(c.Shown().String())
				}
			})
			return nil
		},
	}
}

func yesNo(v bool) string {
	if v {
		return "YES"
	}
	return "NO"
}
