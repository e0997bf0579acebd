package continuous

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Sessions may be of more partitions than memory has room for. Those that had no row for longest go to the disk, each with all its sessions, and
// come back when a row belongs to them, or when one of their sessions is to be shown or to go. Sessions that nobody waits for are forgotten
// there once no row can touch them.

// coldSessions is what an operator of sessions has on disk: a row for each, with the key of the partition, its start and end, whether it is shown,
// whether nothing is to happen at its end, and the states of its accumulators.
type coldSessions struct {
	store *coldStore // nil as long as nothing has gone there
	recency
	// widths is how many columns the state of each accumulator has.
	widths []int
}

// cools tells whether partitions may go to the disk.
func (n *sessionNode) cools() bool { return n.spill != nil && len(n.types) > 0 }

// note remembers which partitions were needed now.
func (o *sessionOp) noteNeeded(keys []uint32) {
	if o.node.cools() {
		o.cold.note(keys, o.index.slots())
	}
}

// warm brings the partitions of keys back that are on disk.
func (o *sessionOp) warm(values []arrow.Array, rows int) error {
	if o.cold.store == nil || rows == 0 {
		return nil
	}
	return o.cold.store.take(o.hashesOf(values, rows), o.absorb)
}

// warmDue brings those back of which a session is to be shown or to go.
func (o *sessionOp) warmDue(s *stepping) error {
	if o.cold.store == nil {
		return nil
	}
	due := int64(NoWatermark)
	switch {
	case o.node.held && s.closed != NoWatermark:
		due = behind(s.closed, o.node.closeLag)
	case o.node.latest && s.final != NoWatermark:
		due = behind(s.final, o.node.lag)
	}
	hashes, err := o.cold.store.waiting(due)
	if err != nil {
		return err
	}
	return o.cold.store.take(hashes, o.absorb)
}

func (o *sessionOp) hashesOf(values []arrow.Array, rows int) []uint32 {
	out := make([]uint32, rows)
	for i, h := range o.index.hash(values, rows) {
		out[i] = shortHash(h)
	}
	return out
}

// columnsOf are the sessions of partitions as they stand on disk, with the partition of each.
func (o *sessionOp) columnsOf(keys []uint32) (columns []arrow.Array, owners []uint32, err error) {
	var slots []uint32
	var starts, ends []int64
	for _, key := range keys {
		for _, one := range o.open[key] {
			owners, slots = append(owners, key), append(slots, one.slot)
			starts, ends = append(starts, one.start), append(ends, one.end)
		}
	}
	shown, settled := event.NewBitmap(len(slots)), event.NewBitmap(len(slots))
	for i, s := range slots {
		if o.isShown[s] {
			shown.Set(i)
		}
		if o.isShown[s] != o.node.latest { // the latest goes at its end, those held back come at theirs
			settled.Set(i)
		}
	}
	columns = append(o.index.gather(owners), event.NewInt64s(starts, nil), event.NewInt64s(ends, nil))
	columns = append(columns, event.NewBooleans(shown, len(slots), nil), event.NewBooleans(settled, len(slots), nil))
	for _, a := range o.groups.accumulators {
		state, err := a.State(slots)
		if err != nil {
			return nil, nil, err
		}
		columns = append(columns, state...)
	}
	return columns, owners, nil
}

// absorb puts partitions with all their sessions, as coldSessions has them on disk, into memory.
func (o *sessionOp) absorb(columns []arrow.Array, rows int) error {
	width := len(o.node.types)
	keys, _ := o.index.assign(columns[:width], rows)
	o.open = lengthened(o.open, o.index.slots())
	numbers := make([]int64, rows)
	for i := range numbers {
		numbers[i] = o.next
		o.next++
	}
	slots, _ := o.groups.index.assign([]arrow.Array{event.NewInt64s(numbers, nil)}, rows)
	if err := o.groups.adopt(columns[width+4:], o.cold.widths, slots); err != nil {
		return err
	}
	o.reach(o.groups.index.slots())
	starts, ends := arrow.GetValues[int64](columns[width].Data(), 1), arrow.GetValues[int64](columns[width+1].Data(), 1)
	isShown := columns[width+2].(*array.Boolean)
	var shown []uint32
	bounds := map[uint32]session{}
	for i, key := range keys {
		one := session{starts[i], ends[i], slots[i]}
		o.owner[one.slot] = key
		o.open[key] = append(o.open[key], one)
		o.note(one.end, key)
		if isShown.Value(i) {
			shown, bounds[one.slot] = append(shown, one.slot), one
		}
	}
	for _, key := range distinct(slices.Clone(keys)) {
		slices.SortFunc(o.open[key], func(a, b session) int { return cmp.Compare(a.start, b.start) })
	}
	results, err := o.groups.results(shown, len(o.groups.calls))
	if err != nil {
		return err
	}
	o.keepShown(shown, bounds, typed(results, o.node.cols[len(o.node.from):]))
	o.noteNeeded(keys)
	return nil
}

