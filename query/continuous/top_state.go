package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// reach makes room for groups.
func (o *topOp) reach(groups int) {
	o.places, o.isShown = lengthened(o.places, groups*o.node.count), lengthened(o.isShown, groups)
}

// plan notes when a new group is to be shown and forgotten.
func (o *topOp) plan(by []arrow.Array, row int, group uint32) {
	if at := o.node.schedule.expires; at >= 0 && by[at].IsValid(row) {
		o.expiry.add(arrow.GetValues[int64](by[at].Data(), 1)[row], group)
	}
	if at := o.node.schedule.closes; at >= 0 && by[at].IsValid(row) && !o.isShown[group] {
		o.closing.add(arrow.GetValues[int64](by[at].Data(), 1)[row], group)
	}
}

// slot is one for a new row.
func (o *topOp) slot() uint32 {
	if n := len(o.free); n > 0 {
		out := o.free[n-1]
		o.free = o.free[:n-1]
		return out
	}
	o.used++
	return o.used - 1
}

func (o *topOp) release(slots []uint32) {
	for _, v := range o.rows {
		v.drop(slots)
	}
	for _, v := range o.keys {
		v.drop(slots)
	}
	o.free = append(o.free, slots...)
}

// expire forgets the groups that no row can touch any more. What was given of them stays.
func (o *topOp) expire(final int64) error {
	if o.node.schedule.expires < 0 || final == NoWatermark {
		return nil
	}
	if o.cold.store != nil {
		if err := o.cold.store.expire(behind(final, o.node.schedule.lag)); err != nil {
			return err
		}
	}
	var gone []uint32
	for _, e := range o.expiry.due(behind(final, o.node.schedule.lag)) {
		gone = append(gone, e.slot)
		o.release(o.of(e.slot))
		clear(o.places[int(e.slot)*o.node.count:][:o.node.count])
		o.isShown[e.slot] = false
	}
	o.groups.remove(gone)
	return nil
}

// upTo32 are the numbers below n.
func upTo32(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// save writes the groups, each with the number of its rows and whether it was shown, and the rows, group by group and in order.
func (o *topOp) save(w *stateWriter) error {
	groups := o.groups.all()
	counts, shown := make([]int64, len(groups)), event.NewBitmap(len(groups))
	var slots []uint32
	for i, group := range groups {
		of := o.of(group)
		slots = append(slots, of...)
		counts[i] = int64(len(of))
		if o.isShown[group] {
			shown.Set(i)
		}
	}
	columns := append(o.groups.gather(groups), event.NewInt64s(counts, nil), event.NewBooleans(shown, len(groups), nil))
	if err := w.columns(columns, len(groups)); err != nil {
		return err
	}
	rows := make([]arrow.Array, len(o.rows))
	for i, v := range o.rows {
		rows[i] = v.gather(slots)
	}
	if err := w.columns(rows, len(slots)); err != nil {
		return err
	}
	o.saveCold(w)
	return nil
}

func (o *topOp) load(r *stateReader) error {
	if err := o.loadWarm(r); err != nil {
		return err
	}
	return o.loadCold(r)
}

// loadWarm reads the groups that were in memory.
func (o *topOp) loadWarm(r *stateReader) error {
	types := append(typesOfKeys(o.node.types), arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Boolean)
	columns, count, err := r.columns(types)
	if err != nil {
		return err
	}
	by := columns[:len(o.node.types)]
	if _, fresh := o.groups.assign(by, count); len(fresh) != count {
		return errState("a group is there twice")
	}
	o.reach(count)
	rows, total, err := r.columns(arrowTypes(o.node.ins[0].columns()))
	if err != nil {
		return err
	}
	counts, shown := arrow.GetValues[int64](columns[len(by)].Data(), 1), columns[len(by)+1].(interface{ Value(int) bool })
	slots := make([]uint32, 0, total)
	for group := range count {
		n := counts[group]
		if n < 0 || n > int64(o.node.count) || n > int64(total-len(slots)) {
			return errState("a group of %d rows", n)
		}
		for i := range int(n) {
			slots = append(slots, o.slot())
			o.places[group*o.node.count+i] = slots[len(slots)-1] + 1
		}
		o.isShown[group] = shown.Value(group)
		o.plan(by, group, uint32(group))
	}
	if len(slots) != total {
		return errState("%d rows of groups, not %d", total, len(slots))
	}
	for i, v := range o.rows {
		v.put(slots, rows[i], nil)
	}
	if total == 0 {
		return nil
	}
	keys, err := o.orderOf(&Delta{Columns: rows, Rows: total})
	if err != nil {
		return err
	}
	for i, v := range o.keys {
		v.put(slots, keys[i], nil)
	}
	return nil
}

func (o *topOp) bytes() int64 {
	total := o.groups.bytes() + int64(4*(cap(o.places)+cap(o.free))+cap(o.isShown)) + o.expiry.bytes() + o.closing.bytes() + o.batches.bytes() + o.cold.bytes()
	for _, v := range append(o.rows[:len(o.rows):len(o.rows)], o.keys...) {
		total += v.bytes()
	}
	return total
}
