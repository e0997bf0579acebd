package continuous

import (
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// A grouping may have more groups than memory has room for. Those that no row has touched for longest go to the disk, by their keys and the
// states of their accumulators, and come back when a row belongs to them. A group is in one place only. Where groups follow the watermark they
// are forgotten there as they are in memory, and those that are held back are shown from there once it has passed them.

// coldGroups is what a grouping has on disk, and what it needs to know to choose.
type coldGroups struct {
	store *coldStore
	recency
	// widths is how many columns the state of each accumulator has.
	widths []int
}

// cools tells whether groups may go to the disk.
func (n *accumulateNode) cools() bool { return n.spill != nil && len(n.types) > 0 }

// note remembers which groups were needed now.
func (o *accumulateOp) note(slots []uint32) {
	if !o.node.cools() {
		return
	}
	o.cold.note(slots, o.groups.index.slots())
}

// warm brings the groups of keys back that are on disk.
func (o *accumulateOp) warm(keys []arrow.Array, rows int) error {
	if o.cold.store == nil || rows == 0 {
		return nil
	}
	return o.cold.store.take(o.hashesOf(keys, rows), o.absorb)
}

// absorb puts groups, as coldGroups has them on disk, into memory.
func (o *accumulateOp) absorb(columns []arrow.Array, rows int) error {
	width := len(o.node.types)
	keys, flags, state := columns[:width], columns[width].(*array.Boolean), columns[width+1:]
	slots, fresh := o.groups.index.assign(keys, rows)
	if len(fresh) != rows {
		return event.Errorf(event.CodeInternal, "a group is in memory and on disk")
	}
	count := o.groups.index.slots()
	if err := o.groups.adopt(state, o.cold.widths, slots); err != nil {
		return err
	}
	o.reach(count)
	var shown []uint32
	for i, s := range slots {
		if flags.Value(i) {
			shown = append(shown, s)
		}
	}
	results, err := o.results(shown)
	if err != nil {
		return err
	}
	o.keepShown(shown, results)
	for i, s := range slots {
		o.plan(keys, i, s)
	}
	o.note(slots)
	return nil
}

// spill implements spiller.
func (o *accumulateOp) spill(bytes int64) error {
	live := o.groups.index.count()
	if !o.node.cools() || live == 0 || bytes <= 0 {
		return nil
	}
	if o.cold.store == nil {
		if err := o.beginSpill(); err != nil {
			return err
		}
	}
	victims := o.cold.coldest(o.groups.index.all(), o.groups.index.slots(), toSpill(live, bytes, o.bytes()))
	hashes := make([]uint32, len(victims))
	for i, s := range victims {
		hashes[i] = shortHash(o.groups.index.hashes[s])
	}
	columns, err := o.columnsOf(victims)
	if err != nil {
		return err
	}
	if err := o.cold.store.put(hashes, columns); err != nil {
		return err
	}
	return errors.Join(o.forget(victims), o.cold.store.tidy())
}

// beginSpill makes the store.
func (o *accumulateOp) beginSpill() error {
	widths, err := stateWidths(o.groups)
	if err != nil {
		return err
	}
	o.cold.widths, o.cold.store = widths, newColdStore(o.node.spill)
	o.cold.store.time, o.cold.store.untimed = o.node.schedule.expires, endOfTime
	if o.node.schedule.closes >= 0 {
		o.cold.store.shown = len(o.node.types)
	}
	return nil
}

// showCold gives the groups on disk that are held back and whose time the watermark has now passed. Those that may still change stay there.
func (o *accumulateOp) showCold(s *stepping) (Delta, error) {
	if o.cold.store == nil || o.node.schedule.closes < 0 || s.closed == NoWatermark {
		return noChange(o.node.cols), nil
	}
	var given []Delta
	err := o.cold.store.show(behind(s.closed, o.node.schedule.closeLag), behind(s.final, o.node.schedule.lag), func(columns []arrow.Array, rows int) error {
		results, err := o.resultsOf(columns, rows)
		given = append(given, Delta{Columns: append(slices.Clone(columns[:len(o.node.types)]), results...), Rows: rows})
		return err
	})
	if err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, given...)
}

// resultsOf are what groups on disk show.
func (o *accumulateOp) resultsOf(columns []arrow.Array, rows int) ([]arrow.Array, error) {
	state := columns[len(o.node.types)+1:]
	out := make([]arrow.Array, len(o.shown))
	for i := range out {
		part := o.groups.calls[i].NewAccumulator()
		if err := part.Restore(state[:o.cold.widths[i]]); err != nil {
			return nil, err
		}
		state = state[o.cold.widths[i]:]
		result, err := part.Result(rows)
		if err != nil {
			return nil, err
		}
		out[i] = kernel.Decode(result)
	}
	return typed(out, o.node.cols[len(o.node.types):]), nil
}

