package columnar

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// convertFunc gives values as a column of our type has them in memory.
type convertFunc = func(*part, arrow.Array) (arrow.Array, error)

// conversion chooses the type that a column of an Arrow type becomes. The function is nil for columns that hold nothing.
func conversion(t arrow.DataType, extension string) (event.Type, convertFunc, error) {
	kind := func(k event.Kind) event.Type { return event.Type{Kind: k} }
	if x, ok := t.(arrow.ExtensionType); ok {
		inner, convert, err := conversion(x.StorageType(), extension)
		return inner, storage(convert), err
	}
	switch t := t.(type) {
	case *arrow.NullType:
		return kind(event.Unknown), nil, nil
	case *arrow.BooleanType:
		return kind(event.Boolean), convertBooleans, nil
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type,
		*arrow.DurationType:
		return kind(event.BigInt), convertIntegers, nil
	case *arrow.Uint64Type:
		return event.Type{Kind: event.Numeric, Precision: 20}, convertUnsigned, nil
	case *arrow.Float16Type, *arrow.Float32Type:
		return kind(event.Real), convertReals, nil
	case *arrow.Float64Type:
		return kind(event.Double), convertDoubles, nil
	case arrow.DecimalType:
		return decimals(t)
	case *arrow.TimestampType:
		return kind(event.TimestampTZ), convertTimes(t.Unit), nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return kind(event.Date), convertDates, nil
	case *arrow.DictionaryType:
		inner, convert, err := conversion(t.ValueType, extension)
		return inner, dictionary(convert), err
	case *arrow.RunEndEncodedType:
		inner, convert, err := conversion(t.Encoded(), extension)
		return inner, runs(convert), err
	default:
		return texts(t, extension)
	}
}

// storage converts an extension type's values by what they are stored as.
func storage(convert convertFunc) convertFunc {
	if convert == nil {
		return nil
	}
	return func(p *part, values arrow.Array) (arrow.Array, error) {
		return convert(p, values.(array.ExtensionArray).Storage())
	}
}

func convertBooleans(p *part, values arrow.Array) (arrow.Array, error) {
	if p.given {
		return values, nil
	}
	a, bits := values.(*array.Boolean), event.NewBitmap(p.rows)
	for i := range p.rows {
		if a.IsValid(i) && a.Value(i) {
			bits.Set(i)
		}
	}
	return event.NewBooleans(bits, p.rows, event.ValidityOf(values)), nil
}

// widen copies numbers to a wider type.
func widen[To, From int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | float32 | float64 | arrow.Duration](values []From) []To {
	out := make([]To, len(values))
	for i, v := range values {
		out[i] = To(v)
	}
	return out
}

func convertIntegers(p *part, values arrow.Array) (arrow.Array, error) {
	var out []int64
	switch a := values.(type) {
	case *array.Int8:
		out = widen[int64](a.Int8Values())
	case *array.Int16:
		out = widen[int64](a.Int16Values())
	case *array.Int32:
		out = widen[int64](a.Int32Values())
	case *array.Int64:
		if p.given {
			return values, nil
		}
		out = widen[int64](a.Int64Values())
	case *array.Uint8:
		out = widen[int64](a.Uint8Values())
	case *array.Uint16:
		out = widen[int64](a.Uint16Values())
	case *array.Uint32:
		out = widen[int64](a.Uint32Values())
	case *array.Duration:
		out = widen[int64](a.DurationValues())
	}
	return event.NewInt64s(out, event.ValidityOf(values)), nil
}

// convertUnsigned keeps unsigned integers of 64 bits, half of which BIGINT cannot hold.
func convertUnsigned(_ *part, values arrow.Array) (arrow.Array, error) {
	out := make([]decimal128.Num, values.Len())
	for i, v := range values.(*array.Uint64).Uint64Values() {
		out[i] = decimal128.FromU64(v)
	}
	t := event.Type{Kind: event.Numeric, Precision: 20}
	return event.NewFixed(t.Arrow(), out, event.ValidityOf(values)), nil
}

func convertReals(p *part, values arrow.Array) (arrow.Array, error) {
	var out []float32
	switch a := values.(type) {
	case *array.Float32:
		out = widen[float32](a.Float32Values())
	case *array.Float16:
		out = make([]float32, p.rows)
		for i := range out {
			out[i] = a.Value(i).Float32()
		}
	}
	return event.NewFixed(arrow.PrimitiveTypes.Float32, out, event.ValidityOf(values)), nil
}

