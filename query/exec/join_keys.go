package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// joinKey numbers the values of one key column from 1; 0 stands for NULL, which equals nothing.
type joinKey interface {
	// insert writes the numbers of values, giving new values new ones.
	insert(values arrow.Array, numbers []uint32)
	// find writes the numbers of values, 0 for those that were never inserted. It may be called from several goroutines at once,
	// each with a scratch of its own.
	find(values arrow.Array, numbers []uint32, scratch *joinScratch)
	// bytes is the memory held.
	bytes() int64
}

// joinScratch is memory that one goroutine uses again from batch to batch.
type joinScratch struct {
	integers []int64
	entries  []uint32
	numbers  []uint32
}

// newJoinKey makes the key column of a type; ok is false for types whose equal values can differ in their bytes, which are
// compared pair by pair instead.
func newJoinKey(t event.Type) (key joinKey, ok bool) {
	switch t.Kind {
	case event.Boolean:
		return &intJoinKey{integers: booleanKeys, table: newIntTable()}, true
	case event.BigInt, event.TimestampTZ, event.Time:
		return &intJoinKey{integers: integerKeys, table: newIntTable()}, true
	case event.Double:
		return &intJoinKey{integers: doubleKeys, table: newIntTable()}, true
	case event.Text:
		return &textJoinKey{table: newTextTable()}, true
	case event.SmallInt:
		return &intJoinKey{integers: narrowKeys[int16], table: newIntTable()}, true
	case event.Integer, event.Date:
		return &intJoinKey{integers: narrowKeys[int32], table: newIntTable()}, true
	case event.Real:
		return &intJoinKey{integers: realKeys, table: newIntTable()}, true
	case event.Numeric, event.UUID:
		return &wordJoinKey{table: newTextTable()}, true
	case event.Bytea:
		return &textJoinKey{table: newTextTable()}, true
	default:
		return nil, false
	}
}

// intJoinKey is the key column of a type that has an integer for each distinct value.
type intJoinKey struct {
	integers func(values arrow.Array, scratch []int64) []int64
	table    *intTable
	scratch  []int64
}

func (k *intJoinKey) insert(values arrow.Array, numbers []uint32) {
	k.scratch = resized(k.scratch, len(numbers))
	nulls := values.NullN() > 0
	for i, key := range k.integers(values, k.scratch) {
		if nulls && values.IsNull(i) {
			numbers[i] = 0
			continue
		}
		numbers[i] = k.table.insert(key) + 1
	}
}

func (k *intJoinKey) find(values arrow.Array, numbers []uint32, scratch *joinScratch) {
	scratch.integers = resized(scratch.integers, len(numbers))
	nulls := values.NullN() > 0
	for i, key := range k.integers(values, scratch.integers) {
		if nulls && values.IsNull(i) {
			numbers[i] = 0
			continue
		}
		numbers[i] = k.table.find(key)
	}
}

func (k *intJoinKey) bytes() int64 { return k.table.bytes() + int64(8*cap(k.scratch)) }

// textJoinKey is the key column of TEXT and BYTEA.
type textJoinKey struct{ table *textTable }

func (k *textJoinKey) insert(values arrow.Array, numbers []uint32) {
	k.each(values, numbers, &joinScratch{}, func(text string) uint32 { return k.table.insert(text) + 1 })
}

func (k *textJoinKey) find(values arrow.Array, numbers []uint32, scratch *joinScratch) {
	k.each(values, numbers, scratch, k.table.find)
}

// each looks every value up, the entries of a dictionary once for each batch that repeats them.
func (k *textJoinKey) each(values arrow.Array, numbers []uint32, scratch *joinScratch, number func(text string) uint32) {
	nulls := values.NullN() > 0
	if binary, ok := values.(*array.Binary); ok {
		values = event.AsText(binary)
	}
	d, ok := values.(*array.Dictionary)
	if !ok {
		texts := values.(*array.String)
		for i := range numbers {
			if nulls && texts.IsNull(i) {
				numbers[i] = 0
			} else {
				numbers[i] = number(texts.Value(i))
			}
		}
		return
	}
	const unknown = ^uint32(0)
	entries := d.Dictionary().(*array.String)
	scratch.entries = resized(scratch.entries, entries.Len())
	for i := range scratch.entries {
		scratch.entries[i] = unknown
	}
	for i, code := range arrow.GetValues[int32](d.Data(), 1) {
		if nulls && d.IsNull(i) {
			numbers[i] = 0
			continue
		}
		known := &scratch.entries[code]
		if *known == unknown {
			*known = number(entries.Value(int(code)))
		}
		numbers[i] = *known
	}
}

func (k *textJoinKey) bytes() int64 { return k.table.bytes() }

// find is the number of key plus one; 0 where it was never inserted.
func (t *intTable) find(key int64) uint32 {
	for at := t.hash(key) & t.mask; ; at = (at + 1) & t.mask {
		slot := &t.slots[at]
		if slot.id == 0 || slot.key == key {
			return slot.id
		}
	}
}
