package segments

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/texts"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

func (g *gatherer) gatherText(parts []arrow.Array, order []place, valid event.Bitmap, textBytes int) (arrow.Array, error) {
	views := textViews(parts)
	if n := textBytes + shortText; cap(g.text) < n {
		g.text = make([]byte, 0, n)
	}
	offsets, data := g.int32s(len(order)+1), g.text[:0]
	offsets[0] = 0
	for i, p := range order {
		if valid.Valid(i) {
			v := &views[p.batch]
			from, to := v.span(p.row)
			if end := len(data); to-from <= shortText && int(from)+shortText <= len(v.data) && end+shortText <= cap(data) {
				moveShort(data[end:end+shortText], v.data[from:from+shortText])
				data = data[:end+int(to-from)]
			} else {
				data = append(data, v.data[from:to]...)
			}
		}
		if len(data) > math.MaxInt32 {
			return nil, event.Errorf(event.CodeTooLarge, "more than %d bytes of text in one row group", math.MaxInt32)
		}
		offsets[i+1] = int32(len(data))
	}
	g.text = data
	return event.NewStrings(offsets, data, valid), nil
}

// shortText is the length up to which texts are copied without asking how long they are.
const shortText = 32

// moveShort copies shortText bytes, word by word: of whole arrays the compiler knows only that they may overlap, and calls for a move.
func moveShort(into, text []byte) {
	_, _ = into[shortText-1], text[shortText-1]
	binary.LittleEndian.PutUint64(into, binary.LittleEndian.Uint64(text))
	binary.LittleEndian.PutUint64(into[8:], binary.LittleEndian.Uint64(text[8:]))
	binary.LittleEndian.PutUint64(into[16:], binary.LittleEndian.Uint64(text[16:]))
	binary.LittleEndian.PutUint64(into[24:], binary.LittleEndian.Uint64(text[24:]))
}

// gatherNumbers is gatherText with a dictionary of the texts, made from where they lie; nil where that does not pay.
func (g *gatherer) gatherNumbers(parts []arrow.Array, order []place, valid event.Bitmap) arrow.Array {
	views := textViews(parts)
	table, codes := parquet.NewTextCodes(len(order), valid.Nulls(len(order))), g.int32s(len(order))
	pays := table.Fill(codes, valid, func(row int) string {
		p := order[row]
		text := views[p.batch].at(p.row)
		return unsafe.String(unsafe.SliceData(text), len(text))
	})
	if !pays {
		return nil
	}
	dictionary := table.Dictionary()
	if dictionary == nil {
		return nil
	}
	return event.NewDictionary(codes, dictionary, valid)
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
	offsets, data := event.TextLayout(values.(*array.String))
	return textView{offsets: offsets, data: data}
}

func (v *textView) at(row int32) []byte {
	from, to := v.span(row)
	return v.data[from:to]
}

// span is where the text of a row begins and ends.
func (v *textView) span(row int32) (from, to int32) {
	if v.codes != nil {
		row = v.codes[row]
	}
	return v.offsets[row], v.offsets[row+1]
}

// allDictionaries reports whether every array is a dictionary; false without any.
func allDictionaries(parts []arrow.Array) bool {
	for _, part := range parts {
		if _, ok := part.(*array.Dictionary); !ok {
			return false
		}
	}
	return len(parts) > 0
}

// mostlyDictionaries gives the arrays as dictionaries, where most of their rows are in such already, as those of large requests are, and the others
// can be; else nil.
func mostlyDictionaries(parts []arrow.Array) []arrow.Array {
	coded, rows, others := slices.Clone(parts), 0, 0
	for _, part := range parts {
		if rows += part.Len(); part.DataType().ID() != arrow.DICTIONARY {
			others += part.Len()
		}
	}
	if 2*others >= rows {
		return nil
	}
	for i, part := range parts {
		if text, ok := part.(*array.String); ok {
			if coded[i] = withCodes(text); coded[i] == nil {
				return nil
			}
		}
	}
	return coded
}

// withCodes makes a dictionary of texts; nil where that does not pay.
func withCodes(values *array.String) arrow.Array {
	view, valid := newTextView(values), event.ValidityOf(values)
	table, codes := parquet.NewTextCodes(values.Len(), values.NullN()), make([]int32, values.Len())
	pays := table.Fill(codes, valid, func(row int) string {
		text := view.at(int32(row))
		return unsafe.String(unsafe.SliceData(text), len(text))
	})
	if !pays {
		return nil
	}
	if dictionary := table.Dictionary(); dictionary != nil {
		return event.NewDictionary(codes, dictionary, valid)
	}
	return nil
}

// gatherCodes is gatherText where all parts have dictionaries: each text is looked at once for each part and not for each row.
func (g *gatherer) gatherCodes(parts []arrow.Array, order []place, valid event.Bitmap) arrow.Array {
	union := texts.New()
	codes, known := make([][]int32, len(parts)), make([][]int32, len(parts)) // known: by code, the number in the union plus one
	for i, part := range parts {
		d := part.(*array.Dictionary)
		codes[i], known[i] = fixedValues[int32](d), make([]int32, d.Dictionary().Len())
	}
	out := g.int32s(len(order))
	for i, p := range order {
		if !valid.Valid(i) {
			out[i] = 0
			continue
		}
		code := codes[p.batch][p.row]
		number := known[p.batch][code]
		if number == 0 {
			number = 1 + int32(union.Insert(parts[p.batch].(*array.Dictionary).Dictionary().(*array.String).Value(int(code))))
			known[p.batch][code] = number
		}
		out[i] = number - 1
	}
	data, ends := union.Layout()
	offsets := make([]int32, 1, len(ends)+1)
	for _, end := range ends {
		offsets = append(offsets, int32(end))
	}
	return event.NewDictionary(out, event.NewStrings(offsets, data, nil), valid)
}
