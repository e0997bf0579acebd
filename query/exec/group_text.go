package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// textKeys is the key column of TEXT. A dictionary's entries are looked
// up once for as long as batches with the same dictionary follow each other.
type textKeys struct {
	table      *textTable
	null       nullCode
	dictionary arrow.ArrayData // of the latest batch; held, so that its address names nothing else meanwhile
	known      []uint32        // by dictionary code: the code here plus one, or 0 if not looked up yet
}

func newTextKeys() *textKeys { return &textKeys{table: newTextTable()} }

func (k *textKeys) encode(values arrow.Array, codes []uint32) {
	if d, ok := values.(*array.Dictionary); ok {
		k.encodeDictionary(d, codes)
		return
	}
	k.encodePlain(values.(*array.String), codes)
}

func (k *textKeys) encodeDictionary(d *array.Dictionary, codes []uint32) {
	entries := d.Dictionary().(*array.String)
	if data := entries.Data(); data != k.dictionary {
		k.dictionary = data
		k.known = resized(k.known, entries.Len())
		clear(k.known)
	}
	if d.NullN() > 0 {
		k.encodeWithNulls(d, entries, codes)
		return
	}
	known := k.known
	for i, entry := range arrow.GetValues[int32](d.Data(), 1) {
		code := known[entry]
		if code == 0 {
			code = k.lookUp(entries, entry)
		}
		codes[i] = code - 1
	}
}

func (k *textKeys) encodeWithNulls(d *array.Dictionary, entries *array.String, codes []uint32) {
	for i, entry := range arrow.GetValues[int32](d.Data(), 1) {
		if d.IsNull(i) {
			codes[i] = k.null.take(k.table.count())
			continue
		}
		code := k.known[entry]
		if code == 0 {
			code = k.lookUp(entries, entry)
		}
		codes[i] = code - 1
	}
}

// lookUp notes the code of a dictionary's entry, which never changes: NULL takes a code above those already given.
func (k *textKeys) lookUp(entries *array.String, entry int32) uint32 {
	k.known[entry] = k.null.code(k.table.insert(entries.Value(int(entry)))) + 1
	return k.known[entry]
}

func (k *textKeys) encodePlain(values *array.String, codes []uint32) {
	nulls := values.NullN() > 0
	last, lastCode, same := "", uint32(0), false
	for i := range codes {
		if nulls && values.IsNull(i) {
			codes[i], same = k.null.take(k.table.count()), false
			continue
		}
		if text := values.Value(i); !same || text != last {
			last, lastCode, same = text, k.null.code(k.table.insert(text)), true
		}
		codes[i] = lastCode
	}
}

func (k *textKeys) count() int { return k.null.count(k.table.count()) }

// decode gives a dictionary over all texts: groups by several columns repeat each of them many times.
func (k *textKeys) decode(codes []uint32) (arrow.Array, error) {
	entries, err := k.table.column()
	if err != nil {
		return nil, err
	}
	numbers, valid := k.null.numbers(codes)
	return event.NewDictionary(numbers, entries, valid), nil
}

func (k *textKeys) bytes() int64 { return k.table.bytes() + int64(4*cap(k.known)) }