// forgetCold drops the groups on disk that no row can touch any more.
func (o *accumulateOp) forgetCold(final int64) error {
	if o.cold.store == nil || o.node.schedule.expires < 0 || final == NoWatermark {
		return nil
	}
	return o.cold.store.expire(behind(final, o.node.schedule.lag))
}

func (o *accumulateOp) hashesOf(keys []arrow.Array, rows int) []uint32 {
	out := make([]uint32, rows)
	for i, h := range o.groups.index.hash(keys, rows) {
		out[i] = shortHash(h)
	}
	return out
}

// stateWidths is how many columns the state of each accumulator has.
func stateWidths(g *groups) ([]int, error) {
	out := make([]int, len(g.calls))
	for i, call := range g.calls {
		state, err := call.NewAccumulator().State(nil)
		if err != nil {
			return nil, err
		}
		out[i] = len(state)
	}
	return out, nil
}

// columnsOf are groups as they stand on disk: their keys, whether they are shown, and the states of their accumulators.
func (o *accumulateOp) columnsOf(slots []uint32) ([]arrow.Array, error) {
	shown := event.NewBitmap(len(slots))
	for i, s := range slots {
		if o.isShown[s] {
			shown.Set(i)
		}
	}
	columns := append(o.groups.index.gather(slots), event.NewBooleans(shown, len(slots), nil))
	for _, a := range o.groups.accumulators {
		state, err := a.State(slots)
		if err != nil {
			return nil, err
		}
		columns = append(columns, state...)
	}
	return columns, nil
}

// saveCold writes the groups on disk behind those in memory.
func (o *accumulateOp) saveCold(w *stateWriter) {
	if o.cold.store == nil {
		w.number(0)
		return
	}
	o.cold.store.capture(w)
}

// loadCold reads what saveCold wrote: to the disk again, or where there is none to memory.
func (o *accumulateOp) loadCold(r *stateReader) error {
	if r.version < 2 {
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

// coldLoader is an operator that takes back what was on disk when its state was saved.
type coldLoader interface {
	// checkCold holds the columns of a part to what restoreCold relies on.
	checkCold(columns []arrow.Array) error
	restoreCold(columns []arrow.Array, rows int) error
}

// loadColdParts reads parts whose columns are checked as they come.
func loadColdParts(r *stateReader, parts int, o coldLoader) error {
	for range parts {
		columns, rows, err := r.anyColumns()
		if err != nil {
			return err
		}
		if err := o.checkCold(columns); err != nil {
			return err
		}
		if err := o.restoreCold(columns, rows); err != nil {
			return err
		}
	}
	return nil
}

func (o *accumulateOp) restoreCold(columns []arrow.Array, rows int) error {
	if !o.node.cools() {
		return o.absorb(columns, rows)
	}
	if o.cold.store == nil {
		if err := o.beginSpill(); err != nil {
			return err
		}
	}
	if err := o.cold.store.put(o.hashesOf(columns[:len(o.node.types)], rows), columns); err != nil {
		return err
	}
	return o.cold.store.tidy()
}

// checkCold holds columns of a snapshot to what absorb relies on; the accumulators check their own.
func (o *accumulateOp) checkCold(columns []arrow.Array) error {
	return checkColumns(columns, append(typesOfKeys(o.node.types), arrow.FixedWidthTypes.Boolean), o.cold.widths)
}

// checkColumns holds columns of a snapshot to the types of the first and to how many follow these.
func checkColumns(columns []arrow.Array, types []arrow.DataType, widths []int) error {
	want := len(types)
	for _, w := range widths {
		want += w
	}
	if len(columns) != want {
		return errState("%d columns of what was on disk, not %d", len(columns), want)
	}
	for i, t := range types {
		if !arrow.TypeEqual(columns[i].DataType(), t) {
			return errState("column %d of what was on disk is %s, not %s", i, columns[i].DataType(), t)
		}
	}
	return nil
}

// spilled implements spiller.
func (o *accumulateOp) spilled() int64 { return o.cold.store.spilled() }

// close implements spiller.
func (o *accumulateOp) close() error { return o.cold.store.close() }

// bytes is the memory of what is on disk.
func (c *coldGroups) bytes() int64 {
	total := c.recency.bytes()
	if c.store != nil {
		total += c.store.bytes()
	}
	return total
}
