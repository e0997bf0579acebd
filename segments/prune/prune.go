// Package prune tells from statistics which rows cannot satisfy a query, so that they are never read.
//
// It is always allowed to keep too much and never to leave out a row that might match: whatever is unknown, or whose order is
// not certain, is kept. Everything here is a pure function of its arguments and may be called from any goroutine. The package
// reads no files: segments and the manifest bring the statistics.
package prune

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Range is a condition that every row wanted satisfies: the column is not NULL and lies between Low and High, both included.
type Range struct {
	Field event.FieldID
	// Low and High are arrays of one value of the column's type; nil is unbounded.
	Low, High arrow.Array
	// Values, if there are any, are all values that a wanted row can have, arrays like Low and High.
	Values []arrow.Array
}

// exact are the values that a wanted row can have; none where there are too many to say.
func (r Range) exact(t event.Type) []arrow.Array {
	if len(r.Values) > 0 {
		return r.Values
	}
	low, okLow := boundOf(r.Low, t)
	high, okHigh := boundOf(r.High, t)
	if okLow && okHigh && compare(t, low, high) == 0 {
		return []arrow.Array{r.Low}
	}
	return nil
}

// Find looks up the statistics of the column stored under an id; ok is false where the rows have no such column.
type Find func(event.FieldID) (stats Stats, ok bool)

// Excluded reports that no row of a group can satisfy all ranges. schema is the one that the ranges refer to: a column may be
// stored under a former id, and one that is not stored at all is NULL in every row.
func Excluded(ranges []Range, schema *event.Schema, find Find) bool {
	for _, r := range ranges {
		if column, ok := schema.ByID(r.Field); ok && r.excludes(column, find) {
			return true
		}
	}
	return false
}

// Missing reports that no row of a group can satisfy all ranges because a column has none of the values wanted. mayHold says whether a
// value may be in the column stored under an id; it is asked only with values of the type that is stored.
func Missing(ranges []Range, schema *event.Schema, mayHold func(id event.FieldID, value arrow.Array) (bool, error)) (bool, error) {
	for _, r := range ranges {
		column, ok := schema.ByID(r.Field)
		if !ok {
			continue
		}
		found := false
		values := r.exact(column.Type)
		for i := 0; i < len(values) && !found; i++ {
			var err error
			if found, err = mayHold(column.ID, values[i]); err != nil {
				return false, err
			}
		}
		if len(values) > 0 && !found {
			return true, nil
		}
	}
	return false, nil
}

func (r Range) excludes(column event.Column, find Find) bool {
	for _, source := range column.Sources() {
		stats, ok := find(source.ID)
		if !ok {
			continue
		}
		if stats.AllNull() {
			return true
		}
		stats = stats.widen(column.Type)
		return stats.Bounded && (stats.above(r.High) || stats.below(r.Low) || stats.outside(r.Values))
	}
	return true
}

// outside reports that none of some values lies between the bounds; false where there are no values.
func (s Stats) outside(values []arrow.Array) bool {
	for _, v := range values {
		if !s.above(v) && !s.below(v) {
			return false
		}
	}
	return len(values) > 0
}

// above reports that every value exceeds high.
func (s Stats) above(high arrow.Array) bool {
	bound, ok := boundOf(high, s.Type)
	return ok && compare(s.Type, s.Min, bound) > 0
}

// below reports that every value is less than low.
func (s Stats) below(low arrow.Array) bool {
	bound, ok := boundOf(low, s.Type)
	return ok && compare(s.Type, s.Max, bound) < 0
}

// boundOf reads the end of a range. ok is false for an open end and for one whose Arrow type is not that of the column.
func boundOf(value arrow.Array, t event.Type) (bound Bound, ok bool) {
	if value == nil || value.Len() != 1 || value.IsNull(0) {
		return Bound{}, false
	}
	switch a := value.(type) {
	case *array.Boolean:
		if a.Value(0) {
			bound.Int = 1
		}
		return bound, t.Kind == event.Boolean
	case *array.Int64:
		bound.Int = a.Value(0)
		return bound, t.Kind == event.BigInt
	case *array.Timestamp:
		bound.Int = int64(a.Value(0))
		return bound, t.Kind == event.TimestampTZ && arrow.TypeEqual(a.DataType(), event.Timestamp)
	case *array.Float64:
		bound.Float = a.Value(0)
		// A NaN sorts last for some and is unordered for others, so nothing is concluded from it.
		return bound, t.Kind == event.Double && bound.Float == bound.Float
	case *array.String, *array.Dictionary:
		if t.Kind != event.Text {
			return bound, false
		}
		bound.Text = event.StringAt(value, 0)
		return bound, true
	default:
		return declaredBound(value, t)
	}
}

func compare(t event.Type, a, b Bound) int {
	switch t.Kind {
	case event.Double, event.Real:
		return cmp.Compare(a.Float, b.Float)
	case event.Text, event.UUID:
		return cmp.Compare(a.Text, b.Text)
	default:
		return cmp.Compare(a.Int, b.Int)
	}
}
