package segments

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// gather brings one column of several batches into a new order, as one array.
func gather(t event.Type, parts []arrow.Array, order []place) (arrow.Array, error) {
	valid := gatherValid(parts, order)
	switch t.Kind {
	case event.Boolean:
		return gatherBooleans(parts, order, valid), nil
	case event.BigInt:
		values := gatherFixed(parts, order, func(a arrow.Array) []int64 { return a.(*array.Int64).Int64Values() })
		return event.NewInt64s(values, valid), nil
	case event.TimestampTZ:
		values := gatherFixed(parts, order, func(a arrow.Array) []arrow.Timestamp { return a.(*array.Timestamp).TimestampValues() })
		return event.NewFixed(event.Timestamp, values, valid), nil
	case event.Double:
		values := gatherFixed(parts, order, func(a arrow.Array) []float64 { return a.(*array.Float64).Float64Values() })
		return event.NewFloat64s(values, valid), nil
	case event.Text, event.JSONB:
		return gatherText(parts, order, valid)
	default:
		return gatherDeclared(t, parts, order, valid)
	}
}

// gatherDeclared is gather for the types that columns have only by declaration.
func gatherDeclared(t event.Type, parts []arrow.Array, order []place, valid event.Bitmap) (arrow.Array, error) {
	switch t.Kind {
	case event.SmallInt:
		return event.NewFixed(t.Arrow(), gatherFixed(parts, order, fixedValues[int16]), valid), nil
	case event.Integer, event.Date:
		return event.NewFixed(t.Arrow(), gatherFixed(parts, order, fixedValues[int32]), valid), nil
	case event.Real:
		return event.NewFixed(t.Arrow(), gatherFixed(parts, order, fixedValues[float32]), valid), nil
	case event.Numeric, event.UUID:
		return event.NewFixed(t.Arrow(), gatherFixed(parts, order, event.Words), valid), nil
	case event.Bytea:
		texts := make([]arrow.Array, len(parts))
		for i, part := range parts {
			texts[i] = event.AsText(part.(*array.Binary))
		}
		out, err := gatherText(texts, order, valid)
		if err != nil {
			return nil, err
		}
		return event.AsBinary(out.(*array.String)), nil
	default:
		return nil, event.Errorf(event.CodeNotSupported, "segments do not store %s", t)
	}
}

func fixedValues[T arrow.FixedWidthType](a arrow.Array) []T { return arrow.GetValues[T](a.Data(), 1) }

// gatherValid is nil where nothing is NULL.
func gatherValid(parts []arrow.Array, order []place) event.Bitmap {
	nulls := 0
	for _, part := range parts {
		nulls += part.NullN()
	}
	if nulls == 0 {
		return nil
	}
	out := event.NewBitmap(len(order))
	for i, p := range order {
		if parts[p.batch].IsValid(int(p.row)) {
			out.Set(i)
		}
	}
	return out
}

func gatherFixed[T any](parts []arrow.Array, order []place, values func(arrow.Array) []T) []T {
	from := make([][]T, len(parts))
	for i, part := range parts {
		from[i] = values(part)
	}
	out := make([]T, len(order))
	for i, p := range order {
		out[i] = from[p.batch][p.row]
	}
	return out
}

func gatherBooleans(parts []arrow.Array, order []place, valid event.Bitmap) arrow.Array {
	out := event.NewBitmap(len(order))
	for i, p := range order {
		if values := parts[p.batch].(*array.Boolean); values.IsValid(int(p.row)) && values.Value(int(p.row)) {
			out.Set(i)
		}
	}
	return event.NewBooleans(out, len(order), valid)
}

func gatherText(parts []arrow.Array, order []place, valid event.Bitmap) (arrow.Array, error) {
	offsets := make([]int32, 1, len(order)+1)
	data := make([]byte, 0, textBytes(parts))
	for i, p := range order {
		if valid.Valid(i) {
			data = append(data, event.StringAt(parts[p.batch], int(p.row))...)
		}
		if len(data) > math.MaxInt32 {
			return nil, event.Errorf(event.CodeTooLarge, "more than %d bytes of text in one segment", math.MaxInt32)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid), nil
}

// textBytes is how much text the parts hold; those with a dictionary count nothing, since their total is not known.
func textBytes(parts []arrow.Array) int {
	total := 0
	for _, part := range parts {
		if text, ok := part.(*array.String); ok {
			total += len(text.ValueBytes())
		}
	}
	return total
}
