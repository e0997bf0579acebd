package continuous

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// canonical brings values that count as equal to equal bits, as grouping sees them: the two zeros, all NaN, spellings of one JSON
// value, and intervals of one length, a month being 30 days.
func canonical(values arrow.Array, t event.Type) arrow.Array {
	values = kernel.Decode(values)
	if values.DataType().ID() == arrow.NULL && t.Kind != event.Unknown {
		return event.NewNulls(t, values.Len())
	}
	switch t.Kind {
	case event.Double:
		return canonicalDoubles(values)
	case event.Real:
		return canonicalReals(values)
	case event.JSONB:
		return canonicalJSON(values.(*array.String))
	case event.Interval:
		return canonicalIntervals(values)
	default:
		return values
	}
}

// evalKeys computes the values that rows are told apart by, canonical.
func evalKeys(programs []*kernel.Program, types []event.Type, d *Delta) ([]arrow.Array, error) {
	values, err := evalAll(steady, programs, d)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		values[i] = canonical(v, types[i])
	}
	return values, nil
}

func canonicalDoubles(values arrow.Array) arrow.Array {
	in := arrow.GetValues[float64](values.Data(), 1)
	plain := true
	for _, v := range in {
		plain = plain && v == v && v != 0
	}
	if plain {
		return values
	}
	out := make([]float64, len(in))
	for i, v := range in {
		switch {
		case v != v:
			out[i] = math.NaN()
		case v != 0:
			out[i] = v
		}
	}
	return event.NewFloat64s(out, event.ValidityOf(values))
}

func canonicalReals(values arrow.Array) arrow.Array {
	in := arrow.GetValues[float32](values.Data(), 1)
	out := make([]float32, len(in))
	for i, v := range in {
		switch {
		case v != v:
			out[i] = float32(math.NaN())
		case v != 0:
			out[i] = v
		}
	}
	return event.NewFixed(values.DataType(), out, event.ValidityOf(values))
}

func canonicalJSON(values *array.String) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range values.Len() {
		if values.IsNull(i) {
			b.AppendNull()
		} else {
			b.Append(kernel.CanonicalJSON(values.Value(i)))
		}
	}
	return b.NewArray()
}

func canonicalIntervals(values arrow.Array) arrow.Array {
	const nanosPerDay = 24 * 60 * 60 * 1_000_000_000
	in := arrow.GetValues[arrow.MonthDayNanoInterval](values.Data(), 1)
	out := make([]arrow.MonthDayNanoInterval, len(in))
	for i, v := range in {
		days, rest := v.Nanoseconds/nanosPerDay, v.Nanoseconds%nanosPerDay
		if rest < 0 {
			days, rest = days-1, rest+nanosPerDay
		}
		days += 30*int64(v.Months) + int64(v.Days)
		// The parts of a canonical interval are not those of a real one: only that they are equal for equal lengths matters.
		out[i] = arrow.MonthDayNanoInterval{Months: int32(days >> 32), Days: int32(uint32(days)), Nanoseconds: rest}
	}
	return event.NewFixed(values.DataType(), out, event.ValidityOf(values))
}
