package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// In the archive layout an encoding is chosen by trying: which one Zstandard makes the least of cannot be told from what the values look like.
const (
	// samplePages is how many pages of a row group stand for all.
	samplePages = 2
	// leastGain is the part, one in so many, that an encoding has to save beside one that is read faster.
	leastGain = 32
	// largeWords is from how many numbers on a dictionary has to save a fourth: looking them up takes several times as long as reading
	// differences.
	largeWords = 4096
	largeGain  = 4
)

// candidate is an encoding of a column of a row group.
type candidate struct {
	encoder
	// bits of a code, where there are codes: the same dictionary is tried with several.
	bits int
}

// use makes the encoder the one that the candidate is.
func (c candidate) use() encoder {
	switch e := c.encoder.(type) {
	case *dictionaryEncoder:
		e.codec.BitWidth = c.bits
	case *wordDictionary:
		e.codec.BitWidth = c.bits
	}
	return c.encoder
}

// leastGain is the part, one in so many, that the candidate has to save.
func (c candidate) leastGain() int {
	if d, ok := c.encoder.(*wordDictionary); ok && len(d.words) > largeWords {
		return largeGain
	}
	return leastGain
}

// archiveEncoder chooses the encoding that takes the least space of those that a type may have, and how hard Zstandard tries.
func (w *fileWriter) archiveEncoder(t event.Type, values arrow.Array, cuts []int) (encoder, error) {
	w.pack.hard = false
	candidates := candidatesFor(t, values)
	best, least := candidates[0], 0
	for i, c := range candidates {
		if len(candidates) == 1 {
			break
		}
		size, err := w.sizeOf(c, values, cuts)
		if err != nil {
			return nil, err
		}
		if i == 0 || size < least-least/c.leastGain() {
			best, least = c, size
		}
	}
	chosen := best.use()
	if event.ArrayBytes(values) < leastHardBytes {
		return chosen, nil
	}
	from, to := pageBounds(cuts, len(cuts)/2)
	plain, err := chosen.encode(array.NewSlice(values, int64(from), int64(to)), from)
	if err == nil {
		w.pack.chooseLevel(plain)
	}
	return chosen, err
}

// pageBounds are the rows of a page.
func pageBounds(cuts []int, page int) (from, to int) {
	if page > 0 {
		from = cuts[page-1]
	}
	return from, cuts[page]
}

// candidatesFor lists the encodings of a type, those that are read fastest first.
func candidatesFor(t event.Type, values arrow.Array) []candidate {
	switch t.Kind {
	case event.BigInt, event.TimestampTZ, event.Double:
		return wordCandidates(t, values)
	case event.Text, event.JSONB:
		out := []candidate{{encoder: &textEncoder{}}, {encoder: &lengthsEncoder{}}}
		if d := newDictionaryEncoder(values); d != nil {
			d.sort()
			return append(codeCandidates(d, d.codec.BitWidth), out...)
		}
		return out
	default:
		return []candidate{{encoder: newEncoder(t, values)}}
	}
}

func wordCandidates(t event.Type, values arrow.Array) (out []candidate) {
	out = append(out, candidate{encoder: &plainEncoder{}})
	if t.Kind != event.Double {
		out = append(out, candidate{encoder: &deltaEncoder{}})
	}
	if d := newWordDictionary(values); d != nil {
		out = append(out, codeCandidates(d, d.codec.BitWidth)...)
	}
	return out
}

// codeCandidates tries codes of as many bits as they need, and of whole bytes: those are longer, and Zstandard sees that some are more frequent.
func codeCandidates(d encoder, bits int) []candidate {
	out := []candidate{{d, bits}}
	if whole := (bits + 7) / 8 * 8; whole != bits {
		out = append(out, candidate{d, whole})
	}
	return out
}

// sizeOf is about how many bytes a column of a row group takes, by some of its pages.
func (w *fileWriter) sizeOf(c candidate, values arrow.Array, cuts []int) (int, error) {
	e := c.use()
	size, rows := 0, 0
	pages := min(samplePages, len(cuts))
	for i := range pages {
		from, to := pageBounds(cuts, (2*i+1)*len(cuts)/(2*pages))
		plain, err := e.encode(array.NewSlice(values, int64(from), int64(to)), from)
		if err != nil {
			return 0, err
		}
		if body := w.pack.compress(plain); w.pack.pays(plain, body) {
			size += len(body)
		} else {
			size += len(plain)
		}
		rows += to - from
	}
	size = int(int64(size) * int64(values.Len()) / int64(max(1, rows)))
	if d, ok := e.(dictionary); ok {
		size += len(w.pack.compressAnyway(d.page()))
	}
	return size, nil
}
