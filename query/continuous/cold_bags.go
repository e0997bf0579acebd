package continuous

import (
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// Operators that keep rows by key may have more of them than memory has room for. The keys that no row had for longest go to the disk, each with
// all the rows under it, and come back when a row has one of them, or when one of their rows is to be given. Rows that are of no use any more are
// forgotten there.

// coldBags is what an operator has on disk of rows that it keeps in bags: by input a store of the rows, each behind its key and before its weight,
// and what else the operator knows of it.
type coldBags struct {
	types  []event.Type // of the key
	cools  bool         // whether keys may go there
	stores []*coldStore // none as long as nothing has gone there
	recency
}

// open makes the stores of an operator with inputs.
func (c *coldBags) open(space *spill.Space, inputs int) {
	for len(c.stores) < inputs {
		store := newColdStore(space)
		store.untimed = endOfTime
		c.stores = append(c.stores, store)
	}
}

// hashesOf are the hashes that rows with keys have in the stores.
func (c *coldBags) hashesOf(x *rowIndex, keys []arrow.Array, rows int) []uint32 {
	out := make([]uint32, rows)
	for i, h := range x.hash(keys, rows) {
		out[i] = shortHash(h)
	}
	return out
}

// needed remembers which keys were needed now.
func (c *coldBags) needed(keys []uint32, x *rowIndex) {
	if c.cools {
		c.note(keys, x.slots())
	}
}

// warm brings the rows of keys back.
func (c *coldBags) warm(x *rowIndex, keys []arrow.Array, rows int, absorb func(input int, columns []arrow.Array, rows int) error) error {
	if len(c.stores) == 0 || rows == 0 {
		return nil
	}
	return c.take(c.hashesOf(x, keys, rows), absorb)
}

// take brings the rows of keys back, given by their hashes.
func (c *coldBags) take(hashes []uint32, absorb func(input int, columns []arrow.Array, rows int) error) error {
	for i, store := range c.stores {
		err := store.take(hashes, func(columns []arrow.Array, rows int) error { return absorb(i, columns, rows) })
		if err != nil {
			return err
		}
	}
	return nil
}

// columnsOf are the rows of a bag under keys as they stand on disk, but for what the operator adds, and the rows' slots.
func (c *coldBags) columnsOf(x *rowIndex, b *bag, keys []uint32) (columns []arrow.Array, slots []uint32) {
	for _, key := range keys {
		slots = b.list(key, slots)
	}
	owners, weights := make([]uint32, len(slots)), make([]int64, len(slots))
	for i, slot := range slots {
		owners[i], weights[i] = b.key[slot], b.weights[slot]
	}
	columns = append(x.gather(owners), b.vectorsOf(slots)...)
	return append(columns, event.NewInt64s(weights, nil)), slots
}

// parted are the key of rows on disk, the rows, and what the operator added.
func (c *coldBags) parted(columns []arrow.Array, width, rows int) (keys []arrow.Array, d Delta, added []arrow.Array) {
	keys, columns = columns[:len(c.types)], columns[len(c.types):]
	weights := columns[width].(*array.Int64).Int64Values()
	return keys, Delta{Columns: columns[:width], Weights: weights, Rows: rows}, columns[width+1:]
}

// bagKeeper is an operator that keeps rows in bags.
type bagKeeper interface {
	// keys are those that it has in memory.
	keys() *rowIndex
	// columnsOf are the rows of an input under keys as they stand on disk, with the key of each.
	columnsOf(input int, keys []uint32) (columns []arrow.Array, owners []uint32)
	// empty makes the memory that of no rows.
	empty()
	// absorb puts rows of an input, as they stand on disk, into memory.
	absorb(input int, columns []arrow.Array, rows int) error
}

// find is the keys of rows, with all that is on disk under them brought back.
func (c *coldBags) find(o bagKeeper, values []arrow.Array, rows int) ([]uint32, error) {
	if err := c.warm(o.keys(), values, rows, o.absorb); err != nil {
		return nil, err
	}
	keys, _ := o.keys().assign(values, rows)
	c.needed(keys, o.keys())
	return keys, nil
}

// move writes what was needed least lately to the disk, so that so many bytes of all that are held are free, and has the operator go on with the
// rest in new memory.
func (c *coldBags) move(o bagKeeper, bytes, held int64) error {
	x := o.keys()
	gone, stay := c.victims(x, bytes, held)
	staged, left := make([][]*coldChunk, len(c.stores)), make([][]arrow.Array, len(c.stores))
	for i, store := range c.stores {
		rows, owners := o.columnsOf(i, gone)
		hashes := make([]uint32, len(owners))
		for i, key := range owners {
			hashes[i] = shortHash(x.hashes[key])
		}
		var err error
		if staged[i], err = store.stage(hashes, rows); err != nil {
			return err
		}
		left[i], _ = o.columnsOf(i, stay)
	}
	for i, chunks := range staged {
		c.stores[i].commit(chunks)
	}
	values, touched := x.gather(stay), slices.Clone(c.touched)
	o.empty()
	for i, rows := range left {
		if n := rows[len(c.types)].Len(); n > 0 {
			if err := o.absorb(i, rows, n); err != nil {
				return err
			}
		}
	}
	slots, _ := o.keys().assign(values, len(stay))
	c.touched = lengthened(c.touched, o.keys().slots())
	for i, slot := range slots {
		c.touched[slot] = touched[stay[i]]
	}
	return c.tidy()
}

func (c *coldBags) tidy() error {
	var errs []error
	for _, store := range c.stores {
		errs = append(errs, store.tidy())
	}
	return errors.Join(errs...)
}

// victims parts keys into those to go, so that so many bytes of all that are held are free, and the others.
func (c *coldBags) victims(x *rowIndex, bytes, held int64) (gone, stay []uint32) {
	all := x.all()
	gone = c.coldest(all, x.slots(), toSpill(len(all), bytes, held))
	goes := make([]bool, x.slots())
	for _, key := range gone {
		goes[key] = true
	}
	for _, key := range all {
		if !goes[key] {
			stay = append(stay, key)
		}
	}
	return gone, stay
}

// save writes the rows on disk behind those in memory.
func (c *coldBags) save(w *stateWriter, inputs int) {
	for i := range inputs {
		if i < len(c.stores) {
			c.stores[i].capture(w)
		} else {
			w.number(0)
		}
	}
}

// load reads what save wrote: types are those of the rows of each input on disk, and restore takes them.
func (c *coldBags) load(r *stateReader, types [][]arrow.DataType, restore func(input int, columns []arrow.Array, rows int) error) error {
	if r.version < 7 {
		return nil
	}
	for i := range types {
		parts, err := r.size()
		if err != nil {
			return err
		}
		for range parts {
			columns, rows, err := r.columns(types[i])
			if err != nil {
				return err
			}
			if err := restore(i, columns, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// restore puts rows of a snapshot on the disk.
func (c *coldBags) restore(x *rowIndex, input int, columns []arrow.Array, rows int) error {
	if err := c.stores[input].put(c.hashesOf(x, columns[:len(c.types)], rows), columns); err != nil {
		return err
	}
	return c.stores[input].tidy()
}

func (c *coldBags) spilled() int64 {
	total := int64(0)
	for _, store := range c.stores {
		total += store.stored
	}
	return total
}

func (c *coldBags) close() error {
	var errs []error
	for _, store := range c.stores {
		errs = append(errs, store.close())
	}
	return errors.Join(errs...)
}

// bytes is the memory of what is on disk.
func (c *coldBags) bytes() int64 {
	total := c.recency.bytes()
	for _, store := range c.stores {
		total += store.bytes()
	}
	return total
}
