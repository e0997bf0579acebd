package columnar

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// texts chooses for the types whose values are bytes, are written as text, or are nested.
func texts(t arrow.DataType, extension string) (event.Type, convertFunc, error) {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		if extension == "arrow.json" {
			return event.Type{Kind: event.JSONB}, convertJSON, nil
		}
		return event.Type{Kind: event.Text}, convertStrings, nil
	case *arrow.FixedSizeBinaryType:
		if extension == "arrow.uuid" && t.ByteWidth == 16 {
			return event.Type{Kind: event.UUID}, convertUUIDs, nil
		}
		return event.Type{Kind: event.Bytea}, convertBytes, nil
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType:
		return event.Type{Kind: event.Bytea}, convertBytes, nil
	case *arrow.Time32Type:
		return event.Type{Kind: event.Time}, convertClocks(t.Unit, func(values arrow.Array, i int) int64 { return int64(values.(*array.Time32).Value(i)) }), nil
	case *arrow.Time64Type:
		return event.Type{Kind: event.Time}, convertClocks(t.Unit, func(values arrow.Array, i int) int64 { return int64(values.(*array.Time64).Value(i)) }), nil
	case *arrow.MonthIntervalType, *arrow.DayTimeIntervalType, *arrow.MonthDayNanoIntervalType:
		return event.Type{Kind: event.Interval}, textsOf(interval), nil
	case arrow.NestedType:
		if depth := nesting(t, 0); depth > maxNesting {
			return event.Type{}, nil, fmt.Errorf("types nested more than %d deep", maxNesting)
		}
		return event.Type{Kind: event.JSONB}, convertNested, nil
	default:
		return event.Type{}, nil, fmt.Errorf("values of type %s cannot be stored", t)
	}
}

// convertClocks writes times of day of a unit as TIME is stored; what is finer than microseconds is cut off.
func convertClocks(unit arrow.TimeUnit, value func(values arrow.Array, i int) int64) convertFunc {
	return func(p *part, values arrow.Array) (arrow.Array, error) {
		out := newStrings(p)
		for i := range p.rows {
			if values.IsValid(i) {
				v := value(values, i)
				if micros, ok := toMicros(v, microsPer[unit]); ok && micros >= 0 && micros <= 86_400_000_000 {
					out.data = event.AppendTimeOfDay(out.data, micros)
				} else {
					p.refuse(i, "the time of day %s is out of range", clock(v, unit))
				}
			}
			if err := out.end(p); err != nil {
				return nil, err
			}
		}
		return event.NewStrings(out.offsets, out.data, event.ValidityOf(values)), nil
	}
}

// clock writes a time of day. The end of a day is 24:00:00, as in SQL, and what no day has is written as it is, not taken for another time.
func clock(v int64, unit arrow.TimeUnit) string {
	const layout = "15:04:05.999999999"
	day := int64(24 * time.Hour / unit.Multiplier())
	if v >= 0 && v < day {
		return time.Time{}.Add(time.Duration(v) * unit.Multiplier()).Format(layout)
	}
	sign, size := "", uint64(v)
	if v < 0 {
		sign, size = "-", -size
	}
	second := uint64(time.Second / unit.Multiplier())
	rest := time.Duration(size%(3600*second)) * unit.Multiplier() // less than an hour
	return fmt.Sprintf("%s%02d", sign, size/(3600*second)) + time.Time{}.Add(rest).Format(layout)[2:]
}

func interval(values arrow.Array, i int) string {
	switch a := values.(type) {
	case *array.MonthInterval:
		return event.FormatInterval(arrow.MonthDayNanoInterval{Months: int32(a.Value(i))})
	case *array.DayTimeInterval:
		v := a.Value(i)
		return event.FormatInterval(arrow.MonthDayNanoInterval{Days: v.Days, Nanoseconds: int64(v.Milliseconds) * 1e6})
	default:
		return event.FormatInterval(values.(*array.MonthDayNanoInterval).Value(i))
	}
}

// strings gathers the texts of a column.
type strings struct {
	offsets []int32
	data    []byte
}

func newStrings(p *part) *strings { return &strings{offsets: make([]int32, 1, p.rows+1)} }

// end ends a value. It asks for fewer rows where the column becomes too large.
func (s *strings) end(p *part) error {
	s.offsets = append(s.offsets, int32(len(s.data)))
	if len(s.data) > splitBytes && p.rows > 1 && !p.whole {
		return errSplit
	}
	return nil
}

