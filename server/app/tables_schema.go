package app

import (
	"context"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/system"
)

const (
	// catalogName is the one catalog that information_schema knows.
	catalogName = "tidemark"
	// publicSchema is that of streams and views.
	publicSchema = "public"
)

// eachTable hands over every table there is by its schema: streams and views are in public.
func (a *App) eachTable(take func(schema, name, kind string, columns []event.Column)) {
	for _, d := range a.catalog.Streams() {
		take(publicSchema, d.Name, "BASE TABLE", d.Schema.Columns)
	}
	for _, v := range a.catalog.Views() {
		if v.Ready && !v.Hidden {
			take(publicSchema, v.Name, "VIEW", v.Schema.Columns[:v.Visible])
		}
	}
	for _, v := range a.catalog.PlainViews() {
		take(publicSchema, v.Name, "VIEW", a.plainColumns(v))
	}
	for _, full := range a.tables.Tables() {
		schema, name, _ := strings.Cut(full, ".")
		columns, _ := a.tables.Table(full)
		take(schema, name, "SYSTEM VIEW", columns.Columns)
	}
}

// schemaTable makes a table of information_schema. Its columns are those given and then, as the standard has them and clients ask for them, others
// that are NULL here.
func schemaTable(name, help string, columns []system.Column, absent string, fill func(row *schemaRows)) system.Table {
	missing := strings.Fields(absent)
	for _, other := range missing {
		columns = append(columns, system.Column{Name: other, Type: system.Text, Help: "NULL."})
	}
	return system.Table{
		Name: "information_schema." + name, Help: help, Columns: columns,
		Fill: func(_ context.Context, rows *system.Rows) error {
			if fill != nil {
				fill(&schemaRows{rows: rows, missing: len(missing)})
			}
			return nil
		},
	}
}

// schemaRows writes rows of such a table.
type schemaRows struct {
	rows    *system.Rows
	missing int
}

// add writes a row of strings, int64s and NULLs, which are nil.
func (r *schemaRows) add(values ...any) {
	for _, value := range values {
		switch v := value.(type) {
		case string:
			r.rows.Text(v)
		case int64:
			r.rows.BigInt(v)
		default:
			r.rows.Null()
		}
	}
	for range r.missing {
		r.rows.Null()
	}
}

// tableColumns name a table.
func tableColumns() []system.Column {
	return []system.Column{
		{Name: "table_catalog", Type: system.Text, Help: "tidemark."},
		{Name: "table_schema", Type: system.Text, Help: "public for streams and views, else what stands before the dot."},
		{Name: "table_name", Type: system.Text, Help: "The table."},
	}
}

func (a *App) schemaTables() system.Table {
	columns := append(tableColumns(),
		system.Column{Name: "table_type", Type: system.Text, Help: "BASE TABLE for streams, VIEW for materialized views, else SYSTEM VIEW."},
		system.Column{Name: "is_insertable_into", Type: system.Text, Help: "YES for streams, else NO."},
		system.Column{Name: "is_typed", Type: system.Text, Help: "NO."})
	absent := `self_referencing_column_name reference_generation user_defined_type_catalog user_defined_type_schema user_defined_type_name commit_action`
	return schemaTable("tables", "Streams, views and system tables, as the SQL standard lists tables.", columns, absent, func(rows *schemaRows) {
		a.eachTable(func(schema, name, kind string, _ []event.Column) {
			rows.add(catalogName, schema, name, kind, yesNo(kind == "BASE TABLE"), "NO")
		})
	})
}

func (a *App) schemaColumns() system.Table {
	columns := append(tableColumns(),
		system.Column{Name: "column_name", Type: system.Text, Help: "The column."},
		system.Column{Name: "ordinal_position", Type: system.BigInt, Help: "Where it stands, from 1."},
		system.Column{Name: "is_nullable", Type: system.Text, Help: "YES or NO."},
		system.Column{Name: "data_type", Type: system.Text, Help: "Its type."},
		system.Column{Name: "numeric_precision", Type: system.BigInt, Help: "Of numbers, how many digits they have."},
		system.Column{Name: "numeric_precision_radix", Type: system.BigInt, Help: "2 where these are binary digits, 10 for NUMERIC."},
		system.Column{Name: "numeric_scale", Type: system.BigInt, Help: "Of whole numbers and NUMERIC, how many digits stand behind the point."},
		system.Column{Name: "datetime_precision", Type: system.BigInt, Help: "Of times and intervals, how many digits stand behind the second; 0 for DATE."},
		system.Column{Name: "is_identity", Type: system.Text, Help: "NO."},
		system.Column{Name: "is_generated", Type: system.Text, Help: "NEVER."},
		system.Column{Name: "is_updatable", Type: system.Text, Help: "NO."})
	absent := `column_default character_maximum_length character_octet_length interval_type interval_precision character_set_catalog
		character_set_schema character_set_name collation_catalog collation_schema collation_name domain_catalog domain_schema domain_name
		udt_catalog udt_schema udt_name maximum_cardinality identity_generation identity_start identity_increment identity_maximum
		identity_minimum generation_expression`
	return schemaTable("columns", "Their columns, as the SQL standard lists columns.", columns, absent, func(rows *schemaRows) {
		a.eachTable(func(schema, name, _ string, columns []event.Column) {
			for i, c := range columns {
				digits, radix, scale, seconds := measures(c.Type)
				rows.add(catalogName, schema, name, c.Name, int64(i+1), yesNo(!c.NotNull), c.Shown().String(),
					digits, radix, scale, seconds, "NO", "NEVER", "NO")
			}
		})
	})
}

