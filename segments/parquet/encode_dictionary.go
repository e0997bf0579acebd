package parquet

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// dictionary is an encoder that has a page of distinct values before the pages of codes.
type dictionary interface {
	encoder
	// page is the distinct values in PLAIN, and count how many they are.
	page() []byte
	count() int
}

// codeEncoder is RLE_DICTIONARY, but for the dictionary.
type codeEncoder struct {
	codes   []int32 // by row of the row group; not looked at for NULLs
	codec   rle.Encoding
	scratch []int32
	out     []byte
}

// dictionaryEncoder has the distinct texts of a row group, in order of first appearance, or sorted.
type dictionaryEncoder struct {
	codeEncoder
	texts *array.String
}

// newDictionaryEncoder is nil where a dictionary does not pay: see TextCodes.
func newDictionaryEncoder(rows arrow.Array) *dictionaryEncoder {
	d := &dictionaryEncoder{}
	if old, ok := rows.(*array.Dictionary); ok {
		d.codes, d.texts = recoded(old)
	} else {
		d.codes, d.texts = coded(rows.(*array.String))
	}
	if d.texts == nil {
		return nil
	}
	d.codec.BitWidth = codeBits(d.texts.Len())
	return d
}

// coded gives each row of a column the code of its text; without a dictionary where that does not pay.
func coded(rows *array.String) (codes []int32, dictionary *array.String) {
	table, valid := NewTextCodes(rows.Len(), rows.NullN()), event.ValidityOf(rows)
	codes = make([]int32, rows.Len())
	if !table.Fill(codes, valid, rows.Value) {
		return nil, nil
	}
	return codes, table.Dictionary()
}

// recoded is coded for a column that has a dictionary, which is taken as it is if its texts stand in order of first appearance:
// texts that it holds twice stay there twice.
func recoded(rows *array.Dictionary) (codes []int32, dictionary *array.String) {
	texts, codes := rows.Dictionary().(*array.String), arrow.GetValues[int32](rows.Indices().Data(), 1)
	valid := event.ValidityOf(rows)
	if limit := textLimit(rows.Len(), rows.NullN()); inOrder(codes, valid, texts.Len()) && fitsDictionary(texts.Len(), len(texts.ValueBytes()), limit) {
		return codes, texts
	}
	table, out := NewTextCodes(rows.Len(), rows.NullN()), make([]int32, len(codes))
	known := make([]int32, texts.Len()) // by code, the new code plus one
	for i, code := range codes {
		if !valid.Valid(i) {
			continue
		}
		if known[code] == 0 {
			known[code] = 1 + int32(table.table.Insert(texts.Value(int(code))))
			if !table.fits() {
				return nil, nil
			}
		}
		out[i] = known[code] - 1
	}
	return out, table.Dictionary()
}

// inOrder reports whether codes are numbered by their first appearance, and are all there are.
func inOrder(codes []int32, valid event.Bitmap, count int) bool {
	next := int32(0)
	for i, code := range codes {
		if code < next || !valid.Valid(i) {
			continue
		}
		if code > next {
			return false
		}
		next++
	}
	return int(next) == count
}

// sort puts the dictionary in order: then each text has much in common with the one before it.
func (d *dictionaryEncoder) sort() {
	order := make([]int32, d.texts.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(d.texts.Value(int(a)), d.texts.Value(int(b))) })
	ends, data := make([]int32, 1, len(order)+1), make([]byte, 0, len(d.texts.ValueBytes()))
	for _, old := range order {
		data = append(data, d.texts.Value(int(old))...)
		ends = append(ends, int32(len(data)))
	}
	d.texts = event.NewStrings(ends, data, nil).(*array.String)
	d.renumber(order)
}

// renumber gives the codes another order: of each new code the old one. Codes may be those of an array, and are not written to.
func (d *codeEncoder) renumber(order []int32) {
	renumbered, codes := make([]int32, len(order)), make([]int32, len(d.codes))
	for i, old := range order {
		renumbered[old] = int32(i)
	}
	for i, code := range d.codes {
		if uint(code) < uint(len(renumbered)) { // that of a NULL may be anything
			codes[i] = renumbered[code]
		}
	}
	d.codes = codes
}

// codeBits is how many bits tell so many values apart.
func codeBits(distinct int) int { return max(1, bits.Len(uint(max(0, distinct-1)))) }

func (d *dictionaryEncoder) count() int { return d.texts.Len() }

func (*codeEncoder) encoding() format.Encoding { return format.RLEDictionary }

// page is the dictionary itself, in PLAIN.
func (d *dictionaryEncoder) page() []byte {
	out := make([]byte, 0, len(d.texts.ValueBytes())+4*d.texts.Len())
	for number := range d.texts.Len() {
		out = appendText(out, d.texts.Value(number))
	}
	return out
}

// encode renders codes behind a byte that says how many bits one takes.
func (d *codeEncoder) encode(rows arrow.Array, first int) ([]byte, error) {
	codes := d.codes[first : first+rows.Len()]
	if rows.NullN() > 0 {
		d.scratch = d.scratch[:0]
		for i, code := range codes {
			if rows.IsValid(i) {
				d.scratch = append(d.scratch, code)
			}
		}
		codes = d.scratch
	}
	packed, err := d.codec.EncodeInt32(d.out, codes)
	if err != nil {
		return nil, err
	}
	d.out = packed
	return append([]byte{byte(d.codec.BitWidth)}, packed...), nil
}
