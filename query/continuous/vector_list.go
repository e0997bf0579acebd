package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// listVector holds arrays, each as a column of one row.
type listVector struct {
	typ    event.Type
	values []arrow.Array // nil for NULL
	held   int64         // bytes of values
}

func (v *listVector) put(slots []uint32, values arrow.Array, rows []int32) {
	v.drop(slots)
	v.values = lengthened(v.values, highest(slots))
	for i, s := range slots {
		row := rowAt(rows, i)
		if values.IsNull(row) {
			continue
		}
		v.values[s] = kernel.Take(values, []int32{int32(row)})
		v.held += event.ArrayBytes(v.values[s])
	}
}

func (v *listVector) gather(slots []uint32) arrow.Array {
	null := event.NewNulls(v.typ, 1)
	parts := make([]arrow.Array, len(slots))
	for i, s := range slots {
		if parts[i] = null; !v.isNull(s) {
			parts[i] = v.values[s]
		}
	}
	if len(parts) == 0 {
		return event.NewNulls(v.typ, 0)
	}
	out, err := kernel.Concat(parts)
	if err != nil {
		panic("continuous: arrays of one column differ in type: " + err.Error())
	}
	return out
}

func (v *listVector) match(slots []uint32, values arrow.Array, equal []bool) {
	for i, s := range slots {
		null := values.IsNull(i)
		equal[i] = equal[i] && v.isNull(s) == null && (null || v.same(s, values, i))
	}
}

// same compares the elements by their bits, as their hashes do.
func (v *listVector) same(slot uint32, values arrow.Array, row int) bool {
	one := array.NewSlice(values, int64(row), int64(row+1))
	return hashRows([]arrow.Array{one}, 1)[0] == hashRows([]arrow.Array{v.values[slot]}, 1)[0] &&
		array.ApproxEqual(v.values[slot], one, array.WithNaNsEqual(true), array.WithAbsTolerance(0))
}

func (v *listVector) reach(slots int) { v.values = lengthened(v.values, slots) }

func (v *listVector) isNull(slot uint32) bool {
	return int(slot) >= len(v.values) || v.values[slot] == nil
}

func (v *listVector) drop(slots []uint32) {
	for _, s := range slots {
		if v.isNull(s) {
			continue
		}
		v.held -= event.ArrayBytes(v.values[s])
		v.values[s] = nil
	}
}

func (v *listVector) bytes() int64 {
	const perList = 200 // what a column of one row takes besides its values
	return v.held + int64(cap(v.values))*16 + perList*int64(len(v.values))
}

// hashLists adds a hash of the elements, and how many there are, to each row's.
func hashLists(values *array.List, hashes []uint64) {
	elements := make([]uint64, values.ListValues().Len())
	hashColumn(kernel.Decode(values.ListValues()), elements)
	for i, h := range hashes {
		from, to := values.ValueOffsets(i)
		hash := mixed(h, uint64(to-from))
		for _, e := range elements[from:to] {
			hash = mixed(hash, e)
		}
		hashes[i] = nullOr(values, i, h, hash)
	}
}
