// Package columnar turns Arrow record batches, which Arrow and Parquet bodies come as, into chunks of rows: typed columns as they are stored.
//
// What always holds: values are copied, so nothing keeps a body's memory; what a chunk takes is bounded
// however much a batch expands (dictionaries, runs); a value that cannot be stored refuses its row and no other. A batch from outside may be
// inconsistent in itself: callers guard against panics, which is all that can come of it. A Converter is used by one goroutine.
package columnar

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// chunkRows is how many rows a chunk has at most: more than of lines of JSON, for a row of columns costs less.
	chunkRows = 4096
	// chunkValues is how many values a chunk has at most, unless one row has more: most of a wide row may be NULL and still takes its place.
	chunkValues = 1 << 20
	// splitBytes is how much the values of one column of a chunk may take before fewer rows are tried.
	splitBytes = 8 << 20
	// maxNesting bounds the depth of types, as the depth of a row is; a map counts twice.
	maxNesting = 30
)

// Plan is how batches of a schema are converted. That of a schema with dictionaries or runs keeps what it has converted of those, and so serves one
// Converter; any other serves as many as there are.
type Plan struct {
	columns []column
	fields  []decode.Field
	types   []event.Type // of the values, where they are stored as another type than their column's
}

// Converter converts batches of one schema.
type Converter struct {
	*Plan
	// left is how many bytes of rows may still be made.
	left int64
	// given is set where batches are the converter's to keep.
	given bool
}

// Keep lets chunks share the memory of batches, which must then be of no other use, nor parts of larger ones.
func (c *Converter) Keep() { c.given = true }

// Allow lets the converter make more rows.
func (c *Converter) Allow(bytes int64) { c.left += bytes }

// column converts the values of one column.
type column struct {
	at    int // among the batch's columns
	field decode.Field
	// convert gives the values as the field's type has them in memory.
	convert func(*part, arrow.Array) (arrow.Array, error)
}

// part is the conversion of some rows.
type part struct {
	rows    int
	refused map[int]string // reasons by row
	column  string
	// whole is set where fewer rows would not help.
	whole bool
	// given is set where the values are not a body's, but were made for the chunk.
	given bool
}

// errSplit asks for fewer rows at a time.
var errSplit = errors.New("too many bytes for one chunk")

// refuse notes why a row cannot be stored; the first reason stays.
func (p *part) refuse(row int, format string, args ...any) {
	p.refuseFor(row, fmt.Sprintf("field %q: ", p.column)+fmt.Sprintf(format, args...))
}

func (p *part) refuseFor(row int, reason string) {
	if p.refused == nil {
		p.refused = map[int]string{}
	}
	if _, known := p.refused[row]; !known {
		p.refused[row] = reason
	}
}

// New makes a converter, which gives up once it has made limit bytes of rows: small batches can stand for very many rows.
func New(schema *arrow.Schema, limit int64) (*Converter, error) {
	p, err := NewPlan(schema)
	if err != nil {
		return nil, err
	}
	return p.Converter(limit), nil
}

// Converter is New for the plan's schema.
func (p *Plan) Converter(limit int64) *Converter { return &Converter{Plan: p, left: limit} }

// NewPlan chooses how the columns of a schema are converted.
func NewPlan(schema *arrow.Schema) (*Plan, error) {
	if schema.NumFields() > decode.MaxMembers {
		return nil, event.Errorf(event.CodeTooLarge, "the schema has %d columns, more than %d", schema.NumFields(), decode.MaxMembers)
	}
	p := &Plan{}
	seen := map[string]bool{}
	for i, f := range schema.Fields() {
		reason := decode.CheckName(f.Name)
		switch {
		case !utf8.ValidString(f.Name):
			reason = "its name is not valid UTF-8"
		case reason == "" && seen[f.Name]:
			reason = fmt.Sprintf("the name %q occurs twice", f.Name)
		}
		if reason != "" {
			return nil, event.Errorf(event.CodeBadRequest, "column %d: %s", i+1, reason)
		}
		seen[f.Name] = true
		t, convert, err := conversion(f.Type, extension(f))
		if err != nil {
			return nil, event.Errorf(event.CodeNotSupported, "column %q: %v", f.Name, err)
		}
		if convert == nil { // a column of the type null says nothing
			continue
		}
		field := decode.Field{Name: f.Name, Type: t}
		p.columns = append(p.columns, column{at: i, field: field, convert: convert})
		p.fields = append(p.fields, field)
		p.types = append(p.types, event.StoredAs(t))
	}
	return p, nil
}

