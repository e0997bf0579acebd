package decode

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// Replay decodes the values of log records that were accepted under an earlier version of the schema, or the present one. It
// decides nothing again: every value gives a row, fields that the schema lacked then are left out, columns added since are NULL,
// and columns that have widened since are read as what they were and then widened. A value that cannot be read so is corrupt.
func Replay(values [][]byte, schema *event.Schema, version int, arrival int64) (*Rows, error) {
	then, places := schemaAt(schema, version)
	d, err := newDecoder(then, Options{Arrival: arrival, Mode: catalog.Ignore})
	if err != nil {
		return nil, err
	}
	size := 0
	for _, value := range values {
		size += len(value)
	}
	if size > maxChunkBytes {
		return nil, event.Errorf(event.CodeTooLarge, "replay %d bytes of records: more than one decode can take", size)
	}
	d.stored, d.members.stored = true, true
	d.label(then)
	d.expect(len(values), size)
	for i, value := range values {
		if value = trimSpace(value); len(value) == 0 {
			return nil, event.Errorf(event.CodeCorrupt, "replay record %d: it is empty", i)
		}
		d.text, d.ahead = value, value
		d.row(value, 0, 0)
		if len(d.out.Rejected) > 0 {
			return nil, event.Errorf(event.CodeCorrupt, "replay record %d: %s", i, d.out.Rejected[0].Reason)
		}
	}
	rows := d.finish()
	rows.Columns, err = widenColumns(rows, then, schema, places)
	return rows, err
}

// schemaAt is the schema as it was at a version, and where each of its columns now stands. NOT NULL is left out: whether a row may
// lack a value was decided when it was accepted.
func schemaAt(schema *event.Schema, version int) (then *event.Schema, places []int) {
	then = &event.Schema{Version: version, TimeColumn: schema.TimeColumn, Overflow: schema.Overflow, NextID: schema.NextID}
	for i, c := range schema.Columns {
		if c.Since > version {
			continue
		}
		c.Type, c.NotNull = typeAt(c, version), false
		then.Columns = append(then.Columns, c)
		places = append(places, i)
	}
	return then, places
}

// typeAt is the type that a column had at a version.
func typeAt(c event.Column, version int) event.Type {
	for i := len(c.Former) - 1; i >= 0; i-- {
		if version <= c.Former[i].Until {
			return c.Former[i].Type
		}
	}
	return c.Type
}

// widenColumns brings what was decoded under an earlier schema to the present one.
func widenColumns(rows *Rows, then, now *event.Schema, places []int) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(now.Columns))
	for i, place := range places {
		c := now.Columns[place]
		values, err := event.Widen(rows.Columns[i], then.Columns[i].Type, c.Type)
		if err != nil {
			return nil, fmt.Errorf("replay column %q: %w", c.Name, err)
		}
		out[place] = values
	}
	for i, c := range now.Columns {
		if out[i] == nil {
			out[i] = event.NewNulls(c.Type, rows.Count)
		}
	}
	return out, nil
}
