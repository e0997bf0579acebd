package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// rowIndex gives distinct rows slots, small numbers that are used again after a row was removed. Rows are equal if their bits are.
type rowIndex struct {
	vectors []vector
	hashes  []uint64 // by slot
	index   slotIndex
	free    []uint32
	live    []bool
	retired int // slots that are neither in use nor free
	hash    func(columns []arrow.Array, rows int) []uint64
}

func newRowIndex(types []event.Type) *rowIndex {
	x := &rowIndex{hash: hashRows}
	for _, t := range types {
		x.vectors = append(x.vectors, newVector(t))
	}
	return x
}

// count is the number of rows held.
func (x *rowIndex) count() int { return len(x.live) - len(x.free) - x.retired }

// slots is one more than the greatest slot ever given.
func (x *rowIndex) slots() int { return len(x.live) }

// assign finds the slot of each row, adding those that are new, which it also lists: fresh are the rows that made a slot. In an index that has
// never held a row they make the slots from 0 on, in their order. columns are no dictionaries.
func (x *rowIndex) assign(columns []arrow.Array, rows int) (slots []uint32, fresh []int32) {
	slots = make([]uint32, rows)
	unused := len(x.live) == 0
	hashes := x.hash(columns, rows)
	var made []uint32
	for i, h := range hashes {
		slot, ok := x.index.first(h)
		if !ok {
			slot = x.take(h)
			fresh, made = append(fresh, int32(i)), append(made, slot)
		}
		slots[i] = slot
	}
	for i, v := range x.vectors {
		v.put(made, columns[i], fresh)
	}
	mismatched := x.mismatched(slots, columns)
	if unused && len(mismatched) > 0 {
		return slots, x.assignInOrder(hashes, columns, slots)
	}
	for _, row := range mismatched {
		x.settle(int(row), hashes[row], columns, slots, &fresh)
	}
	return slots, fresh
}

// assignInOrder is assign anew, row by row, for an index that was not used before: rows whose hash is another's have found their slots last.
func (x *rowIndex) assignInOrder(hashes []uint64, columns []arrow.Array, slots []uint32) (fresh []int32) {
	x.remove(x.all())
	x.live, x.hashes, x.free = x.live[:0], x.hashes[:0], nil
	for row, hash := range hashes {
		x.settle(row, hash, columns, slots, &fresh)
	}
	return fresh
}

// mismatched lists the rows whose slot holds another row of the same hash.
func (x *rowIndex) mismatched(slots []uint32, columns []arrow.Array) []int32 {
	equal := slices.Repeat([]bool{true}, len(slots))
	for i, v := range x.vectors {
		v.match(slots, columns[i], equal)
	}
	var out []int32
	for i, same := range equal {
		if !same {
			out = append(out, int32(i))
		}
	}
	return out
}

// settle finds the slot of a row among several of one hash.
func (x *rowIndex) settle(row int, hash uint64, columns []arrow.Array, slots []uint32, fresh *[]int32) {
	one := cut(columns, row)
	found := false
	x.index.each(hash, func(slot uint32) bool {
		if found = len(x.mismatched([]uint32{slot}, one)) == 0; found {
			slots[row] = slot
		}
		return found
	})
	if found {
		return
	}
	slots[row] = x.take(hash)
	*fresh = append(*fresh, int32(row))
	for i, v := range x.vectors {
		v.put(slots[row:row+1], one[i], nil)
	}
}

// take is a slot for a new row.
func (x *rowIndex) take(hash uint64) uint32 {
	var slot uint32
	if n := len(x.free); n > 0 {
		slot = x.free[n-1]
		x.free = x.free[:n-1]
	} else {
		slot = uint32(len(x.live))
		x.live, x.hashes = append(x.live, false), append(x.hashes, 0)
	}
	x.live[slot], x.hashes[slot] = true, hash
	x.index.add(hash, slot)
	return slot
}

// retire takes out slots, each of which holds a row, without using them again.
func (x *rowIndex) retire(slots []uint32) {
	for _, s := range slots {
		x.index.remove(x.hashes[s], s)
		x.live[s] = false
	}
	for _, v := range x.vectors {
		v.drop(slots)
	}
	x.retired += len(slots)
}

// remove frees slots, each of which holds a row.
func (x *rowIndex) remove(slots []uint32) {
	for _, s := range slots {
		x.index.remove(x.hashes[s], s)
		x.live[s] = false
	}
	x.free = append(x.free, slots...)
	for _, v := range x.vectors {
		v.drop(slots)
	}
}

// gather gives the rows of slots by column.
func (x *rowIndex) gather(slots []uint32) []arrow.Array {
	out := make([]arrow.Array, len(x.vectors))
	for i, v := range x.vectors {
		out[i] = v.gather(slots)
	}
	return out
}

// all lists the slots in use, ascending.
func (x *rowIndex) all() []uint32 {
	out := make([]uint32, 0, x.count())
	for s, live := range x.live {
		if live {
			out = append(out, uint32(s))
		}
	}
	return out
}

func (x *rowIndex) bytes() int64 {
	total := x.index.bytes() + int64(8*cap(x.hashes)+cap(x.live)+4*cap(x.free))
	for _, v := range x.vectors {
		total += v.bytes()
	}
	return total
}

// saveKeys writes the keys in the order of their slots and says which number each slot's key has among them.
func (x *rowIndex) saveKeys(w *stateWriter) (number []uint32, err error) {
	keys := x.all()
	number = make([]uint32, x.slots())
	for i, key := range keys {
		number[key] = uint32(i)
	}
	return number, w.columns(x.gather(keys), len(keys))
}

// dropEmpty frees the keys under which neither side of a join has a row.
func dropEmpty(keys *rowIndex, slots []uint32, left, right *bag) {
	var gone []uint32
	for _, slot := range slots {
		if keys.live[slot] && left.empty(slot) && right.empty(slot) {
			gone = append(gone, slot)
		}
	}
	keys.remove(gone)
}
