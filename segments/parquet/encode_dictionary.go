package parquet

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
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

// dictionaryEncoder is RLE_DICTIONARY: the distinct texts once for a row group, then codes.
type dictionaryEncoder struct {
	values  []string
	codes   []int32 // by row of the row group; not looked at for NULLs
	codec   rle.Encoding
	scratch []int32
	out     []byte
}

// newDictionaryEncoder is nil where a dictionary does not pay: there are too many distinct values, or more than half are, some
// thousands aside.
func newDictionaryEncoder(rows arrow.Array) *dictionaryEncoder {
	d := &dictionaryEncoder{codes: make([]int32, rows.Len())}
	probe := max(probeRows, rows.Len()/16)
	limit := min(maxDistinct, (rows.Len()-rows.NullN())/2+probeRows/2)
	seen := map[string]int32{}
	size, used := 0, 0
	for i := range rows.Len() {
		if rows.IsNull(i) {
			continue
		}
		text := event.StringAt(rows, i)
		used++
		code, ok := seen[text]
		if !ok {
			code = int32(len(d.values))
			seen[text] = code
			d.values = append(d.values, text)
			size += len(text)
			if len(d.values) > limit || size > maxDictionaryText || used == probe && len(d.values) > probe*7/8 {
				return nil
			}
		}
		d.codes[i] = code
	}
	d.codec.BitWidth = max(1, bits.Len(uint(max(0, len(d.values)-1))))
	return d
}

func (*dictionaryEncoder) encoding() format.Encoding { return format.RLEDictionary }

// page is the dictionary itself, in PLAIN.
func (d *dictionaryEncoder) page() []byte {
	var out []byte
	for _, text := range d.values {
		out = appendText(out, text)
	}
	return out
}

// encode renders codes behind a byte that says how many bits one takes.
func (d *dictionaryEncoder) encode(rows arrow.Array, first int) ([]byte, error) {
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
