package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// slideRows are the rows that frames can still reach: of each partition a list in order, with the arguments of calls.
type slideRows struct {
	// By partition: how many rows it has had, the number of the first that is kept, and the slots of the first and the last, plus one.
	count, base, head, tail []uint32
	// By slot: the slot of the next row plus one, the time, and the arguments; nil for one that no frame looks back to.
	next    []uint32
	times   []int64
	vectors []vector
	free    []uint32
	// released are free slots whose arguments have not been dropped yet: the moves of a step still look at them.
	released []uint32
	// stretches are the rows of the only partition that lie on disk, in order.
	stretches []slideStretch
}

func newSlideRows(n *slideNode) *slideRows {
	r := &slideRows{vectors: make([]vector, len(n.args))}
	for i, a := range n.args {
		if a.kept {
			r.vectors[i] = newVector(a.typ)
		}
	}
	return r
}

func (r *slideRows) reach(keys int) {
	r.count, r.base = lengthened(r.count, keys), lengthened(r.base, keys)
	r.head, r.tail = lengthened(r.head, keys), lengthened(r.tail, keys)
}

// take makes a slot for a partition's next row, which has a number and a time.
func (r *slideRows) take(key, number uint32, time int64) uint32 {
	slot := r.slot(time)
	if r.head[key] == 0 {
		r.head[key], r.base[key] = slot+1, number
	} else {
		r.next[r.tail[key]-1] = slot + 1
	}
	r.tail[key] = slot + 1
	return slot
}

// slot is the slot of a new row.
func (r *slideRows) slot(time int64) (slot uint32) {
	if n := len(r.free); n > 0 {
		slot = r.free[n-1]
		r.free = r.free[:n-1]
	} else {
		slot = uint32(len(r.next))
		r.next, r.times = append(r.next, 0), append(r.times, 0)
	}
	r.next[slot], r.times[slot] = 0, time
	return slot
}

// kept is how many rows a partition keeps, in memory and on disk.
func (r *slideRows) kept(key uint32) uint32 {
	if r.head[key] == 0 {
		return 0
	}
	return r.count[key] - r.base[key]
}

// release drops the rows of a partition before a number.
func (r *slideRows) release(key, before uint32) {
	for r.head[key] != 0 && int32(r.base[key]-before) < 0 {
		slot := r.head[key] - 1
		next, skipped := r.following(slot)
		r.head[key] = next
		r.base[key] += 1 + uint32(skipped)
		r.free, r.released = append(r.free, slot), append(r.released, slot)
	}
	if r.head[key] == 0 {
		r.tail[key] = 0
	}
}

// settle drops the arguments of rows that are gone, before others are put in their place.
func (r *slideRows) settle() {
	for _, v := range r.vectors {
		if v != nil {
			v.drop(r.released)
		}
	}
	r.released = r.released[:0]
}

// drop forgets a partition.
func (r *slideRows) drop(key uint32) {
	r.release(key, r.count[key])
	r.count[key] = 0
}

// lastTime is the time of the last row of a partition that has one.
func (r *slideRows) lastTime(key uint32) int64 { return r.times[r.tail[key]-1] }

// list appends the slots of a partition's rows in memory, in order.
func (r *slideRows) list(key uint32, into []uint32) []uint32 {
	for at := r.head[key]; at != 0; {
		into = append(into, at-1)
		at, _ = r.following(at - 1)
	}
	return into
}

// columnsOf are the times and arguments of rows.
func (r *slideRows) columnsOf(slots []uint32) []arrow.Array {
	out := []arrow.Array{event.NewInt64s(pickSlots(r.times, slots), nil)}
	for _, v := range r.vectors {
		if v != nil {
			out = append(out, v.gather(slots))
		}
	}
	return out
}

func (r *slideRows) bytes() int64 {
	total := 4 * int64(cap(r.count)+cap(r.base)+cap(r.head)+cap(r.tail)+cap(r.next)+2*cap(r.times)+cap(r.free))
	const perStretch = 128
	total += perStretch * int64(cap(r.stretches))
	for _, v := range r.vectors {
		if v != nil {
			total += v.bytes()
		}
	}
	return total
}

// waiting holds rows until the watermark has passed their time, on disk those that memory has no room for.
type waiting struct {
	types   []event.Type
	vectors []vector
	live    []bool
	free    []uint32
	when    calendar
	cold    timeRuns
}

func newWaiting(types []event.Type, space *spill.Space) *waiting {
	return &waiting{types: types, vectors: newVectors(types), cold: timeRuns{space: space}}
}

// keep adds rows, as they stand on disk.
func (w *waiting) keep(columns []arrow.Array, times []int64, rows int) error {
	w.add(&Delta{Columns: columns, Rows: rows}, times)
	return nil
}

// cool moves rows to the disk, those that are due last, for so many bytes to be free.
func (w *waiting) cool(bytes int64) error {
	all := w.when.all()
	if w.cold.space == nil || len(all) == 0 || bytes <= 0 {
		return nil
	}
	stay, gone := latest(all, bytes, w.bytes())
	rows, times := w.of(gone)
	if err := w.cold.put(rows.Columns, times); err != nil {
		return err
	}
	rows, times = w.of(stay)
	w.vectors, w.live, w.free, w.when = newVectors(w.types), nil, nil, calendar{}
	w.add(&rows, times)
	return nil
}

// of are the rows of entries, with their times.
func (w *waiting) of(entries []entry) (rows Delta, times []int64) {
	slots, times := make([]uint32, len(entries)), make([]int64, len(entries))
	for i, e := range entries {
		slots[i], times[i] = e.slot, e.at
	}
	return w.gather(slots), times
}

func (w *waiting) add(d *Delta, times []int64) {
	slots := make([]uint32, d.Rows)
	for i := range slots {
		if n := len(w.free); n > 0 {
			slots[i] = w.free[n-1]
			w.free = w.free[:n-1]
		} else {
			slots[i] = uint32(len(w.live))
			w.live = append(w.live, false)
		}
		w.live[slots[i]] = true
		w.when.add(times[i], slots[i])
	}
	for i, c := range decoded(d.Columns) {
		w.vectors[i].put(slots, c, nil)
	}
}

// due takes out the rows whose time has passed, and gives their times.
func (w *waiting) due(passed int64) (Delta, []int64, error) {
	if passed == NoWatermark {
		return Delta{}, nil, nil
	}
	if err := w.cold.due(passed, w.keep); err != nil {
		return Delta{}, nil, err
	}
	entries := w.when.due(passed)
	slots, times := make([]uint32, len(entries)), make([]int64, len(entries))
	for i, e := range entries {
		slots[i], times[i] = e.slot, e.at
		w.live[e.slot] = false
	}
	out := w.gather(slots)
	for _, v := range w.vectors {
		v.drop(slots)
	}
	w.free = append(w.free, slots...)
	return out, times, nil
}

func (w *waiting) gather(slots []uint32) Delta {
	out := Delta{Columns: make([]arrow.Array, len(w.vectors)), Rows: len(slots)}
	for i, v := range w.vectors {
		out.Columns[i] = v.gather(slots)
	}
	return out
}

// all are the rows that wait in memory.
func (w *waiting) all() Delta {
	var slots []uint32
	for s, live := range w.live {
		if live {
			slots = append(slots, uint32(s))
		}
	}
	return w.gather(slots)
}

func (w *waiting) bytes() int64 {
	total := int64(cap(w.live)+4*cap(w.free)) + w.when.bytes() + w.cold.bytes()
	for _, v := range w.vectors {
		total += v.bytes()
	}
	return total
}
