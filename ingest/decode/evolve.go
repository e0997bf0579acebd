package decode

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// evolve gives the next version of a schema, which can hold every acceptable row of the chunk; the schema itself if it can already. exact
// reports whether every value that a BIGINT column has stored is exact as DOUBLE PRECISION; nil means that none is known to be.
// A column that widens takes a new id and remembers the old one. It fails with too_large where there would be too many columns.
func evolve(chunk *Chunk, schema *event.Schema, exact func(event.FieldID) bool) (*event.Schema, error) {
	s := newSurvey(schema, chunk.Fields)
	if err := s.run(chunk); err != nil {
		return nil, err
	}
	next := &event.Schema{
		Version: schema.Version + 1, Columns: slices.Clone(schema.Columns), TimeColumn: schema.TimeColumn, NextID: schema.NextID,
	}
	for i := range next.Columns {
		c := &next.Columns[i]
		isExact := func() bool { return exact != nil && exact(c.ID) }
		if kind := s.fields[i].summary.widerKind(c.Type.Kind, isExact); kind != c.Type.Kind {
			widen(next, c, event.Type{Kind: kind})
		}
	}
	for _, f := range s.found(len(schema.Columns)) {
		next.Columns = append(next.Columns, newColumn(next, f))
	}
	if next.NextID == schema.NextID {
		return schema, nil
	}
	return next, nil
}

// widen gives a column of a schema in the making its new type.
func widen(schema *event.Schema, c *event.Column, to event.Type) {
	was := event.FormerColumn{ID: c.ID, Type: c.Type, Until: schema.Version - 1}
	c.Former = append([]event.FormerColumn{was}, c.Former...)
	c.ID, c.Type = schema.NextID, to
	schema.NextID++
}
