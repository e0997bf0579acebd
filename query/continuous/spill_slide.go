package continuous

import (
	"cmp"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

// Frames may go over more partitions than memory has room for. Those that had no row for longest go to the disk, each as a whole: what is
// known of it, and the rows that its frames can still reach. They come back when a row belongs to them, and are forgotten there once no frame
// can reach them.

// coldSlide is what an operator of frames has on disk. Of partitions that is the key, the time of the last row, numbersOf, and what calls
// hold; of rows the key, the time of the partition's last row, the place in the partition, and columnsOf.
type coldSlide struct {
	partitions, rows *coldStore // nil as long as nothing has gone there
	recency
	// widths is how many columns each call has.
	widths []int
}

// cools tells whether partitions may go to the disk.
func (n *slideNode) cools() bool { return n.spill != nil && len(n.types) > 0 }

func (c *coldSlide) stores() []*coldStore {
	if c.partitions == nil {
		return nil
	}
	return []*coldStore{c.partitions, c.rows}
}

// expire forgets the partitions whose last row is at or before a time.
func (c *coldSlide) expire(horizon int64) error {
	var errs []error
	for _, store := range c.stores() {
		errs = append(errs, store.expire(horizon))
	}
	return errors.Join(errs...)
}

// slideParts are partitions as they stand on disk.
type slideParts struct {
	partitions, rows           []arrow.Array
	ofPartitions, hashesOfRows []uint32 // hashes
}

// partsOf are some partitions as they stand on disk.
func (o *slideOp) partsOf(keys []uint32) (slideParts, error) {
	var out slideParts
	last, timed := make([]int64, len(keys)), event.NewBitmap(len(keys))
	var slots, owners []uint32
	var lastOf, places []int64
	for i, key := range keys {
		hash := shortHash(o.keys.hashes[key])
		out.ofPartitions = append(out.ofPartitions, hash)
		from := len(slots)
		if slots = o.rows.list(key, slots); len(slots) == from {
			continue
		}
		last[i] = o.rows.lastTime(key)
		timed.Set(i)
		for place := range len(slots) - from {
			owners, lastOf, places = append(owners, key), append(lastOf, last[i]), append(places, int64(place))
			out.hashesOfRows = append(out.hashesOfRows, hash)
		}
	}
	out.partitions = append(o.keys.gather(keys), event.NewInt64s(last, timed))
	out.partitions = append(out.partitions, o.numbersOf(keys)...)
	for i, c := range o.node.calls {
		state, err := o.heldBy(i, c, keys)
		if err != nil {
			return out, err
		}
		out.partitions = append(out.partitions, state...)
	}
	out.rows = append(o.keys.gather(owners), event.NewInt64s(lastOf, nil), event.NewInt64s(places, nil))
	out.rows = append(out.rows, o.rows.columnsOf(slots)...)
	return out, nil
}

// heldBy is what a call holds of partitions besides their rows.
func (o *slideOp) heldBy(i int, c slideCall, keys []uint32) ([]arrow.Array, error) {
	if k := o.carried[i]; k != nil {
		has := event.NewBitmap(len(keys))
		for i, key := range keys {
			if k.has[key] {
				has.Set(i)
			}
		}
		return []arrow.Array{event.NewBooleans(has, len(keys), nil), k.values.gather(keys)}, nil
	}
	if r, ok := o.running(i, c); ok {
		return r.State(keys)
	}
	return nil, nil
}

// adopt gives a call what it held of partitions that are empty now; rows are the arguments of theirs.
func (o *slideOp) adopt(i int, c slideCall, keys []uint32, state, args []arrow.Array) error {
	if k := o.carried[i]; k != nil {
		var with []uint32
		var rows []int32
		for i, key := range keys {
			if k.has[key] = state[0].(*array.Boolean).Value(i); k.has[key] {
				with, rows = append(with, key), append(rows, int32(i))
			}
		}
		k.values.put(with, state[1], rows)
		return nil
	}
	if r, ok := o.running(i, c); ok {
		return r.Adopt(state, keys, o.keys.slots())
	}
	return o.refill(i, keys, args)
}

// warm brings the partitions of keys back that are on disk.
func (o *slideOp) warm(values []arrow.Array, rows int) error {
	if o.cold.partitions == nil || rows == 0 {
		return nil
	}
	hashes := make([]uint32, rows)
	for i, h := range o.keys.hash(values, rows) {
		hashes[i] = shortHash(h)
	}
	var found [2][][]arrow.Array
	for i, store := range o.cold.stores() {
		err := store.take(hashes, func(columns []arrow.Array, _ int) error {
			found[i] = append(found[i], columns)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return o.absorb(found[0], found[1])
}

// absorb puts partitions, as coldSlide has them on disk, into memory: chunks of them, and all their rows.
func (o *slideOp) absorb(partitions, rows [][]arrow.Array) error {
	if len(partitions) == 0 {
		return nil
	}
	p, err := endToEnd(partitions)
	if err != nil {
		return err
	}
	r := emptyColumns(append(o.node.rowPrefix(), o.node.rowTypes()...))
	if len(rows) > 0 {
		if r, err = endToEnd(rows); err != nil {
			return err
		}
	}
	return o.put(p, r)
}

// put adds partitions and their rows, as partsOf gives them.
func (o *slideOp) put(p, r []arrow.Array) error {
	width := len(o.node.types)
	keys, fresh := o.keys.assign(p[:width], p[width].Len())
	if len(fresh) != len(keys) {
		return event.Errorf(event.CodeInternal, "a partition is in memory and on disk")
	}
	o.reach(o.keys.slots())
	ordered, err := o.inOrder(keys, r)
	if err != nil {
		return err
	}
	held := p[width+1:]
	numbers := len(o.node.numberTypes())
	args, err := o.fill(keys, held[:numbers], ordered)
	if err != nil {
		return err
	}
	held = held[numbers:]
	for i, c := range o.node.calls {
		if err := o.adopt(i, c, keys, held[:o.cold.widths[i]], args); err != nil {
			return err
		}
		held = held[o.cold.widths[i]:]
	}
	o.note(keys)
	return nil
}

// inOrder are the rows of partitions, one partition after the other, each from its first row on, without what stands before columnsOf.
func (o *slideOp) inOrder(keys []uint32, r []arrow.Array) ([]arrow.Array, error) {
	width := len(o.node.types)
	owners, fresh := o.keys.assign(r[:width], r[width].Len())
	if len(fresh) > 0 {
		return nil, event.Errorf(event.CodeInternal, "rows on disk without their partition")
	}
	number := make([]int32, o.keys.slots())
	for i, key := range keys {
		number[key] = int32(i)
	}
	places := arrow.GetValues[int64](r[width+1].Data(), 1)
	order := upTo32(len(owners))
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(number[owners[a]], number[owners[b]]), cmp.Compare(places[a], places[b]))
	})
	return taken(r[width+2:], order), nil
}

// note remembers which partitions were needed now.
func (o *slideOp) note(keys []uint32) {
	if o.node.cools() {
		o.cold.note(keys, o.keys.slots())
	}
}

// spill implements spiller.
func (o *slideOp) spill(bytes int64) error {
	before := o.bytes()
	if err := o.waiting.cool(bytes); err != nil {
		return err
	}
	bytes -= before - o.bytes()
	before = o.bytes()
	if err := o.ahead.cool(bytes); err != nil {
		return err
	}
	bytes -= before - o.bytes()
	if o.node.stretches() {
		return o.coolRows(bytes)
	}
	live := o.keys.count()
	if !o.node.cools() || live == 0 || bytes <= 0 {
		return nil
	}
	if err := o.beginSpill(); err != nil {
		return err
	}
	all := o.keys.all()
	victims := o.cold.coldest(all, o.keys.slots(), toSpill(live, bytes, o.bytes()))
	goes := make([]bool, o.keys.slots())
	for _, key := range victims {
		goes[key] = true
	}
	stay := slices.DeleteFunc(all, func(key uint32) bool { return goes[key] })
	gone, err := o.partsOf(victims)
	if err != nil {
		return err
	}
	left, err := o.partsOf(stay)
	if err != nil {
		return err
	}
	if err := o.store(gone); err != nil {
		return err
	}
	touched := slices.Clone(o.cold.touched)
	o.empty()
	if err := o.put(left.partitions, left.rows); err != nil {
		return err
	}
	o.cold.touched = touched
	o.cold.move(stay)
	return errors.Join(o.cold.partitions.tidy(), o.cold.rows.tidy())
}

// store writes partitions to the disk; after an error there are none of them.
func (o *slideOp) store(gone slideParts) error {
	partitions, err := o.cold.partitions.stage(gone.ofPartitions, gone.partitions)
	if err != nil {
		return err
	}
	rows, err := o.cold.rows.stage(gone.hashesOfRows, gone.rows)
	if err != nil {
		return err
	}
	o.cold.partitions.commit(partitions)
	o.cold.rows.commit(rows)
	return nil
}

// beginSpill makes the stores.
func (o *slideOp) beginSpill() error {
	if err := o.measure(); err != nil || o.cold.partitions != nil {
		return err
	}
	o.cold.partitions, o.cold.rows = newColdStore(o.node.spill), newColdStore(o.node.spill)
	if o.node.reach.timeOnly() {
		for _, store := range o.cold.stores() {
			store.time, store.untimed = len(o.node.types), endOfTime
		}
	}
	return nil
}

// measure finds how many columns each call has on disk.
func (o *slideOp) measure() error {
	o.cold.widths = nil
	for i, c := range o.node.calls {
		state, err := o.heldBy(i, c, nil)
		if err != nil {
			return err
		}
		o.cold.widths = append(o.cold.widths, len(state))
	}
	return nil
}

// rowPrefix are the types of what stands before the columns of rows on disk.
func (n *slideNode) rowPrefix() []arrow.DataType {
	return append(typesOfKeys(n.types), arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64)
}

func emptyColumns(types []arrow.DataType) []arrow.Array {
	out := make([]arrow.Array, len(types))
	for i, t := range types {
		out[i] = array.MakeArrayOfNull(memory.DefaultAllocator, t, 0)
	}
	return out
}

// saveCold writes the partitions on disk and their rows behind those in memory.
func (o *slideOp) saveCold(w *stateWriter) {
	if o.cold.partitions == nil {
		w.number(0)
		w.number(0)
		return
	}
	o.cold.partitions.capture(w)
	o.cold.rows.capture(w)
}

// loadCold reads what saveCold wrote: to the disk again, or where there is none to memory.
func (o *slideOp) loadCold(r *stateReader) error {
	if r.version < 5 {
		return nil
	}
	if err := o.measure(); err != nil {
		return err
	}
	var found [2][][]arrow.Array
	for i := range found {
		parts, err := r.size()
		if err != nil {
			return err
		}
		for range parts {
			columns, rows, err := r.anyColumns()
			if err != nil {
				return err
			}
			if err := o.checkCold(i, columns); err != nil {
				return err
			}
			if !o.node.cools() {
				found[i] = append(found[i], columns)
				continue
			}
			if err := o.restoreCold(i, columns, rows); err != nil {
				return err
			}
		}
	}
	return o.absorb(found[0], found[1])
}

// checkCold holds columns of a snapshot to what absorb relies on; rollers check their own.
func (o *slideOp) checkCold(which int, columns []arrow.Array) error {
	if which == 0 {
		types := append(typesOfKeys(o.node.types), arrow.PrimitiveTypes.Int64)
		return checkColumns(columns, append(types, o.node.numberTypes()...), o.cold.widths)
	}
	return checkColumns(columns, append(o.node.rowPrefix(), o.node.rowTypes()...), nil)
}

func (o *slideOp) restoreCold(which int, columns []arrow.Array, rows int) error {
	if err := o.beginSpill(); err != nil {
		return err
	}
	hashes := make([]uint32, rows)
	for i, h := range o.keys.hash(columns[:len(o.node.types)], rows) {
		hashes[i] = shortHash(h)
	}
	store := o.cold.stores()[which]
	if err := store.put(hashes, columns); err != nil {
		return err
	}
	return store.tidy()
}

// spilled implements spiller.
func (o *slideOp) spilled() int64 {
	total := o.waiting.cold.spilled() + o.rows.stretched() + o.ahead.spilled()
	for _, store := range o.cold.stores() {
		total += store.stored
	}
	return total
}

// close implements spiller.
func (o *slideOp) close() error {
	errs := []error{o.waiting.cold.close(), o.rows.dropStretches(), o.ahead.close()}
	for _, store := range o.cold.stores() {
		errs = append(errs, store.close())
	}
	return errors.Join(errs...)
}

// bytes is the memory of what is on disk.
func (c *coldSlide) bytes() int64 {
	total := c.recency.bytes()
	for _, store := range c.stores() {
		total += store.bytes()
	}
	return total
}
