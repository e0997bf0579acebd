package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/texts"
)

const (
	// maxDistinct is where a code for each row and the dictionary together save little over the text. A dictionary that large
	// still pays: who groups by the column hashes each text once for a row group and not once for each row.
	maxDistinct = 512 << 10
	// maxDictionaryText bounds a dictionary in bytes: readers hold it as a whole.
	maxDictionaryText = 16 << 20
	// probeRows is the least number of rows that decide that nearly every value is new, so that the rest need not be hashed. A
	// sixteenth of the rows is asked where that is more: 8,192 rows out of 200,000 values hardly repeat one.
	probeRows = 8 << 10
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

// dictionaryEncoder has the distinct texts of a row group.
type dictionaryEncoder struct {
	codeEncoder
	texts *texts.Table
}

// newDictionaryEncoder is nil where a dictionary does not pay: there are too many distinct values, or more than half are, some
// thousands aside.
func newDictionaryEncoder(rows arrow.Array) *dictionaryEncoder {
	d := &dictionaryEncoder{texts: texts.New(), codeEncoder: codeEncoder{codes: make([]int32, rows.Len())}}
	probe := max(probeRows, rows.Len()/16)
	limit := min(maxDistinct, (rows.Len()-rows.NullN())/2+probeRows/2)
	nulls, used := rows.NullN() > 0, 0
	for i := range d.codes {
		if nulls && rows.IsNull(i) {
			continue
		}
		d.codes[i] = int32(d.texts.Insert(event.StringAt(rows, i)))
		used++
		if used&(probeRows-1) != 0 {
			continue
		}
		if d.tooLarge(limit) || used/probeRows == probe/probeRows && d.texts.Len() > used*7/8 {
			return nil
		}
	}
	if d.tooLarge(limit) {
		return nil
	}
	d.codec.BitWidth = codeBits(d.texts.Len())
	return d
}

func (d *dictionaryEncoder) tooLarge(limit int) bool {
	data, _ := d.texts.Layout()
	return d.texts.Len() > limit || len(data) > maxDictionaryText
}

// codeBits is how many bits tell so many values apart.
func codeBits(distinct int) int { return max(1, bits.Len(uint(max(0, distinct-1)))) }

func (d *dictionaryEncoder) count() int { return d.texts.Len() }

func (*codeEncoder) encoding() format.Encoding { return format.RLEDictionary }

// page is the dictionary itself, in PLAIN.
func (d *dictionaryEncoder) page() []byte {
	data, _ := d.texts.Layout()
	out := make([]byte, 0, len(data)+4*d.texts.Len())
	for number := range d.texts.Len() {
		text := d.texts.At(uint32(number))
		out = append(binary.LittleEndian.AppendUint32(out, uint32(len(text))), text...)
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
