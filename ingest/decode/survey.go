package decode

import "github.com/tidemarkdb/tidemark/event"

// survey looks at every acceptable row of a chunk for the values of each field. It is the slow but schema-free counterpart of a decode,
// and accepts exactly the rows that a decode in mode evolve would.
type survey struct {
	reader memberReader
	values scanner
	fields []*field // the schema's columns, then the new ones by first appearance
	byName map[string]*field
	needed int // how many fields a row must have a value for
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
	s := &survey{byName: make(map[string]*field, len(schema.Columns))}
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
func (s *survey) run(chunk *Chunk) error {
	for _, f := range chunk.Fields {
		if err := s.list(s.byName[f.Name]); err != nil {
			return err
		}
	}
	lines := chunk.rows()
	for row, ok := lines.next(); ok; row, ok = lines.next() {
		members, reason := s.reader.read(row)
		if reason != "" || !s.acceptable(members) {
			continue
		}
		for i := range members {
			if err := s.note(&members[i]); err != nil {
				return err
			}
		}
	}
	return nil
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
func (s *survey) note(m *member) error {
	if m.replaced || m.isNull() {
		return nil
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
	return s.list(f)
}

// list gives a field its place behind those seen before it.
func (s *survey) list(f *field) error {
	if f.listed {
		return nil
	}
	if len(s.fields) >= MaxFields {
		return event.Errorf(event.CodeTooLarge, "the stream would have more than %d columns", MaxFields).
			WithHint("put rarely used fields into one nested object")
	}
	f.listed = true
	s.fields = append(s.fields, f)
	return nil
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
