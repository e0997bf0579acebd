package exec

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// textKeys is the key column of TEXT. A dictionary's entries are looked up once for as long as batches with the same dictionary follow each
// other, those that a batch is the first to have together.
type textKeys struct {
	table      *textTable
	null       nullCode
	dictionary arrow.ArrayData // of the latest batch; held, so that its address names nothing else meanwhile
	known      []uint32        // by dictionary code: the code here plus one, or 0 if not looked up yet
	met        []int32         // the dictionary codes that are known

	// scratch: the rows whose entries are new, the texts of these entries and their numbers
	rows    []int32
	texts   []string
	numbers []uint32
}

// asked stands in known for an entry that is being looked up.
const asked = math.MaxUint32

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
		k.forget()
		k.dictionary = data
		if len(k.known) < entries.Len() {
			k.known = make([]uint32, entries.Len())
		}
	}
	from, known, nulls := len(k.met), k.known, d.NullN() > 0
	k.rows = k.rows[:0]
	for i, entry := range arrow.GetValues[int32](d.Data(), 1) {
		if nulls && d.IsNull(i) {
			codes[i] = k.null.take(k.table.count())
			continue
		}
		code := known[entry]
		if code == 0 {
			k.met = append(k.met, entry)
			known[entry], code = asked, asked
		}
		if code == asked {
			k.rows = append(k.rows, int32(i))
		}
		codes[i] = code - 1
	}
	if len(k.rows) == 0 {
		return
	}
	k.lookUp(entries, k.met[from:])
	of := arrow.GetValues[int32](d.Data(), 1)
	for _, row := range k.rows {
		codes[row] = known[of[row]] - 1
	}
}

// lookUp notes the codes of a dictionary's entries, which never change: NULL takes a code above those already given.
func (k *textKeys) lookUp(entries *array.String, fresh []int32) {
	k.texts, k.numbers = resized(k.texts, len(fresh)), resized(k.numbers, len(fresh))
	for i, entry := range fresh {
		k.texts[i] = entries.Value(int(entry))
	}
	k.table.insertAll(k.texts, k.numbers)
	for i, entry := range fresh {
		k.known[entry] = k.null.code(k.numbers[i]) + 1
	}
	clear(k.texts)
}

// forget makes all entries unknown.
func (k *textKeys) forget() {
	for _, entry := range k.met {
		k.known[entry] = 0
	}
	k.dictionary, k.met = nil, k.met[:0]
}

// reset forgets all texts and keeps the memory.
func (k *textKeys) reset() {
	k.forget()
	k.table.reset()
	k.null = nullCode{}
}

func (k *textKeys) encodePlain(values *array.String, codes []uint32) {
	nulls := values.NullN() > 0
	k.texts = k.texts[:0]
	for i := range codes {
		if nulls && values.IsNull(i) {
			k.null.take(k.table.count())
			continue
		}
		text := values.Value(i)
		if n := len(k.texts); n == 0 || k.texts[n-1] != text { // sorted data repeats a text many times in a row
			k.texts = append(k.texts, text)
		}
		codes[i] = uint32(len(k.texts) - 1)
	}
	k.numbers = resized(k.numbers, len(k.texts))
	k.table.insertAll(k.texts, k.numbers)
	clear(k.texts)
	for i, run := range codes {
		if nulls && values.IsNull(i) {
			codes[i] = k.null.at
		} else {
			codes[i] = k.null.code(k.numbers[run])
		}
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

func (k *textKeys) bytes() int64 { return k.table.bytes() + int64(4*(cap(k.known)+cap(k.met))) }