// measures are what the standard says of a type: the digits of numbers with their base and how many stand behind the point, and the digits behind
// a second. What a type does not have is nil.
func measures(t event.Type) (digits, radix, scale, seconds any) {
	const binary, decimal = int64(2), int64(10)
	switch t.Kind {
	case event.SmallInt:
		return int64(16), binary, int64(0), nil
	case event.Integer:
		return int64(32), binary, int64(0), nil
	case event.BigInt:
		return int64(64), binary, int64(0), nil
	case event.Real:
		return int64(24), binary, nil, nil
	case event.Double:
		return int64(53), binary, nil, nil
	case event.Numeric:
		return int64(t.Precision), decimal, int64(t.Scale), nil
	case event.TimestampTZ, event.Time, event.Interval:
		return nil, nil, nil, int64(6)
	case event.Date:
		return nil, nil, nil, int64(0)
	default:
		return nil, nil, nil, nil
	}
}

func (a *App) schemaSchemata() system.Table {
	columns := []system.Column{
		{Name: "catalog_name", Type: system.Text, Help: "tidemark."},
		{Name: "schema_name", Type: system.Text, Help: "public, system or information_schema."},
		{Name: "schema_owner", Type: system.Text, Help: "tidemark."},
	}
	absent := "default_character_set_catalog default_character_set_schema default_character_set_name sql_path"
	return schemaTable("schemata", "What can stand before the dot.", columns, absent, func(rows *schemaRows) {
		names := []string{publicSchema}
		a.eachTable(func(schema, _, _ string, _ []event.Column) {
			if !slices.Contains(names, schema) {
				names = append(names, schema)
			}
		})
		for _, name := range names {
			rows.add(catalogName, name, catalogName)
		}
	})
}

func (a *App) schemaViews() system.Table {
	columns := append(tableColumns(),
		system.Column{Name: "view_definition", Type: system.Text, Help: "The statement that made it."},
		system.Column{Name: "check_option", Type: system.Text, Help: "NONE."},
		system.Column{Name: "is_updatable", Type: system.Text, Help: "NO."},
		system.Column{Name: "is_insertable_into", Type: system.Text, Help: "NO."})
	absent := "is_trigger_updatable is_trigger_deletable is_trigger_insertable_into"
	return schemaTable("views", "Views, as the SQL standard lists them.", columns, absent, func(rows *schemaRows) {
		for _, v := range a.catalog.Views() {
			if v.Ready && !v.Hidden {
				rows.add(catalogName, publicSchema, v.Name, v.SQL, "NONE", "NO", "NO")
			}
		}
		for _, v := range a.catalog.PlainViews() {
			rows.add(catalogName, publicSchema, v.Name, plainDefinition(v), "NONE", "NO", "NO")
		}
	})
}

// schemaConstraints are the tables of constraints, of which there are none.
func schemaConstraints() []system.Table {
	constraint := "constraint_catalog constraint_schema constraint_name "
	table := "table_catalog table_schema table_name "
	none := func(name, columns string) system.Table {
		return schemaTable(name, "Empty: streams have no constraints but NOT NULL.", nil, columns, nil)
	}
	return []system.Table{
		none("table_constraints", constraint+table+"constraint_type is_deferrable initially_deferred enforced nulls_distinct"),
		none("key_column_usage", constraint+table+"column_name ordinal_position position_in_unique_constraint"),
		none("referential_constraints",
			constraint+"unique_constraint_catalog unique_constraint_schema unique_constraint_name match_option update_rule delete_rule"),
		none("constraint_column_usage", table+"column_name "+constraint),
		none("check_constraints", constraint+"check_clause"),
	}
}

func yesNo(v bool) string {
	if v {
		return "YES"
	}
	return "NO"
}
