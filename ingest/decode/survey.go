package decode

import (
	"strconv"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// survey looks at every acceptable row of a chunk for the values of each field. It is the slow but schema-free counterpart of a decode,
// and accepts exactly the rows that a decode in mode evolve would.
type survey struct {
	reader memberReader
	values scanner
	fields []*field // the schema's columns, then the new ones by first appearance
	byName map[string]*field
	needed int // how many fields a row must have a value for
	// full is set once a field found no place, or from the beginning for a schema with an overflow column.
	full bool
	// kept is a field that finds a place in any case, or nil.
	kept *field
}

// field is what a survey knows of one name.
type field struct {
	name      string
	summary   summary
	eventTime bool
	notNull   bool
	listed    bool // it is among the survey's fields
	seen      bool // it has shown a value that is not NULL
	// declared is what the chunk says of the column; of kind Unknown, nothing.
	declared event.Type
}

func newSurvey(schema *event.Schema, declared []Field) *survey {
	s := &survey{byName: make(map[string]*field, len(schema.Columns)), full: schema.Overflow != 0}
	for _, c := range schema.Columns {
		f := &field{name: c.Name, eventTime: c.ID == schema.TimeColumn, notNull: c.NotNull, listed: true}
		s.fields = append(s.fields, f)
		s.byName[f.name] = f
		if f.notNull {
			s.needed++
		}
	}
	for _, f := range declared {
		if s.byName[f.Name] == nil {
			s.byName[f.Name] = &field{name: f.Name, declared: f.Type}
		}
	}
	return s
}

// run surveys a chunk.
func (s *survey) run(chunk *Chunk) {
	for _, f := range chunk.Fields {
		s.list(s.byName[f.Name])
	}
	lines := chunk.rows()
	for row, ok := lines.next(); ok; row, ok = lines.next() {
		members, reason := s.reader.read(row)
		if reason != "" || !s.acceptable(members) {
			continue
		}
		for i := range members {
			s.note(&members[i])
		}
	}
}

// acceptable reports whether the event time is readable and every NOT NULL column has a value.
func (s *survey) acceptable(members []member) bool {
	have := 0
	for i := range members {
		m := &members[i]
		f := s.byName[m.name]
		if f == nil || m.replaced || m.isNull() {
			continue
		}
		if f.eventTime && !s.readableTime(m.value) {
			return false
		}
		if f.notNull {
			have++
		}
	}
	return have == s.needed
}

func (s *survey) readableTime(value []byte) bool {
	s.values.text = value
	_, end := s.values.readTime(0, true, true)
	return end >= 0
}

// note adds a member's value to what its field has shown. A field comes into being with its first value that is not NULL.
func (s *survey) note(m *member) {
	if m.replaced || m.isNull() {
		return
	}
	f := s.byName[m.name]
	if f == nil {
		f = &field{name: m.name}
		s.byName[f.name] = f
	}
	f.seen = true
	if !f.eventTime {
		f.summary |= s.values.classify(m.value)
	}
	s.list(f)
}

// list gives a field its place behind those seen before it, if there is one left.
func (s *survey) list(f *field) {
	if f.listed || s.full && f != s.kept {
		return
	}
	most := catalog.MaxColumns
	if s.kept != nil && !s.kept.listed && f != s.kept {
		most--
	}
	if len(s.fields) >= most {
		s.full = true
		return
	}
	f.listed = true
	s.fields = append(s.fields, f)
}

// overflowName is the name of a column for fields without one; a number follows where it is taken.
const overflowName = "_extra"

// addOverflow gives a schema in the making its overflow column, if it needs one and has none.
func (s *survey) addOverflow(schema *event.Schema) {
	if !s.full || schema.Overflow != 0 {
		return
	}
	name := overflowName
	for n := 2; s.byName[name] != nil; n++ {
		name = overflowName + strconv.Itoa(n)
	}
	c := event.Column{ID: schema.NextID, Name: name, Type: event.Type{Kind: event.JSONB}, Since: schema.Version}
	schema.NextID++
	schema.Overflow = c.ID
	schema.Columns = append(schema.Columns, c)
}

// found are the fields from a place on that make a column: all but those that were named, and have neither a type nor a value.
func (s *survey) found(from int) []*field {
	var out []*field
	for _, f := range s.fields[from:] {
		if f.seen || f.eventTime || f.declared.Kind != event.Unknown {
			out = append(out, f)
		}
	}
	return out
}

func (m *member) isNull() bool { return string(m.value) == "null" }
