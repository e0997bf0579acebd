package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// jsonKeys is the key column of JSONB. Values that `=` takes as equal are one group, however they are spelled, and the group shows
// their canonical spelling. Every spelling is put into that form once.
type jsonKeys struct {
	spellings *textTable
	canonical *textTable
	numbers   []uint32 // by spelling: the number of its canonical form
	null      nullCode
}

func newJSONKeys() *jsonKeys { return &jsonKeys{spellings: newTextTable(), canonical: newTextTable()} }

func (k *jsonKeys) encode(values arrow.Array, codes []uint32) {
	var dictionary []int32
	texts := values
	if d, ok := values.(*array.Dictionary); ok {
		dictionary, texts = arrow.GetValues[int32](d.Data(), 1), d.Dictionary()
	}
	spelled, nulls := texts.(*array.String), values.NullN() > 0
	for i := range codes {
		if nulls && values.IsNull(i) {
			codes[i] = k.null.take(k.canonical.count())
			continue
		}
		at := i
		if dictionary != nil {
			at = int(dictionary[i])
		}
		codes[i] = k.null.code(k.number(spelled.Value(at)))
	}
}

func (k *jsonKeys) number(text string) uint32 {
	spelling := k.spellings.insert(text)
	if int(spelling) == len(k.numbers) {
		k.numbers = append(k.numbers, k.canonical.insert(kernel.CanonicalJSON(text)))
	}
	return k.numbers[spelling]
}

func (k *jsonKeys) count() int { return k.null.count(k.canonical.count()) }

func (k *jsonKeys) decode(codes []uint32) (arrow.Array, error) {
	entries, err := k.canonical.column()
	if err != nil {
		return nil, err
	}
	numbers, valid := k.null.numbers(codes)
	return event.NewDictionary(numbers, entries, valid), nil
}

func (k *jsonKeys) bytes() int64 {
	return k.spellings.bytes() + k.canonical.bytes() + int64(4*cap(k.numbers))
}
