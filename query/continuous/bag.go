package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// bag holds rows under keys, which are small numbers, each row as often as its weight says. Where rows only come, they are kept one
// by one; where they also go, equal rows of a key share a place, so that one can be found again.
type bag struct {
	vectors []vector // by row slot
	weights []int64
	key     []uint32
	next    []uint32 // the row after it under the same key, plus one; 0 for none
	prev    []uint32
	head    []uint32 // by key: its first row plus one
	free    []uint32 // row slots not in use
	hashes  []uint64 // by row slot
	found   *slotIndex
	rows    int
	one     [1]uint32 // scratch
}

func newBag(types []event.Type, appendOnly bool) *bag {
	b := &bag{}
	for _, t := range types {
		b.vectors = append(b.vectors, newVector(t))
	}
	if !appendOnly {
		b.found = &slotIndex{}
	}
	return b
}

// add takes a change whose rows belong to keys.
func (b *bag) add(d Delta, keys []uint32) error {
	if d.Rows == 0 {
		return nil
	}
	b.head = lengthened(b.head, highest(keys))
	if b.found == nil {
		b.place(&d, keys)
		return nil
	}
	return b.merge(decoded(d.Columns), &d, keys)
}

// place adds rows one by one and gives their slots.
func (b *bag) place(d *Delta, keys []uint32) []uint32 {
	b.head = lengthened(b.head, highest(keys))
	rows := make([]uint32, d.Rows)
	for i := range rows {
		rows[i] = b.take(keys[i], d.weight(i))
	}
	for i, v := range b.vectors {
		v.put(rows, kernel.Decode(d.Columns[i]), nil)
	}
	return rows
}

// merge adds weights to rows that are there, adds rows that are not, and takes out those that come to nothing.
func (b *bag) merge(columns []arrow.Array, d *Delta, keys []uint32) error {
	for i, h := range hashRows(columns, d.Rows) {
		row := b.findOrMake(mixed(h, uint64(keys[i])), keys[i], cut(columns, i))
		if b.weights[row] += d.weight(i); b.weights[row] == 0 {
			b.release(row)
		}
	}
	return nil
}

// findOrMake is the place of a row under a key.
func (b *bag) findOrMake(hash uint64, key uint32, one []arrow.Array) uint32 {
	row, ok := b.find(hash, key, one)
	if !ok {
		row = b.take(key, 0)
		for i, v := range b.vectors {
			v.put([]uint32{row}, one[i], nil)
		}
		b.hashes = lengthened(b.hashes, int(row)+1)
		b.hashes[row] = hash
		b.found.add(hash, row)
	}
	return row
}

func (b *bag) find(hash uint64, key uint32, one []arrow.Array) (row uint32, ok bool) {
	equal := make([]bool, 1)
	b.found.each(hash, func(slot uint32) bool {
		equal[0] = b.key[slot] == key
		for i, v := range b.vectors {
			if equal[0] {
				v.match([]uint32{slot}, one[i], equal)
			}
		}
		row, ok = slot, equal[0]
		return ok
	})
	return row, ok
}

// take makes a row under a key.
func (b *bag) take(key uint32, weight int64) uint32 {
	var row uint32
	if n := len(b.free); n > 0 {
		row = b.free[n-1]
		b.free = b.free[:n-1]
	} else {
		row = uint32(len(b.weights))
		b.weights, b.key = append(b.weights, 0), append(b.key, 0)
		b.next, b.prev = append(b.next, 0), append(b.prev, 0)
	}
	b.weights[row], b.key[row] = weight, key
	b.next[row], b.prev[row] = b.head[key], 0
	if first := b.head[key]; first != 0 {
		b.prev[first-1] = row + 1
	}
	b.head[key] = row + 1
	b.rows++
	return row
}

// release takes a row out.
func (b *bag) release(row uint32) {
	if b.found != nil {
		b.found.remove(b.hashes[row], row)
	}
	next, prev := b.next[row], b.prev[row]
	if prev == 0 {
		b.head[b.key[row]] = next
	} else {
		b.next[prev-1] = next
	}
	if next != 0 {
		b.prev[next-1] = prev
	}
	b.free = append(b.free, row)
	b.weights[row] = 0
	b.rows--
	for _, v := range b.vectors {
		b.one[0] = row
		v.drop(b.one[:])
	}
}

// empty reports that there is no row under a key.
func (b *bag) empty(key uint32) bool { return int(key) >= len(b.head) || b.head[key] == 0 }

