package segments

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// sortedRows are the rows of several batches in a new order, gathered one column at a time into the same memory.
type sortedRows struct {
	columns []event.Column
	parts   [][]arrow.Array // by column, then batch
	order   []place
	steps   []*steps // by column; nil, as a whole too, for those that have parts
	// longest is by column the length of the longest text, total that of all or a bound, and text how much the rows have: negative, and nil, before
	// they are asked for.
	longest, total []int
	text           []*textSums
	layout         parquet.Layout
	gatherer
}

func newSortedRows(columns []event.Column, parts [][]arrow.Array, order []place, layout parquet.Layout) *sortedRows {
	s := &sortedRows{
		columns: columns, parts: parts, order: order, layout: layout,
		longest: make([]int, len(columns)), total: make([]int, len(columns)), text: make([]*textSums, len(columns)),
	}
	for i := range columns {
		if coded := mostlyDictionaries(parts[i]); coded != nil {
			parts[i] = coded
		}
		for _, part := range parts[i] {
			s.longest[i] = max(s.longest[i], longestText(part))
		}
		s.total[i] = -1
	}
	return s
}

// totalText is how much text a column has, or a bound where it is no column of text. It is asked for where the longest text leaves a doubt.
func (s *sortedRows) totalText(column int) int {
	if s.total[column] < 0 {
		s.total[column] = 0
		for _, part := range s.parts[column] {
			s.total[column] += totalText(part, s.longest[column])
		}
	}
	return s.total[column]
}

// totalText is how much text an array has, or a bound where it is no column of text.
func totalText(values arrow.Array, longest int) int {
	switch a := values.(type) {
	case *array.String:
		return len(a.ValueBytes())
	case *array.Dictionary:
		view, valid, total := newTextView(a), event.ValidityOf(a), 0
		for row := range a.Len() {
			if valid.Valid(row) { // the code of a NULL may be anything
				from, to := view.span(int32(row))
				total += int(to - from)
			}
		}
		return total
	default:
		return longest * values.Len()
	}
}

// longestText is the length of the longest text of an array; 0 where it holds none.
func longestText(values arrow.Array) int {
	longest := int32(0)
	switch a := values.(type) {
	case *array.String:
		for i, offsets := 1, a.ValueOffsets(); i < len(offsets); i++ {
			longest = max(longest, offsets[i]-offsets[i-1])
		}
	case *array.Binary:
		return longestText(event.AsText(a))
	case *array.Dictionary:
		return longestText(a.Dictionary())
	}
	return int(longest)
}

// Len implements parquet.Rows.
func (s *sortedRows) Len() int { return len(s.order) }

// Advance implements parquet.Rows: all rows are there already.
func (s *sortedRows) Advance(ctx context.Context, _, _ int) error { return ctx.Err() }

// TextBytes implements parquet.Rows. A bound that is too high does not matter where no page or row group ends for as much.
func (s *sortedRows) TextBytes(column, from, to int) int {
	limit := s.layout.PageText
	if to-from > s.layout.PageRows {
		limit = max(limit, s.layout.GroupText)
	}
	bound := s.longest[column] * (to - from)
	if bound > limit {
		bound = min(bound, s.totalText(column))
	}
	if bound <= limit {
		return bound
	}
	if s.text[column] == nil {
		s.text[column] = s.sums(column)
	}
	return s.text[column].between(from, to)
}

func (s *sortedRows) sums(column int) *textSums {
	lengths := make([][]uint32, len(s.parts[column]))
	for i, part := range s.parts[column] {
		lengths[i] = textLengths(nil, part)
	}
	out := &textSums{}
	out.addPlaces(s.order, lengths)
	return out
}

// Column implements parquet.Rows.
func (s *sortedRows) Column(ctx context.Context, column, from, to int) (arrow.Array, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.steps != nil && s.steps[column] != nil {
		return s.gatherSteps(s.columns[column].Type, s.steps[column], s.order[from:to]), nil
	}
	text := s.TextBytes(column, from, to)
	if !allDictionaries(s.parts[column]) { // memory for it is taken, which the bound may be far above
		text = min(text, s.totalText(column))
	}
	return s.gather(s.columns[column].Type, s.parts[column], s.order[from:to], text)
}

// gatherer puts rows of several arrays of one column into a new order. What it makes is good until the next call; textBytes is a bound of the
// text of those rows.
type gatherer struct {
	words []int64
	text  []byte
}

// int64s is memory for n numbers of the column at hand, of any content.
func (g *gatherer) int64s(n int) []int64 {
	if cap(g.words) < n {
		g.words = make([]int64, n)
	}
	return g.words[:n]
}

