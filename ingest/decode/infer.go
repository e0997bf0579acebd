package decode

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// timeNames are the fields that may be the event time of a stream that does not name it, the likeliest first. Their letters may be of any case.
var timeNames = []string{"ts", "time", "timestamp", "@timestamp", "event_time", "eventtime", "datetime", "date_time", "_time", "created_at", "at"}

// timeRank is the place of a field's name among timeNames, or -1.
func timeRank(name string) int {
	return slices.IndexFunc(timeNames, func(n string) bool { return strings.EqualFold(n, name) })
}

// leastEpoch is the least number that is taken for a time where nobody said that it is one: smaller ones are more likely durations
// or counts than seconds before March 1973.
const leastEpoch = 100_000_000

// infer makes the first schema of a stream from its first rows, whose columns come in the order of their first appearance.
// timeColumn names the event-time column, which is made even if no row has it; if empty, it is the first of timeNames whose first value can be
// read as a time, else there is none.
func infer(chunk *Chunk, timeColumn string) (*event.Schema, error) {
	if timeColumn == "" {
		timeColumn = findTime(chunk)
	} else if reason := checkName([]byte(timeColumn)); reason != "" {
		return nil, event.Errorf(event.CodeBadRequest, "time column: %s", reason)
	}
	s := newSurvey(&event.Schema{}, chunk.Fields)
	if timeColumn != "" {
		if s.byName[timeColumn] == nil {
			s.byName[timeColumn] = &field{name: timeColumn}
		}
		s.kept = s.byName[timeColumn]
		s.kept.eventTime = true
	}
	if chunk.typed() { // no value says more than its column's type
		for _, f := range chunk.Fields {
			s.list(s.byName[f.Name])
		}
	} else {
		s.run(chunk)
	}
	if s.kept != nil {
		s.list(s.kept)
	}
	schema := &event.Schema{Version: 1, NextID: 1}
	for _, f := range s.found(0) {
		schema.Columns = append(schema.Columns, newColumn(schema, f))
	}
	s.addOverflow(schema)
	return schema, nil
}

// findTime is the name of the field that is most likely the event time, or empty.
func findTime(chunk *Chunk) string {
	return likeliest(readableTimes(chunk, func(name string, _ []byte) bool { return timeRank(name) >= 0 }))
}

// possibleTimes names the fields, sorted, whose first value is a text that can be read as a time. Numbers are more likely something
// else, and so are texts of nothing but digits.
func possibleTimes(chunk *Chunk) []string {
	times := readableTimes(chunk, func(_ string, value []byte) bool { return value[0] == '"' && bytes.ContainsAny(value, ":-/") })
	maps.DeleteFunc(times, func(_ string, readable bool) bool { return !readable })
	return slices.Sorted(maps.Keys(times))
}

// readableTimes judges each field by its first value: whether that is wanted and can be read as a time.
func readableTimes(chunk *Chunk, wanted func(name string, value []byte) bool) map[string]bool {
	s := newSurvey(&event.Schema{}, nil)
	readable := make(map[string]bool, len(timeNames))
	judge := func(name string, value []byte) {
		if _, judged := readable[name]; !judged {
			readable[name] = wanted(name, value) && s.likelyTime(value)
		}
	}
	if chunk.Columns != nil {
		firstValues(chunk, judge)
		return readable
	}
	lines := chunk.rows()
	for row, ok := lines.next(); ok; row, ok = lines.next() {
		members, reason := s.reader.read(row)
		if reason != "" {
			continue
		}
		for i := range members {
			if m := &members[i]; !m.replaced && !m.isNull() {
				judge(m.name, m.value)
			}
		}
	}
	return readable
}

// firstValues gives the first value, as JSON, of each of a chunk's columns that has one.
func firstValues(chunk *Chunk, give func(name string, value []byte)) {
	for i, f := range chunk.Fields {
		values := chunk.Columns[i]
		if values.NullN() == values.Len() {
			continue
		}
		row := 0
		for values.IsNull(row) {
			row++
		}
		give(f.Name, TextWriterOf(values, chunk.typeOf(i))(nil, row))
	}
}

// likeliest is the field with the likeliest name that can be read as a time, or empty. Of names that differ by case it is the first in order.
func likeliest(readable map[string]bool) (best string) {
	for _, name := range slices.Sorted(maps.Keys(readable)) {
		if readable[name] && (best == "" || timeRank(name) < timeRank(best)) {
			best = name
		}
	}
	return best
}

// likelyTime reports whether a value can be read as a time and is none of the small numbers that most often are not.
func (s *survey) likelyTime(value []byte) bool {
	if !s.readableTime(value) {
		return false
	}
	if value[0] == '"' {
		return true
	}
	f, ok := s.values.num.float()
	return ok && f >= leastEpoch
}

// newColumn is the column for a field that the schema does not have; it takes the schema's next id.
func newColumn(schema *event.Schema, f *field) event.Column {
	c := event.Column{ID: schema.NextID, Name: f.name, Since: schema.Version}
	schema.NextID++
	c.Type = event.Type{Kind: f.summary.firstKind()}
	c.Inferred = c.Type.Kind == event.UUID && !f.eventTime && f.declared.Kind == event.Unknown
	if f.declared.Kind != event.Unknown {
		c.Declare(f.declared)
	}
	if f.eventTime {
		c.Type, c.As, schema.TimeColumn = event.Type{Kind: event.TimestampTZ}, nil, c.ID
	}
	return c
}