// list appends the rows under a key, in no particular order.
func (b *bag) list(key uint32, into []uint32) []uint32 {
	if int(key) >= len(b.head) {
		return into
	}
	for at := b.head[key]; at != 0; at = b.next[at-1] {
		into = append(into, at-1)
	}
	return into
}

// under gives the rows under keys, written out as often as they come.
func (b *bag) under(keys []uint32) Delta {
	var rows []uint32
	for _, key := range keys {
		from := len(rows)
		rows = b.list(key, rows)
		slices.Reverse(rows[from:]) // as they came, where none went
	}
	return b.gather(rows)
}

// gather gives rows, each as often as it comes.
func (b *bag) gather(rows []uint32) Delta {
	out := Delta{Rows: len(rows)}
	var repeated []int32
	for i, row := range rows {
		if w := b.weights[row]; w != 1 && repeated == nil {
			repeated = make([]int32, i, len(rows)+int(w))
			for j := range repeated {
				repeated[j] = int32(j)
			}
		}
		for n := b.weights[row]; repeated != nil && n > 0; n-- {
			repeated = append(repeated, int32(i))
		}
	}
	for _, v := range b.vectors {
		out.Columns = append(out.Columns, v.gather(rows))
	}
	if repeated != nil {
		for i, c := range out.Columns {
			out.Columns[i] = kernel.Take(c, repeated)
		}
		out.Rows = len(repeated)
	}
	return out
}

// vectorsOf are the columns of rows, each once.
func (b *bag) vectorsOf(rows []uint32) []arrow.Array {
	out := make([]arrow.Array, len(b.vectors))
	for i, v := range b.vectors {
		out[i] = v.gather(rows)
	}
	return out
}

// forget takes out all rows under keys.
func (b *bag) forget(keys []uint32) {
	var rows []uint32
	for _, key := range keys {
		rows = b.list(key, rows)
	}
	for _, row := range rows {
		b.release(row)
	}
}

func (b *bag) bytes() int64 {
	total := int64(8*cap(b.weights) + 4*(cap(b.key)+cap(b.next)+cap(b.prev)+cap(b.head)+cap(b.free)) + 8*cap(b.hashes))
	if b.found != nil {
		total += b.found.bytes()
	}
	for _, v := range b.vectors {
		total += v.bytes()
	}
	return total
}

// all lists the rows of all keys, ascending by slot.
func (b *bag) all() []uint32 {
	free := make([]bool, len(b.weights))
	for _, row := range b.free {
		free[row] = true
	}
	out := make([]uint32, 0, b.rows)
	for row, none := range free {
		if !none {
			out = append(out, uint32(row))
		}
	}
	return out
}

// save writes the rows with their keys, numbered as number says.
func (b *bag) save(w *stateWriter, number []uint32) error {
	rows := b.all()
	columns := make([]arrow.Array, 0, len(b.vectors)+2)
	for _, v := range b.vectors {
		columns = append(columns, v.gather(rows))
	}
	keys, weights := make([]int64, len(rows)), make([]int64, len(rows))
	for i, row := range rows {
		keys[i], weights[i] = int64(number[b.key[row]]), b.weights[row]
	}
	return w.columns(append(columns, event.NewInt64s(keys, nil), event.NewInt64s(weights, nil)), len(rows))
}

// load reads what save wrote into an empty bag whose keys are below the given number.
func (b *bag) load(r *stateReader, types []arrow.DataType, keys int) error {
	rows, of, err := readBag(r, types, keys)
	if err != nil {
		return err
	}
	return b.add(rows, of)
}

// readBag reads the rows of a bag and their keys, which are below the given number.
func readBag(r *stateReader, types []arrow.DataType, keys int) (Delta, []uint32, error) {
	columns, rows, err := r.columns(append(slices.Clip(types), arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64))
	if err != nil {
		return Delta{}, nil, err
	}
	owners := arrow.GetValues[int64](columns[len(types)].Data(), 1)
	of := make([]uint32, rows)
	for i, key := range owners[:rows] {
		if key < 0 || key >= int64(keys) {
			return Delta{}, nil, errState("a row under key %d of %d", key, keys)
		}
		of[i] = uint32(key)
	}
	weights := arrow.GetValues[int64](columns[len(types)+1].Data(), 1)
	return Delta{Columns: columns[:len(types)], Weights: weights[:rows], Rows: rows}, of, nil
}
