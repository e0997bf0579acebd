package parquet

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// maxWords is the most distinct values that a dictionary of numbers has: it stays in the second cache of a processor while codes of 16 bits are
// looked up.
const maxWords = 64 << 10

// wordDictionary has the distinct values of 8 bytes of a row group: measurements of few digits, settings, states. It is for the archive
// layout only, since plain values are read faster.
type wordDictionary struct {
	codeEncoder
	words []int64
}

// newWordDictionary is nil where there are too many distinct values.
func newWordDictionary(rows arrow.Array) *wordDictionary {
	values := int64s(rows)
	d := &wordDictionary{codeEncoder: codeEncoder{codes: make([]int32, len(values))}}
	limit := min(maxWords, (len(values)+1)/2)
	numbers := map[int64]int32{}
	for i, v := range values {
		if rows.IsNull(i) {
			continue
		}
		number, ok := numbers[v]
		if !ok {
			if len(d.words) == limit {
				return nil
			}
			number = int32(len(d.words))
			numbers[v] = number
			d.words = append(d.words, v)
		}
		d.codes[i] = number
	}
	d.sort()
	d.codec.BitWidth = codeBits(len(d.words))
	return d
}

// sort gives the codes the order of the words.
func (d *wordDictionary) sort() {
	order := make([]int32, len(d.words))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(d.words[a], d.words[b]) })
	d.renumber(order)
	slices.Sort(d.words)
}

func (d *wordDictionary) count() int { return len(d.words) }

func (d *wordDictionary) page() []byte {
	out := make([]byte, 0, 8*len(d.words))
	for _, v := range d.words {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	return out
}

// expandWords puts the values of a dictionary in the place of their codes, which lie in it.
func expandWords(kind event.Kind, codes *codeDecoder, words []int64) arrow.Array {
	out := &wordDecoder{kind: kind, validity: codes.validity, values: make([]int64, len(codes.codes))}
	if len(words) > 0 {
		for i, code := range codes.codes {
			out.values[i] = words[code]
		}
	}
	return out.array()
}
