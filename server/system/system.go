// Package system makes tables of what a server knows about itself, for SELECT to read like streams.
//
// A Table is a name, columns and a function that writes its rows; whoever knows the facts registers it in Tables before the server
// answers. The rows are written anew for every query that reads the table, when the query begins, and are in memory as a whole: a
// table must be bounded by something other than the data of streams. Tables may be read from any goroutine, and functions of tables
// run in that of the query.
package system

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
)

// Column is one column of a table.
type Column struct {
	Name string
	Type event.Type
	Help string
}

// Table is a table of the server's own.
type Table struct {
	// Name has two parts, as in system.streams.
	Name    string
	Help    string
	Columns []Column
	// Fill writes the rows.
	Fill func(ctx context.Context, rows *Rows) error
}

// Tables are the tables of one server.
type Tables struct {
	tables  map[string]Table
	schemas map[string]*event.Schema
}

// New makes a set without tables.
func New() *Tables {
	return &Tables{tables: map[string]Table{}, schemas: map[string]*event.Schema{}}
}

// Add registers tables. It is called before the first query; a name that is taken is replaced.
func (t *Tables) Add(tables ...Table) {
	for _, table := range tables {
		schema := &event.Schema{Version: 1}
		for i, c := range table.Columns {
			schema.Columns = append(schema.Columns, event.Column{ID: event.FieldID(i + 1), Name: c.Name, Type: c.Type, Since: 1})
		}
		t.tables[table.Name], t.schemas[table.Name] = table, schema
	}
}

// Table finds the columns of a table; server/app gives it to the binder.
func (t *Tables) Table(name string) (*event.Schema, bool) {
	schema, ok := t.schemas[name]
	return schema, ok
}

// Tables lists the names.
func (t *Tables) Tables() []string { return slices.Sorted(maps.Keys(t.tables)) }

// Describe finds a table.
func (t *Tables) Describe(name string) (Table, bool) {
	table, ok := t.tables[name]
	return table, ok
}

// All lists the tables by name.
func (t *Tables) All() []Table {
	var out []Table
	for _, name := range t.Tables() {
		out = append(out, t.tables[name])
	}
	return out
}

// Read writes a table's rows.
func (t *Tables) Read(ctx context.Context, name string) (*Content, error) {
	table, ok := t.tables[name]
	if !ok {
		return nil, event.Errorf(event.CodeNotFound, "there is no table %q", name)
	}
	rows := newRows(table.Columns)
	err := table.Fill(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	content, err := rows.content()
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", name, err)
	}
	return content, nil
}

// Content is the rows of a table at one moment.
type Content struct {
	columns []arrow.Array
	rows    int
}

// Scan gives the rows as one morsel, whatever the ranges: every row is there.
func (c *Content) Scan(request query.ScanRequest) query.Scan {
	if c.rows == 0 {
		return query.Scan{}
	}
	m := &morsel{rows: c.rows}
	for _, id := range request.Columns {
		m.columns = append(m.columns, c.columns[id-1])
	}
	return query.Scan{Morsels: []query.Morsel{m}}
}

// morsel is some columns of a table.
type morsel struct {
	columns []arrow.Array
	rows    int
}

// Rows is the number of rows.
func (m *morsel) Rows() int { return m.rows }

// Bounds are not known.
func (m *morsel) Bounds(int) (arrow.Array, bool) { return nil, false }

// Read hands out the columns wanted, which take no memory of their own.
func (m *morsel) Read(_ context.Context, wanted []bool, _ *event.Buffers) ([]arrow.Array, int64, error) {
	out, bytes := make([]arrow.Array, len(m.columns)), int64(0)
	for i, c := range m.columns {
		if wanted == nil || wanted[i] {
			out[i] = c
			bytes += event.ArrayBytes(c)
		}
	}
	return out, bytes, nil
}