func convertDoubles(p *part, values arrow.Array) (arrow.Array, error) {
	if p.given {
		return values, nil
	}
	return event.NewFloat64s(widen[float64](values.(*array.Float64).Float64Values()), event.ValidityOf(values)), nil
}

// microsPer is the factor, or the negative divisor, that brings a unit to microseconds.
var microsPer = map[arrow.TimeUnit]int64{arrow.Second: 1e6, arrow.Millisecond: 1e3, arrow.Microsecond: 1, arrow.Nanosecond: -1e3}

// convertTimes brings times of a unit to microseconds; what is finer is cut off towards the past, as for times that come as text.
func convertTimes(unit arrow.TimeUnit) convertFunc {
	perUnit := microsPer[unit]
	return func(p *part, values arrow.Array) (arrow.Array, error) {
		out := make([]int64, p.rows)
		for i, v := range values.(*array.Timestamp).TimestampValues() {
			micros, ok := toMicros(int64(v), perUnit)
			if !ok && values.IsValid(i) {
				p.refuse(i, "the time %d is out of range", v)
			}
			out[i] = micros
		}
		return event.NewTimestamps(out, event.ValidityOf(values)), nil
	}
}

// toMicros multiplies by a factor, or divides by a negative one. The second result is false beyond the years 1 to 9999.
func toMicros(v, factor int64) (int64, bool) {
	switch {
	case factor < 0:
		return int64(math.Floor(float64(v%-factor)/float64(-factor))) + v/-factor, true
	case v > event.LatestTime/factor || v < event.EarliestTime/factor:
		return 0, false
	default:
		return v * factor, true
	}
}

func convertDates(p *part, values arrow.Array) (arrow.Array, error) {
	out := make([]int32, p.rows)
	for i := range out {
		if values.IsNull(i) {
			continue
		}
		day := int64(0)
		switch a := values.(type) {
		case *array.Date32:
			day = int64(a.Value(i))
		case *array.Date64:
			day = int64(math.Floor(float64(a.Value(i)) / 86_400_000))
		}
		if day < event.EarliestDay || day > event.LatestDay {
			p.refuse(i, "the day %d is out of range", day)
			continue
		}
		out[i] = int32(day)
	}
	return event.NewFixed(arrow.FixedWidthTypes.Date32, out, event.ValidityOf(values)), nil
}

// decimals keep their precision and scale where NUMERIC has them.
func decimals(t arrow.DecimalType) (event.Type, convertFunc, error) {
	precision, scale := t.GetPrecision(), t.GetScale()
	if scale < 0 {
		precision, scale = precision-scale, 0
	}
	if precision > event.MaxPrecision || scale > precision || precision < 1 {
		return event.Type{Kind: event.Text}, decimalTexts(t.GetScale()), nil
	}
	ours := event.Type{Kind: event.Numeric, Precision: precision, Scale: scale}
	shift := -min(t.GetScale(), 0)
	convert := func(p *part, values arrow.Array) (arrow.Array, error) {
		out := make([]decimal128.Num, p.rows)
		for i := range out {
			if values.IsNull(i) {
				continue
			}
			v, ok := decimalAt(values, i)
			if ok && shift > 0 {
				v = v.IncreaseScaleBy(shift)
			}
			if !ok || !v.FitsInPrecision(precision) {
				p.refuse(i, "the value does not fit %s", ours)
				v = decimal128.Num{}
			}
			out[i] = v
		}
		return event.NewFixed(ours.Arrow(), out, event.ValidityOf(values)), nil
	}
	return ours, convert, nil
}

// decimalAt is a decimal of any width, if 128 bits hold it.
func decimalAt(values arrow.Array, i int) (decimal128.Num, bool) {
	switch a := values.(type) {
	case *array.Decimal32:
		return decimal128.FromI64(int64(a.Value(i))), true
	case *array.Decimal64:
		return decimal128.FromI64(int64(a.Value(i))), true
	case *array.Decimal128:
		return a.Value(i), true
	case *array.Decimal256:
		v := a.Value(i)
		parts := v.Array() // the lowest first
		low, high := parts[0], int64(parts[1])
		sign := uint64(high >> 63)
		return decimal128.New(high, low), parts[2] == sign && parts[3] == sign
	default:
		return decimal128.Num{}, false
	}
}

// decimalTexts writes decimals that NUMERIC cannot hold with all their digits.
func decimalTexts(scale int32) convertFunc {
	return textsOf(func(values arrow.Array, i int) string {
		switch a := values.(type) {
		case *array.Decimal256:
			return a.Value(i).ToString(scale)
		case *array.Decimal128:
			return a.Value(i).ToString(scale)
		default:
			return values.ValueStr(i)
		}
	})
}
