package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// arrayKeys is the key column of arrays: they are told apart by a text made of their elements, and the first of equal ones is kept.
type arrayKeys struct {
	typ    event.Type
	table  *textTable
	pieces []arrow.Array // the arrays, in the order of their numbers
	size   int64
	null   nullCode
}

func newArrayKeys(t event.Type) *arrayKeys { return &arrayKeys{typ: t, table: newTextTable()} }

func (k *arrayKeys) encode(values arrow.Array, codes []uint32) {
	values = kernel.AsLists(values, k.typ)
	write, err := kernel.ArrayKey(k.typ)(values)
	if err != nil {
		panic(err) // only text beyond 2 GiB in one batch, which guard turns into an error
	}
	var fresh []int32
	var key []byte
	known := k.table.count()
	for i := range codes {
		if values.IsNull(i) {
			codes[i] = k.null.take(known)
			continue
		}
		key = write(key[:0], i)
		number := k.table.insert(string(key))
		if int(number) == known {
			fresh = append(fresh, int32(i))
			known++
		}
		codes[i] = k.null.code(number)
	}
	if len(fresh) > 0 {
		piece := kernel.Take(values, fresh)
		k.pieces = append(k.pieces, piece)
		k.size += arrayBytes(piece)
	}
}

func (k *arrayKeys) count() int { return k.null.count(k.table.count()) }

func (k *arrayKeys) decode(codes []uint32) (arrow.Array, error) {
	numbers, valid := k.null.numbers(codes)
	if len(k.pieces) == 0 {
		return event.NewNulls(k.typ, len(codes)), nil
	}
	whole, err := kernel.Concat(k.pieces)
	if err != nil {
		return nil, err
	}
	return kernel.TakeValid(whole, numbers, valid), nil
}

func (k *arrayKeys) bytes() int64 { return k.table.bytes() + k.size }
