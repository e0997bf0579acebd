package segments

import (
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// sortedRows are the rows of several batches in a new order, gathered one column at a time into the same memory.
type sortedRows struct {
	columns []event.Column
	parts   [][]arrow.Array // by column, then batch
	order   []place
	longest []int // by column: the length of the longest text
	memory  event.Buffers
	text    []byte
}

func newSortedRows(columns []event.Column, parts [][]arrow.Array, order []place) *sortedRows {
	s := &sortedRows{columns: columns, parts: parts, order: order, longest: make([]int, len(columns))}
	for i := range columns {
		for _, part := range parts[i] {
			s.longest[i] = max(s.longest[i], longestText(part))
		}
	}
	return s
}

// longestText is the length of the longest text of an array; 0 where it holds none.
func longestText(values arrow.Array) int {
	longest := int32(0)
	switch a := values.(type) {
	case *array.String:
		for i, offsets := 1, a.ValueOffsets(); i < len(offsets); i++ {
			longest = max(longest, offsets[i]-offsets[i-1])
		}
	case *array.Dictionary:
		return longestText(a.Dictionary())
	}
	return int(longest)
}

// Len implements parquet.Rows.
func (s *sortedRows) Len() int { return len(s.order) }

// TextBytes implements parquet.Rows. The bound is exact only where the longest text as often as there are rows would be too much.
func (s *sortedRows) TextBytes(column, from, to int) int {
	const enough = 1 << 20
	if bound := s.longest[column] * (to - from); bound <= enough {
		return bound
	}
	total := 0
	for _, p := range s.order[from:to] {
		if part := s.parts[column][p.batch]; part.IsValid(int(p.row)) {
			total += len(event.StringAt(part, int(p.row)))
		}
	}
	return total
}

// Column implements parquet.Rows.
func (s *sortedRows) Column(ctx context.Context, column, from, to int) (arrow.Array, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.memory.Reset()
	t, parts, order := s.columns[column].Type, s.parts[column], s.order[from:to]
	valid := gatherValid(parts, order)
	switch t.Kind {
	case event.Boolean:
		return gatherBooleans(parts, order, valid), nil
	case event.BigInt:
		return event.NewInt64s(s.gatherWords(parts, order), valid), nil
	case event.TimestampTZ:
		return event.NewTimestamps(s.gatherWords(parts, order), valid), nil
	case event.Double:
		return event.NewFloat64s(arrow.GetData[float64](arrow.GetBytes(s.gatherWords(parts, order))), valid), nil
	case event.Text, event.JSONB:
		return s.gatherText(parts, order, valid)
	default:
		return s.gatherDeclared(t, parts, order, valid)
	}
}

// gatherWords gathers values of 8 bytes, whatever they mean.
func (s *sortedRows) gatherWords(parts []arrow.Array, order []place) []int64 {
	return gatherInto(s.memory.Int64s(len(order)), parts, order, fixedValues[int64])
}

// gatherDeclared is Column for the types that columns have only by declaration.
func (s *sortedRows) gatherDeclared(t event.Type, parts []arrow.Array, order []place, valid event.Bitmap) (arrow.Array, error) {
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
		out, err := s.gatherText(texts, order, valid)
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
	return gatherInto(make([]T, len(order)), parts, order, values)
}

func gatherInto[T any](out []T, parts []arrow.Array, order []place, values func(arrow.Array) []T) []T {
	from := make([][]T, len(parts))
	for i, part := range parts {
		from[i] = values(part)
	}
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

func (s *sortedRows) gatherText(parts []arrow.Array, order []place, valid event.Bitmap) (arrow.Array, error) {
	views := make([]textView, len(parts))
	for i, part := range parts {
		views[i] = newTextView(part)
	}
	if n := textBytes(parts); cap(s.text) < n {
		s.text = make([]byte, 0, n)
	}
	offsets, data := s.memory.Int32s(len(order)+1), s.text[:0]
	offsets[0] = 0
	for i, p := range order {
		if valid.Valid(i) {
			data = append(data, views[p.batch].at(p.row)...)
		}
		if len(data) > math.MaxInt32 {
			return nil, event.Errorf(event.CodeTooLarge, "more than %d bytes of text in one segment", math.MaxInt32)
		}
		offsets[i+1] = int32(len(data))
	}
	s.text = data
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

// textView is the memory of a text column in either of its forms, looked up once and not for each row.
type textView struct {
	codes   []int32 // nil where the values stand in row order
	offsets []int32
	data    []byte
}

func newTextView(values arrow.Array) textView {
	if d, ok := values.(*array.Dictionary); ok {
		view := newTextView(d.Dictionary())
		view.codes = fixedValues[int32](d)
		return view
	}
	text := values.(*array.String)
	view := textView{offsets: text.ValueOffsets()}
	if buffer := text.Data().Buffers()[2]; buffer != nil {
		view.data = buffer.Bytes()
	}
	return view
}

func (v *textView) at(row int32) []byte {
	if v.codes != nil {
		row = v.codes[row]
	}
	return v.data[v.offsets[row]:v.offsets[row+1]]
}
