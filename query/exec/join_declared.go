package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// wordJoinKey is the key column of NUMERIC and UUID. Both sides of a NUMERIC key have one scale, so that equal values have equal bytes.
type wordJoinKey struct{ table *textTable }

func (k *wordJoinKey) insert(values arrow.Array, numbers []uint32) {
	k.each(values, numbers, func(word string) uint32 { return k.table.insert(word) + 1 })
}

func (k *wordJoinKey) find(values arrow.Array, numbers []uint32, _ *joinScratch) {
	k.each(values, numbers, k.table.find)
}

func (k *wordJoinKey) each(values arrow.Array, numbers []uint32, number func(word string) uint32) {
	nulls := values.NullN() > 0
	for i, v := range event.Words(values) {
		if nulls && values.IsNull(i) {
			numbers[i] = 0
			continue
		}
		word := event.UUIDBytes(v)
		numbers[i] = number(string(word[:]))
	}
}

func (k *wordJoinKey) bytes() int64 { return k.table.bytes() }
