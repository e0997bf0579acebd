package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
)

// Limits of a definition.
const (
	MaxPartitions = 1024
	MaxColumns    = 2048 // beside the one for further fields
	maxColumnName = 255  // bytes
)

// RejectedSuffix ends the name of the stream that keeps another's rejected rows.
const RejectedSuffix = "_rejected"

// maxName is how many bytes the name of a stream may have.
const maxName = 63

// ValidateName refuses what cannot name a stream that a client makes. Names are also names of directories, so the rule is strict.
func ValidateName(name string) error {
	if !isName(name) {
		return event.Errorf(event.CodeBadRequest, "%.80q cannot name a stream", name).
			WithHint("a name is a lower-case letter followed by up to 62 lower-case letters, digits and underscores")
	}
	if strings.HasSuffix(name, RejectedSuffix) {
		return event.Errorf(event.CodeBadRequest, "names that end in %s are reserved, so %q cannot name a stream", RejectedSuffix, name)
	}
	return nil
}

// isName reports whether a name is a lower-case letter and up to maxName-1 lower-case letters, digits and underscores. Every request asks.
func isName(name string) bool {
	for i := range len(name) {
		letter := 'a' <= name[i] && name[i] <= 'z'
		if !letter && (i == 0 || name[i] != '_' && (name[i] < '0' || name[i] > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}

// Validate reports every fault of the definition in one error.
func (s *Stream) Validate() error {
	faults := &faults{}
	if err := ValidateName(strings.TrimSuffix(s.Name, RejectedSuffix)); err != nil {
		faults.add("%s", err.Error())
	}
	if s.Partitions < 1 || s.Partitions > MaxPartitions {
		faults.add("the number of partitions is %d, and must be from 1 to %d", s.Partitions, MaxPartitions)
	}
	s.validateDurations(faults)
	if !slices.Contains([]SchemaMode{Strict, Evolve, Ignore}, s.SchemaMode) {
		faults.add("the schema mode %q is none of strict, evolve and ignore", s.SchemaMode)
	}
	if s.Schema == nil {
		faults.add("there is no schema")
		return faults.err(s.Name)
	}
	validateSchema(s.Schema, faults)
	for _, name := range s.PartitionBy {
		if !slices.ContainsFunc(s.Schema.Columns, func(c event.Column) bool { return c.Name == name }) {
			faults.add("the partitioning column %q does not exist", name)
		}
	}
	for _, name := range s.DedupKey {
		if !slices.ContainsFunc(s.Schema.Columns, func(c event.Column) bool { return c.Name == name }) {
			faults.add("the column %q of the DEDUP KEY does not exist", name)
		}
	}
	if len(s.DedupKey) > 0 != (s.DedupWithin > 0) {
		faults.add("a DEDUP KEY has columns and an interval of more than 0")
	}
	s.validateSort(faults)
	return faults.err(s.Name)
}

// validateSort refuses what segments cannot be sorted by. A column that becomes JSONB later is left out of the order from then on.
func (s *Stream) validateSort(faults *faults) {
	seen := map[string]bool{}
	for _, name := range s.SortBy {
		i := slices.IndexFunc(s.Schema.Columns, func(c event.Column) bool { return c.Name == name })
		switch {
		case i < 0:
			faults.add("the sorting column %q does not exist", name)
		case s.Schema.Columns[i].ID == s.Schema.TimeColumn:
			faults.add("the event time %q need not be a sorting column: it always is the first", name)
		case seen[name]:
			faults.add("the sorting column %q is named twice", name)
		}
		seen[name] = true
	}
}

func (s *Stream) validateDurations(faults *faults) {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"watermark bound", s.Bound}, {"idle timeout", s.IdleTimeout}, {"future limit", s.FutureLimit},
		{"retention", s.Retention}, {"log retention", s.LogRetention}, {"interval of the DEDUP KEY", s.DedupWithin},
	} {
		if d.value < 0 {
			faults.add("the %s is negative", d.name)
		}
	}
	if s.LogRetentionBytes < 0 {
		faults.add("the size of the log that is kept is negative")
	}
}

func validateSchema(schema *event.Schema, faults *faults) {
	if schema.Version < 1 {
		faults.add("the schema version is %d, and must be 1 or more", schema.Version)
	}
	most := MaxColumns
	if schema.Overflow != 0 {
		most++
		if c, ok := schema.ByID(schema.Overflow); !ok || c.Type.Kind != event.JSONB {
			faults.add("the column for further fields with id %d is no JSONB column", schema.Overflow)
		}
	}
	if len(schema.Columns) > most {
		faults.add("there are %d columns, and %d are the limit", len(schema.Columns), most)
	}
	names, ids := map[string]bool{}, map[event.FieldID]bool{}
	for _, c := range schema.Columns {
		validateColumn(c, schema, faults)
		if names[c.Name] {
			faults.add("there are two columns %q", c.Name)
		}
		if ids[c.ID] {
			faults.add("column %q has the id %d of another", c.Name, c.ID)
		}
		names[c.Name], ids[c.ID] = true, true
	}
	if schema.TimeColumn == 0 {
		return
	}
	switch c, ok := schema.ByID(schema.TimeColumn); {
	case !ok:
		faults.add("the event-time column with id %d does not exist", schema.TimeColumn)
	case c.Type.Kind != event.TimestampTZ:
		faults.add("the event-time column %q is %s, and must be TIMESTAMPTZ", c.Name, c.Type)
	}
}

func validateColumn(c event.Column, schema *event.Schema, faults *faults) {
	if c.Name == "" || len(c.Name) > maxColumnName || !utf8.ValidString(c.Name) {
		faults.add("a column's name is 1 to %d bytes of UTF-8, and %.80q is not", maxColumnName, c.Name)
	}
	for _, hidden := range event.Hidden {
		if strings.EqualFold(c.Name, hidden.Name) {
			faults.add("the column name %q is taken by a hidden column", c.Name)
		}
	}
	if c.ID < 1 || c.ID >= schema.NextID {
		faults.add("column %q has the id %d, which is not from 1 to %d", c.Name, c.ID, schema.NextID-1)
	}
	if c.Type.Kind == event.Unknown {
		faults.add("column %q has no type", c.Name)
	}
}

// faults collects what is wrong.
type faults struct{ all []string }

func (f *faults) add(format string, args ...any) { f.all = append(f.all, fmt.Sprintf(format, args...)) }

func (f *faults) err(name string) error {
	if len(f.all) == 0 {
		return nil
	}
	return event.Errorf(event.CodeBadRequest, "stream %.80q cannot be defined: %s", name, strings.Join(f.all, "; "))
}
