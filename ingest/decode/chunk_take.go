package decode

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// take gives the chunk's columns under a schema without a look at the texts, or nil where that could give anything else than reading
// them would: a column of another type, a row that is too long, a NULL where none may be.
func (c *Chunk) take(schema *event.Schema, options Options) *Rows {
	if len(c.Fields) > catalog.MaxColumns || !c.shortRows() {
		return nil
	}
	places := names{schema: schema}
	out := &Rows{Columns: make([]arrow.Array, len(schema.Columns)), Count: c.Rows}
	for i, f := range c.Fields {
		at, known := places.find(f.Name)
		switch {
		case known && schema.Columns[at].ID == schema.Overflow, // it takes objects apart
			known && schema.Columns[at].As != nil && !schema.Columns[at].As.Equal(f.Type): // its values are checked one by one, unless they were made of that type
			return nil
		case known && schema.Columns[at].Type.Equal(c.typeOf(i)):
			out.Columns[at] = c.Columns[i]
		case known || c.Columns[i].NullN() < out.Count && (options.Mode != catalog.Ignore || schema.Overflow != 0):
			return nil
		}
	}
	return c.complete(out, schema, options)
}

// complete fills in the columns that the chunk does not have, and the event times.
func (c *Chunk) complete(out *Rows, schema *event.Schema, options Options) *Rows {
	none := event.Nulls{Rows: out.Count}
	for i := range schema.Columns {
		column := &schema.Columns[i]
		if out.Columns[i] == nil {
			out.Columns[i] = none.Of(column.Type)
		}
		nulls := out.Columns[i].NullN()
		if column.NotNull && nulls > 0 {
			return nil
		}
		if column.ID != schema.TimeColumn {
			continue
		}
		times, ok := out.Columns[i].(*array.Timestamp)
		if !ok {
			return nil
		}
		out.Times = microsOf(times, options.Arrival)
		if nulls > 0 {
			out.Columns[i] = event.NewTimestamps(out.Times, nil)
		}
	}
	out.ownTimes = true
	if out.Times == nil {
		out.Times = make([]int64, out.Count)
		for i := range out.Times {
			out.Times[i] = options.Arrival
		}
	}
	out.Lines = make([]int, out.Count)
	for i := range out.Lines {
		out.Lines[i] = i
	}
	return out
}

// microsOf copies times, with the arrival in place of NULL.
func microsOf(times *array.Timestamp, arrival int64) []int64 {
	out := make([]int64, times.Len())
	for i, v := range times.TimestampValues() {
		out[i] = int64(v)
	}
	if times.NullN() > 0 {
		for i := range out {
			if times.IsNull(i) {
				out[i] = arrival
			}
		}
	}
	return out
}