// textsOf converts values by a function that writes one.
func textsOf(text func(values arrow.Array, i int) string) convertFunc {
	return func(p *part, values arrow.Array) (arrow.Array, error) {
		out := newStrings(p)
		for i := range p.rows {
			if values.IsValid(i) {
				out.data = append(out.data, text(values, i)...)
			}
			if err := out.end(p); err != nil {
				return nil, err
			}
		}
		return event.NewStrings(out.offsets, out.data, event.ValidityOf(values)), nil
	}
}

// stringAt is a text of any of Arrow's three types of them.
func stringAt(values arrow.Array, i int) string { return values.(array.StringLike).Value(i) }

func convertStrings(p *part, values arrow.Array) (arrow.Array, error) {
	if out, err := copyStrings(p, values, true); err != nil {
		return nil, err
	} else if out != nil {
		return out, nil
	}
	return textsOf(func(values arrow.Array, i int) string {
		text := stringAt(values, i)
		if !utf8.ValidString(text) {
			p.refuse(i, FaultUTF8)
		}
		return text
	})(p, values)
}

func convertJSON(p *part, values arrow.Array) (arrow.Array, error) {
	return textsOf(func(values arrow.Array, i int) string {
		text := stringAt(values, i)
		compact, ok := decode.CompactJSON(text)
		switch {
		case ok:
			return compact
		case utf8.ValidString(text):
			p.refuse(i, FaultJSON)
		default:
			p.refuse(i, FaultUTF8)
		}
		return "null"
	})(p, values)
}

// copyStrings copies texts or bytes as they lie in memory; nil where something about them has to be looked at one by one.
func copyStrings(p *part, values arrow.Array, text bool) (*array.String, error) {
	var offsets []int32
	var data []byte
	if p.rows == 0 { // such arrays need not have buffers
		return nil, nil
	}
	switch a := values.(type) {
	case *array.String:
		offsets, data = a.ValueOffsets(), a.ValueBytes()
	case *array.Binary:
		offsets, data = a.ValueOffsets(), a.ValueBytes()
	default:
		return nil, nil
	}
	if len(offsets) != p.rows+1 || p.rows != values.Len() || text && !utf8.Valid(data) {
		return nil, nil
	}
	if len(data) > splitBytes && p.rows > 1 && !p.whole {
		return nil, errSplit
	}
	out, first := make([]int32, p.rows+1), offsets[0]
	for i, o := range offsets {
		out[i] = o - first
		inside := out[i] > 0 && int(out[i]) < len(data)
		if i > 0 && out[i] < out[i-1] || text && inside && !utf8.RuneStart(data[out[i]]) { // half a character is in one value and half in the next
			return nil, nil
		}
	}
	if whole, ok := values.(*array.String); ok && p.given && first == 0 && values.Data().Offset() == 0 {
		return whole, nil
	}
	if p.given {
		return event.NewStrings(out, data, event.ValidityOf(values)).(*array.String), nil
	}
	return event.NewStrings(out, append([]byte(nil), data...), event.ValidityOf(values)).(*array.String), nil
}

// binaries are the arrays of any of Arrow's binary types.
type binaries interface{ Value(i int) []byte }

func bytesAt(values arrow.Array, i int) []byte { return values.(binaries).Value(i) }

func convertBytes(p *part, values arrow.Array) (arrow.Array, error) {
	if out, err := copyStrings(p, values, false); err != nil {
		return nil, err
	} else if out != nil {
		return event.AsBinary(out), nil
	}
	out := newStrings(p)
	for i := range p.rows {
		if values.IsValid(i) {
			out.data = append(out.data, bytesAt(values, i)...)
		}
		if err := out.end(p); err != nil {
			return nil, err
		}
	}
	return event.AsBinary(event.NewStrings(out.offsets, out.data, event.ValidityOf(values)).(*array.String)), nil
}

func convertUUIDs(p *part, values arrow.Array) (arrow.Array, error) {
	out := make([]decimal128.Num, p.rows)
	for i := range out {
		if values.IsValid(i) {
			out[i] = event.UUIDWord([16]byte(bytesAt(values, i)))
		}
	}
	return event.NewFixed(event.UUIDType, out, event.ValidityOf(values)), nil
}
