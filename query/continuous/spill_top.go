package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// The first rows of groups go to the disk as groups with accumulators do: those of the groups that no row touched for longest, each group as a
// whole. They come back when a row belongs to the group, are shown from there when its time has come, and forgotten when that is over.

// coldTop is what an operator of first rows has on disk: the rows, each with its place in its group, and where groups follow the watermark
// whether theirs is shown and the group's time.
type coldTop struct {
	store *coldStore // nil as long as nothing has gone there
	recency
}

// cools tells whether groups may go to the disk.
func (n *topNode) cools() bool { return n.spill != nil && len(n.types) > 0 }

// warm brings the groups of rows back that are on disk.
func (o *topOp) warm(by []arrow.Array, rows int) error {
	if o.cold.store == nil || rows == 0 {
		return nil
	}
	return o.cold.store.take(o.hashesOf(by, rows), o.absorb)
}

func (o *topOp) hashesOf(by []arrow.Array, rows int) []uint32 {
	out := make([]uint32, rows)
	for i, h := range o.groups.hash(by, rows) {
		out[i] = shortHash(h)
	}
	return out
}

// groupsOf are the values that rows are grouped by, canonical.
func (o *topOp) groupsOf(d *Delta) ([]arrow.Array, error) {
	return evalKeys(o.node.by, o.node.types, d)
}

// absorb puts whole groups, as coldTop has them on disk, into memory.
func (o *topOp) absorb(columns []arrow.Array, rows int) error {
	width := len(o.rows)
	d := Delta{Columns: columns[:width], Rows: rows}
	by, err := o.groupsOf(&d)
	if err != nil {
		return err
	}
	keys, err := o.orderOf(&d)
	if err != nil {
		return err
	}
	groups, _ := o.groups.assign(by, rows)
	o.reach(o.groups.slots())
	shown := slices.Repeat([]bool{true}, rows)
	if o.node.schedule.expires >= 0 {
		for i := range shown {
			shown[i] = columns[width+1].(*array.Boolean).Value(i)
		}
	}
	o.put(groups, columns[width].(*array.Int64).Int64Values(), shown, d.Columns, keys)
	for i, group := range groups {
		if i == 0 || groups[i-1] != group {
			o.plan(by, i, group)
		}
	}
	o.note(groups)
	return nil
}

// put adds rows to groups, of which some are shown, at their places there.
func (o *topOp) put(groups []uint32, places []int64, shown []bool, rows, keys []arrow.Array) {
	slots := make([]uint32, len(groups))
	for i, group := range groups {
		slots[i] = o.slot()
		o.places[int(group)*o.node.count+int(places[i])], o.isShown[group] = slots[i]+1, shown[i]
	}
	for i, v := range o.rows {
		v.put(slots, rows[i], nil)
	}
	for i, v := range o.keys {
		v.put(slots, keys[i], nil)
	}
}

// note remembers which groups were needed now.
func (o *topOp) note(groups []uint32) {
	if o.node.cools() {
		o.cold.note(groups, o.groups.slots())
	}
}

// spill implements spiller.
func (o *topOp) spill(bytes int64) error {
	live := o.groups.count()
	if !o.node.cools() || live == 0 || bytes <= 0 {
		return nil
	}
	o.beginSpill()
	victims := o.cold.coldest(o.groups.all(), o.groups.slots(), toSpill(live, bytes, o.bytes()))
	slots, groups, places := o.rowsIn(victims)
	hashes := make([]uint32, len(slots))
	for i, group := range groups {
		hashes[i] = shortHash(o.groups.hashes[group])
	}
	columns := append(gathered(o.rows, slots), event.NewInt64s(places, nil))
	if at := o.node.schedule.expires; at >= 0 {
		shown := event.NewBitmap(len(slots))
		for i, group := range groups {
			if o.isShown[group] {
				shown.Set(i)
			}
		}
		columns = append(columns, event.NewBooleans(shown, len(slots), nil), o.groups.vectors[at].gather(groups))
	}
	if err := o.cold.store.put(hashes, columns); err != nil {
		return err
	}
	o.drop(victims)
	return o.cold.store.tidy()
}

// beginSpill makes the store.
func (o *topOp) beginSpill() {
	if o.cold.store != nil {
		return
	}
	o.cold.store = newColdStore(o.node.spill)
	if o.node.schedule.expires >= 0 {
		o.cold.store.time, o.cold.store.untimed = len(o.rows)+2, endOfTime
	}
	if o.node.schedule.closes >= 0 {
		o.cold.store.shown = len(o.rows) + 1
	}
}

