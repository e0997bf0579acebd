package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/minio/simdjson-go"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// ours is the name of the server's decoder.
const ours = "tidemark"

// decoder is the one of the server, which also checks what it takes, and says which rows have no value.
type decoder struct {
	fields []field
	schema *event.Schema
	places []int // by field: the column of the schema
}

// readersOf gives all readers, ours first.
func readersOf(s *shape, first []byte) ([]reader, error) {
	schema, err := decode.Infer(first, "")
	if err != nil {
		return nil, err
	}
	d := &decoder{fields: s.fields(), schema: schema}
	for _, f := range d.fields {
		at := slices.IndexFunc(schema.Columns, func(c event.Column) bool { return c.Name == f.name })
		if at < 0 {
			return nil, fmt.Errorf("the schema lacks %s", f.name)
		}
		d.places = append(d.places, at)
	}
	out := append([]reader{d}, fillers(s)...)
	out = append(out, &fastReader{table: newTable(s)}, &callbackReader{table: newTable(s)})
	if simdjson.SupportedCPU() {
		out = append(out, &simdReader{table: newTable(s)})
	}
	return out, nil
}

func (*decoder) name() string { return ours }

var errRows = errors.New("not all rows were accepted")

func (d *decoder) read(chunk []byte) (columns, error) {
	rows, err := decode.NDJSON(chunk, d.schema, decode.Options{Mode: catalog.Evolve})
	if err != nil {
		return nil, err
	}
	if rows.Drift || len(rows.Rejected) > 0 {
		return nil, errRows
	}
	out := make(columns, len(d.fields))
	for i, place := range d.places {
		out[i] = view(rows.Columns[place])
	}
	return out, nil
}

// view gives the memory of an array. What has no value is a zero there.
func view(values arrow.Array) column {
	out := column{rows: values.Len()}
	switch a := values.(type) {
	case *array.Int64:
		out.ints = a.Int64Values()
	case *array.Timestamp:
		out.ints = arrow.GetData[int64](arrow.GetBytes(a.TimestampValues()))
	case *array.Float64:
		out.floats = a.Float64Values()
	case *array.Boolean:
		out.bools = make([]bool, a.Len())
		for i := range out.bools {
			out.bools[i] = a.Value(i)
		}
	case *array.Dictionary:
		out.coded = a
	case *array.String:
		out.ends, out.data = a.ValueOffsets()[1:], a.ValueBytes()
	}
	return out
}