// spill implements spiller.
func (o *sessionOp) spill(bytes int64) error {
	live := o.index.count()
	if !o.node.cools() || live == 0 || bytes <= 0 {
		return nil
	}
	if err := o.beginSpill(); err != nil {
		return err
	}
	all := o.index.all()
	victims := o.cold.coldest(all, o.index.slots(), toSpill(live, bytes, o.bytes()))
	goes := make([]bool, o.index.slots())
	for _, key := range victims {
		goes[key] = true
	}
	stay := slices.DeleteFunc(all, func(key uint32) bool { return goes[key] })
	gone, owners, err := o.columnsOf(victims)
	if err != nil {
		return err
	}
	left, stayed, err := o.columnsOf(stay)
	if err != nil {
		return err
	}
	hashes := make([]uint32, len(owners))
	for i, key := range owners {
		hashes[i] = shortHash(o.index.hashes[key])
	}
	if err := o.cold.store.put(hashes, gone); err != nil {
		return err
	}
	touched := slices.Clone(o.cold.touched)
	o.empty()
	if err := o.absorb(left, len(stayed)); err != nil {
		return err
	}
	o.cold.touched = touched
	o.cold.move(stay)
	return o.cold.store.tidy()
}

// beginSpill makes the store.
func (o *sessionOp) beginSpill() error {
	if o.cold.store != nil {
		return nil
	}
	var err error
	if o.cold.widths, err = stateWidths(o.groups); err != nil {
		return err
	}
	o.cold.store = newColdStore(o.node.spill)
	o.cold.store.time = len(o.node.types) + 1
	if o.node.held || o.node.latest {
		o.cold.store.shown = len(o.node.types) + 3
	}
	return nil
}

// saveCold writes the sessions on disk behind those in memory.
func (o *sessionOp) saveCold(w *stateWriter) {
	if o.cold.store == nil {
		w.number(0)
		return
	}
	o.cold.store.capture(w)
}

// loadCold reads what saveCold wrote. The sessions of a partition must stay together, so they go to the disk again, or where there is none all
// of them to memory.
func (o *sessionOp) loadCold(r *stateReader) (err error) {
	if r.version < 6 {
		return nil
	}
	parts, err := r.size()
	if err != nil || parts == 0 {
		return err
	}
	if o.cold.widths, err = stateWidths(o.groups); err != nil {
		return err
	}
	return loadColdParts(r, parts, o)
}

// checkCold holds columns of a snapshot to what absorb relies on; the accumulators check their own.
func (o *sessionOp) checkCold(columns []arrow.Array) error {
	word, flag := arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Boolean
	return checkColumns(columns, append(typesOfKeys(o.node.types), word, word, flag, flag), o.cold.widths)
}

func (o *sessionOp) restoreCold(columns []arrow.Array, rows int) error {
	if !o.node.cools() {
		return o.absorb(columns, rows)
	}
	if err := o.beginSpill(); err != nil {
		return err
	}
	if err := o.cold.store.put(o.hashesOf(columns[:len(o.node.types)], rows), columns); err != nil {
		return err
	}
	return o.cold.store.tidy()
}

// spilled implements spiller.
func (o *sessionOp) spilled() int64 { return o.cold.store.spilled() }

// close implements spiller.
func (o *sessionOp) close() error { return o.cold.store.close() }

// bytes is the memory of what is on disk.
func (c *coldSessions) bytes() int64 {
	total := c.recency.bytes()
	if c.store != nil {
		total += c.store.bytes()
	}
	return total
}
