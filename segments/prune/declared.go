package prune

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// Whole reports whether bounds of a type are whole numbers, in Bound.Int.
func Whole(t event.Type) bool {
	switch t.Kind {
	case event.Double, event.Real, event.Text, event.UUID:
		return false
	default:
		return true
	}
}

// collectDeclared computes the bounds of the types that columns have only by declaration.
func (s *Stats) collectDeclared(values arrow.Array) {
	valid := event.ValidityOf(values)
	switch a := values.(type) {
	case *array.Int16:
		s.collectInts(widened[int64](a.Int16Values()), valid)
	case *array.Int32:
		s.collectInts(widened[int64](a.Int32Values()), valid)
	case *array.Date32:
		s.collectInts(widened[int64](a.Date32Values()), valid)
	case *array.Float32:
		s.collectFloats(widened[float64](a.Float32Values()), valid)
	case *array.Decimal128:
		if unscaled, ok := narrowed(event.Words(a), valid); ok {
			s.collectInts(unscaled, valid)
		}
	case *array.FixedSizeBinary:
		s.collectUUIDs(event.Words(a), valid)
	}
}

func widened[To int64 | float64, From ~int16 | ~int32 | ~float32](values []From) []To {
	out := make([]To, len(values))
	for i, v := range values {
		out[i] = To(v)
	}
	return out
}

// narrowed gives unscaled values as 64-bit integers; false where one is larger, so that the column has no bounds. Amounts that
// large are rare, and to keep them out of the statistics keeps these small.
func narrowed(values []decimal128.Num, valid event.Bitmap) ([]int64, bool) {
	out := make([]int64, len(values))
	for i, v := range values {
		if !valid.Valid(i) {
			continue
		}
		low := int64(v.LowBits())
		if v.HighBits() != low>>63 {
			return nil, false
		}
		out[i] = low
	}
	return out, true
}

func (s *Stats) collectUUIDs(words []decimal128.Num, valid event.Bitmap) {
	var low, high decimal128.Num
	seen := false
	for i, v := range words {
		switch {
		case !valid.Valid(i):
		case !seen:
			low, high, seen = v, v, true
		case event.CompareUUIDs(v, low) < 0:
			low = v
		case event.CompareUUIDs(v, high) > 0:
			high = v
		}
	}
	least, greatest := event.UUIDBytes(low), event.UUIDBytes(high)
	s.Bounded, s.Min.Text, s.Max.Text = seen, event.FormatUUID(least[:]), event.FormatUUID(greatest[:])
}

// declaredBound is boundOf for the same types.
func declaredBound(value arrow.Array, t event.Type) (bound Bound, ok bool) {
	switch a := value.(type) {
	case *array.Int16:
		bound.Int = int64(a.Value(0))
		return bound, t.Kind == event.SmallInt
	case *array.Int32:
		bound.Int = int64(a.Value(0))
		return bound, t.Kind == event.Integer
	case *array.Date32:
		bound.Int = int64(a.Value(0))
		return bound, t.Kind == event.Date
	case *array.Float32:
		bound.Float = float64(a.Value(0))
		return bound, t.Kind == event.Real && !math.IsNaN(bound.Float)
	case *array.Decimal128:
		unscaled, ok := narrowed(event.Words(a), nil)
		if !ok || t.Kind != event.Numeric || a.DataType().(*arrow.Decimal128Type).Scale != t.Scale {
			return bound, false
		}
		bound.Int = unscaled[0]
		return bound, true
	case *array.FixedSizeBinary:
		bound.Text = event.FormatUUID(a.Value(0))
		return bound, t.Kind == event.UUID
	default:
		return bound, false
	}
}