// extension is the name of the extension type that a field says it has.
func extension(f arrow.Field) string {
	if x, ok := f.Type.(arrow.ExtensionType); ok {
		return x.ExtensionName()
	}
	name, _ := f.Metadata.GetValue("ARROW:extension:name")
	return name
}

// Convert gives the batch's rows from a row on as a chunk, and how many that are.
func (c *Converter) Convert(batch arrow.RecordBatch, from int64) (*decode.Chunk, int64, error) {
	n := min(batch.NumRows()-from, chunkRows, max(1, chunkValues/int64(max(1, len(c.columns)))))
	for {
		chunk, err := c.slice(batch, from, n)
		if errors.Is(err, errSplit) && n > 1 {
			n = (n + 1) / 2
			continue
		}
		if err == nil {
			c.left -= int64(chunk.Bytes())
		}
		if err == nil && c.left < 0 {
			err = event.Errorf(event.CodeTooLarge, "the body stands for out of all proportion more rows than its bytes").
				WithHint("send it in parts")
		}
		return chunk, n, err
	}
}

// slice converts rows.
func (c *Converter) slice(batch arrow.RecordBatch, from, n int64) (*decode.Chunk, error) {
	p := &part{rows: int(n), given: c.given && n == batch.NumRows()}
	columns := make([]arrow.Array, len(c.columns))
	for i := range c.columns {
		column := &c.columns[i]
		p.column = column.field.Name
		converted, err := column.rows(p, batch.Column(column.at), from)
		if err != nil {
			return nil, err
		}
		columns[i] = converted
	}
	chunk := &decode.Chunk{Fields: c.fields, Types: c.types, Columns: columns, Rows: p.rows}
	if len(p.refused) > 0 {
		p.setAside(chunk)
	}
	return chunk, nil
}

// rows converts those of a part, which begins at a row.
func (c *column) rows(p *part, values arrow.Array, from int64) (arrow.Array, error) {
	if values.Len() == p.rows { // all of them
		return c.convert(p, values)
	}
	slice := array.NewSlice(values, from, from+int64(p.rows))
	defer slice.Release()
	return c.convert(p, slice)
}

// setAside takes the refused rows out of the chunk.
func (p *part) setAside(chunk *decode.Chunk) {
	kept, refused := make([]int32, 0, p.rows), make([]int32, 0, len(p.refused))
	for row := range int32(p.rows) {
		if _, bad := p.refused[int(row)]; bad {
			refused = append(refused, row)
		} else {
			kept = append(kept, row)
		}
	}
	rejected := &decode.Chunk{Fields: chunk.Fields, Types: chunk.Types, Columns: take(chunk.Columns, refused), Rows: len(refused)}
	for i, text := range rejected.RowTexts() {
		row := int(refused[i])
		chunk.Refused = append(chunk.Refused, decode.Rejected{Line: row, Reason: p.refused[row], Raw: text})
	}
	chunk.Columns, chunk.Rows = take(chunk.Columns, kept), len(kept)
}

// take gathers rows of all columns.
func take(columns []arrow.Array, rows []int32) []arrow.Array {
	out := make([]arrow.Array, len(columns))
	for i, values := range columns {
		out[i] = event.Take(values, rows)
	}
	return out
}
