package decode

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// evolve gives the next version of a schema, which can hold every acceptable row of the chunk; the schema itself if it can already. exact
// reports whether every value that a BIGINT column has stored is exact as DOUBLE PRECISION; nil means that none is known to be.
// A column that widens takes a new id and remembers the old one. Where there would be too many columns, one takes all further fields.
func evolve(chunk *Chunk, schema *event.Schema, exact func(event.FieldID) bool) *event.Schema {
	s := newSurvey(schema, chunk.Fields)
	s.run(chunk)
	next := &event.Schema{
		Version: schema.Version + 1, Columns: slices.Clone(schema.Columns), TimeColumn: schema.TimeColumn,
		Overflow: schema.Overflow, NextID: schema.NextID,
	}
	for i := range next.Columns {
		c := &next.Columns[i]
		isExact := func() bool { return exact != nil && exact(c.ID) }
		if kind := s.fields[i].summary.widerKind(c, isExact); kind != c.Type.Kind {
			widen(next, c, event.Type{Kind: kind})
		}
	}
	for _, f := range s.found(len(schema.Columns)) {
		next.Columns = append(next.Columns, newColumn(next, f))
	}
	s.addOverflow(next)
	if next.NextID == schema.NextID {
		return schema
	}
	return next
}

// widen gives a column of a schema in the making its new type.
func widen(schema *event.Schema, c *event.Column, to event.Type) {
	was := event.FormerColumn{ID: c.ID, Type: c.Type, Until: schema.Version - 1}
	c.Former = append([]event.FormerColumn{was}, c.Former...)
	c.ID, c.Type, c.Inferred = schema.NextID, to, false
	schema.NextID++
}