// showCold gives the groups on disk that are held back and whose time the watermark has now passed. Those that may still change stay there.
func (o *topOp) showCold(s *stepping) (Delta, error) {
	if o.cold.store == nil || o.node.schedule.closes < 0 || s.closed == NoWatermark {
		return noChange(o.node.cols), nil
	}
	var given []Delta
	err := o.cold.store.show(behind(s.closed, o.node.schedule.closeLag), behind(s.final, o.node.schedule.lag), func(columns []arrow.Array, rows int) error {
		out := Delta{Columns: slices.Clone(columns[:len(o.rows)]), Rows: rows}
		if o.node.numbered {
			numbers := make([]int64, rows)
			for i, place := range columns[len(o.rows)].(*array.Int64).Int64Values() {
				numbers[i] = place + 1
			}
			out.Columns = append(out.Columns, event.NewInt64s(numbers, nil))
		}
		given = append(given, out)
		return nil
	})
	if err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, given...)
}

// rowsIn are the slots of the rows of some groups, with the group of each and its place there.
func (o *topOp) rowsIn(some []uint32) (slots, groups []uint32, places []int64) {
	for _, group := range some {
		for i, slot := range o.of(group) {
			slots, groups, places = append(slots, slot), append(groups, group), append(places, int64(i))
		}
	}
	return slots, groups, places
}

func gathered(vectors []vector, slots []uint32) []arrow.Array {
	out := make([]arrow.Array, len(vectors), len(vectors)+1)
	for i, v := range vectors {
		out[i] = v.gather(slots)
	}
	return out
}

// drop forgets some groups, in ascending order, and moves the others to new memory.
func (o *topOp) drop(gone []uint32) {
	was := *o
	o.empty()
	from := slices.DeleteFunc(was.groups.all(), func(group uint32) bool {
		_, found := slices.BinarySearch(gone, group)
		return found
	})
	to := make([]uint32, was.groups.slots())
	groups, _ := o.groups.assign(was.groups.gather(from), len(from))
	for i, group := range from {
		to[group] = groups[i]
	}
	o.reach(o.groups.slots())
	slots, owners, places := was.rowsIn(from)
	shown := make([]bool, len(owners))
	for i, group := range owners {
		owners[i], shown[i] = to[group], was.isShown[group]
	}
	o.put(owners, places, shown, gathered(was.rows, slots), gathered(was.keys, slots))
	o.cold.move(from)
	o.expiry, o.closing = calendar{}, calendar{}
	by := o.groups.gather(groups)
	for i, group := range groups {
		o.plan(by, i, group)
	}
}

// saveCold writes the groups on disk behind those in memory.
func (o *topOp) saveCold(w *stateWriter) {
	if o.cold.store == nil {
		w.number(0)
		return
	}
	o.cold.store.capture(w)
}

// loadCold reads what saveCold wrote: to the disk again, or where there is none to memory.
func (o *topOp) loadCold(r *stateReader) error {
	if r.version < 3 {
		return nil
	}
	parts, err := r.size()
	if err != nil {
		return err
	}
	for range parts {
		columns, rows, err := r.columns(o.node.coldTypes())
		if err != nil {
			return err
		}
		if err := o.restoreCold(columns, rows); err != nil {
			return err
		}
	}
	return nil
}

// coldTypes are those of the columns on disk.
func (n *topNode) coldTypes() []arrow.DataType {
	out := append(arrowTypes(n.ins[0].columns()), arrow.PrimitiveTypes.Int64)
	if at := n.schedule.expires; at >= 0 {
		out = append(out, arrow.FixedWidthTypes.Boolean, typesOfKeys(n.types)[at])
	}
	return out
}

func (o *topOp) restoreCold(columns []arrow.Array, rows int) error {
	for _, place := range columns[len(o.rows)].(*array.Int64).Int64Values() {
		if place < 0 || place >= int64(o.node.count) {
			return errState("a row at place %d of %d", place, o.node.count)
		}
	}
	if !o.node.cools() {
		return o.absorb(columns, rows)
	}
	by, err := o.groupsOf(&Delta{Columns: columns, Rows: rows})
	if err != nil {
		return err
	}
	o.beginSpill()
	if err := o.cold.store.put(o.hashesOf(by, rows), columns); err != nil {
		return err
	}
	return o.cold.store.tidy()
}

// spilled implements spiller.
func (o *topOp) spilled() int64 { return o.cold.store.spilled() }

// close implements spiller.
func (o *topOp) close() error { return o.cold.store.close() }

// bytes is the memory of what is on disk.
func (c *coldTop) bytes() int64 {
	total := c.recency.bytes()
	if c.store != nil {
		total += c.store.bytes()
	}
	return total
}