// int32s is the same memory for n codes.
func (g *gatherer) int32s(n int) []int32 {
	return arrow.GetData[int32](arrow.GetBytes(g.int64s((n + 1) / 2)))[:n]
}

func (g *gatherer) gather(t event.Type, parts []arrow.Array, order []place, textBytes int) (arrow.Array, error) {
	valid := gatherValid(parts, order)
	switch t.Kind {
	case event.Boolean:
		return gatherBooleans(parts, order, valid), nil
	case event.BigInt:
		return event.NewInt64s(g.gatherWords(parts, order), valid), nil
	case event.TimestampTZ:
		return event.NewTimestamps(g.gatherWords(parts, order), valid), nil
	case event.Double:
		return event.NewFloat64s(arrow.GetData[float64](arrow.GetBytes(g.gatherWords(parts, order))), valid), nil
	case event.Text, event.JSONB:
		if allDictionaries(parts) {
			return g.gatherCodes(parts, order, valid), nil
		}
		if coded := g.gatherNumbers(parts, order, valid); coded != nil {
			return coded, nil
		}
		return g.gatherText(parts, order, valid, textBytes)
	default:
		return g.gatherDeclared(t, parts, order, valid, textBytes)
	}
}

// gatherSteps is gather for a column of steps.
func (g *gatherer) gatherSteps(t event.Type, s *steps, order []place) arrow.Array {
	out := g.int64s(len(order))
	for i, p := range order {
		out[i] = s.at(p)
	}
	if t.Kind == event.TimestampTZ {
		return event.NewTimestamps(out, nil)
	}
	return event.NewInt64s(out, nil)
}

// gatherWords gathers values of 8 bytes, whatever they mean.
func (g *gatherer) gatherWords(parts []arrow.Array, order []place) []int64 {
	out := g.int64s(len(order))
	if first, step, ok := evenSteps(parts); ok {
		for i, p := range order {
			out[i] = first[p.batch] + step*int64(p.row)
		}
		return out
	}
	return gatherInto(out, parts, order, fixedValues[int64])
}

// evenSteps finds out whether in every array each value is the one before it, or each the one before it plus one, as partition, times of arrival and
// offsets of a batch are: such values need not be fetched from where they lie.
func evenSteps(parts []arrow.Array) (first []int64, step int64, ok bool) {
	first, known := make([]int64, len(parts)), false
	for i, part := range parts {
		values := fixedValues[int64](part)
		if len(values) == 0 {
			continue
		}
		first[i] = values[0]
		if len(values) == 1 {
			continue
		}
		if !known {
			step, known = values[1]-values[0], true
		}
		if step != 0 && step != 1 || !even(values, step) {
			return nil, 0, false
		}
	}
	return first, step, true
}

func even(values []int64, step int64) bool {
	for i, v := range values[1:] {
		if v-values[i] != step {
			return false
		}
	}
	return true
}

// gatherDeclared is gather for the types that columns have only by declaration.
func (g *gatherer) gatherDeclared(t event.Type, parts []arrow.Array, order []place, valid event.Bitmap, textBytes int) (arrow.Array, error) {
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
		out, err := g.gatherText(texts, order, valid, textBytes)
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
	views := make([]bitView, len(parts))
	for i, part := range parts {
		if part.NullN() > 0 {
			views[i] = newBitView(part, 0)
		}
	}
	return gatherBits(views, order)
}

// bitView is a bitmap of an array, looked up once and not for each row.
type bitView struct {
	bits event.Bitmap // nil where all are set
	at   int32
}

// bit is 1 where the bit of a row is set, else 0.
func (v *bitView) bit(row int32) byte {
	if v.bits == nil {
		return 1
	}
	at := row + v.at
	return v.bits[at>>3] >> (at & 7) & 1
}

func newBitView(values arrow.Array, buffer int) bitView {
	marks := values.Data().Buffers()
	if len(marks) > buffer && marks[buffer] != nil {
		return bitView{bits: marks[buffer].Bytes(), at: int32(values.Data().Offset())}
	}
	return bitView{bits: event.NewBitmap(values.Len())} // every row is NULL, or without a value
}

func gatherBits(views []bitView, order []place) event.Bitmap {
	out := event.NewBitmap(len(order))
	for to := range out {
		bits := byte(0)
		for i, p := range order[8*to : min(8*to+8, len(order))] {
			bits |= views[p.batch].bit(p.row) << i
		}
		out[to] = bits
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
	views := make([]bitView, len(parts))
	for i, part := range parts {
		views[i] = newBitView(part, 1)
	}
	return event.NewBooleans(gatherBits(views, order), len(order), valid)
}
