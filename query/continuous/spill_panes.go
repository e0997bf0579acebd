package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// Panes may have more keys than memory has room for. All of them go to the disk at once, by pane and key, with the states of the accumulators:
// what comes to a pane after that begins anew in memory, for nothing of a pane is asked before a window is shown. A window then puts together
// what is in memory and on disk one range of hashes after the other, and reads a pane once for each window over it.

// coldPanes is what an operator of panes has on disk.
type coldPanes struct {
	store *coldStore // nil as long as nothing has gone there
	// widths is how many columns the state of each accumulator has.
	widths []int
	// starts are those of the panes there, ascending.
	starts []int64
}

// cools tells whether panes may go to the disk.
func (n *paneNode) cools() bool { return n.of.spill != nil && len(n.keyTypes) > 0 }

// spill implements spiller.
func (o *paneOp) spill(bytes int64) error {
	if !o.node.cools() || o.keys.count() == 0 || bytes <= 0 {
		return nil
	}
	if err := o.beginSpill(); err != nil {
		return err
	}
	var hashes []uint32
	var all [][]arrow.Array
	for _, p := range o.panes.panes {
		columns, err := o.columnsOf(p)
		if err != nil {
			return err
		}
		if len(p.ids) > 0 {
			all = append(all, columns)
		}
		for _, id := range p.ids {
			hashes = append(hashes, shortHash(o.keys.hashes[id]))
		}
	}
	if len(all) > 0 {
		columns, err := endToEnd(all)
		if err != nil {
			return err
		}
		if err := o.cold.store.put(hashes, columns); err != nil {
			return err
		}
	}
	for _, p := range o.panes.panes {
		o.cold.note(p.start)
	}
	o.keys, o.panes = newRowIndex(o.node.keyTypes), newSliding(o.node.calls)
	return o.cold.store.tidy()
}

// beginSpill makes the store.
func (o *paneOp) beginSpill() error {
	if o.cold.store != nil {
		return nil
	}
	widths, err := stateWidths(newGroups(o.node.keyTypes, o.node.calls))
	if err != nil {
		return err
	}
	o.cold.widths, o.cold.store = widths, newColdStore(o.node.of.spill)
	o.cold.store.time, o.cold.store.combine = 0, o.combined
	return nil
}

// columnsOf are the keys of a pane as they stand on disk: the start of the pane, the key, and the states of the accumulators.
func (o *paneOp) columnsOf(p *pane) ([]arrow.Array, error) {
	out := []arrow.Array{event.NewTimestamps(slices.Repeat([]int64{p.start}, len(p.ids)), nil)}
	out = append(out, o.keys.gather(p.ids)...)
	for _, a := range p.accumulators {
		state, err := a.State(identity(len(p.ids)))
		if err != nil {
			return nil, err
		}
		out = append(out, state...)
	}
	return out, nil
}

// note remembers that a pane is there.
func (c *coldPanes) note(start int64) {
	if at, found := slices.BinarySearch(c.starts, start); !found {
		c.starts = slices.Insert(c.starts, at, start)
	}
}

// evict drops the panes before a time.
func (c *coldPanes) evict(before int64) error {
	if c.store == nil {
		return nil
	}
	at, _ := slices.BinarySearch(c.starts, before)
	c.starts = slices.Delete(c.starts, 0, at)
	return c.store.expire(before - 1)
}

// within tells whether there are panes from start to before end.
func (c *coldPanes) within(start, end int64) bool {
	at, _ := slices.BinarySearch(c.starts, start)
	return at < len(c.starts) && c.starts[at] < end
}

// mergeCold adds the states of rows, as coldPanes has them on disk, to groups by the keys behind the first columns.
func (o *paneOp) mergeCold(into *groups, columns []arrow.Array, rows, skipped int) error {
	width := 1 + len(o.node.keyTypes)
	slots, _ := into.index.assign(columns[skipped:width], rows)
	return into.adopt(columns[width:], o.cold.widths, slots)
}

// combined makes one row of all those of a pane and key.
func (o *paneOp) combined(columns []arrow.Array, rows int) ([]uint32, []arrow.Array, error) {
	all := newGroups(append([]event.Type{{Kind: event.TimestampTZ}}, o.node.keyTypes...), o.node.calls)
	if err := o.mergeCold(all, columns, rows, 0); err != nil {
		return nil, nil, err
	}
	slots := all.index.all()
	out := all.index.gather(slots)
	hashes := o.hashesOf(out[1:], len(slots))
	for _, a := range all.accumulators {
		state, err := a.State(slots)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, state...)
	}
	return hashes, out, nil
}

func (o *paneOp) hashesOf(keys []arrow.Array, rows int) []uint32 {
	out := make([]uint32, rows)
	for i, h := range o.keys.hash(keys, rows) {
		out[i] = shortHash(h)
	}
	return out
}

// coldWindow gives the rows of one window of which some panes are on disk; accumulators are those of the keys in memory.
func (o *paneOp) coldWindow(start, end int64, accumulators []kernel.Accumulator) (Delta, error) {
	ids := make([][]uint32, len(o.cold.store.parts))
	for _, id := range o.keys.all() {
		part := o.cold.store.part(shortHash(o.keys.hashes[id]))
		ids[part] = append(ids[part], id)
	}
	var parts []Delta
	for part, warm := range ids {
		all := newGroups(o.node.keyTypes, o.node.calls)
		if err := o.mergeWarm(all, accumulators, warm); err != nil {
			return Delta{}, err
		}
		err := o.cold.store.scan(part, func(columns []arrow.Array, rows int) error {
			var inside []int32
			for i, at := range o.cold.store.timesOf(columns) {
				if at >= start && at < end {
					inside = append(inside, int32(i))
				}
			}
			if len(inside) < rows {
				columns = taken(columns, inside)
			}
			return o.mergeCold(all, columns, len(inside), 1)
		})
		if err != nil {
			return Delta{}, err
		}
		rows, err := o.rowsOf(start, end, all.index, all.accumulators)
		if err != nil {
			return Delta{}, err
		}
		parts = append(parts, rows)
	}
	return sum(o.node.cols, parts...)
}

// mergeWarm adds what accumulators over the keys in memory hold of some of them.
func (o *paneOp) mergeWarm(into *groups, accumulators []kernel.Accumulator, ids []uint32) error {
	if len(ids) == 0 {
		return nil
	}
	slots, _ := into.index.assign(o.keys.gather(ids), len(ids))
	var state []arrow.Array
	for _, a := range accumulators {
		some, err := a.State(ids)
		if err != nil {
			return err
		}
		state = append(state, some...)
	}
	return into.adopt(state, o.cold.widths, slots)
}

// saveCold writes the panes on disk behind those in memory.
func (o *paneOp) saveCold(w *stateWriter) {
	if o.cold.store == nil {
		w.number(0)
		return
	}
	o.cold.store.capture(w)
}

// loadCold reads what saveCold wrote: to the disk again, or where there is none to memory.
func (o *paneOp) loadCold(r *stateReader) error {
	if r.version < 4 {
		return nil
	}
	parts, err := r.size()
	if err != nil || parts == 0 {
		return err
	}
	if err := o.beginSpill(); err != nil {
		return err
	}
	if err := loadColdParts(r, parts, o); err != nil {
		return err
	}
	if o.node.cools() {
		return o.cold.store.tidy()
	}
	o.cold = coldPanes{}
	o.panes.frozen = 0
	for o.panes.frozen < len(o.panes.panes) && o.panes.panes[o.panes.frozen].start < o.last {
		o.panes.frozen++
	}
	return nil
}

// checkCold holds columns of a snapshot to what the states of accumulators do not check themselves.
func (o *paneOp) checkCold(columns []arrow.Array) error {
	types := append([]arrow.DataType{event.Type{Kind: event.TimestampTZ}.Arrow()}, typesOfKeys(o.node.keyTypes)...)
	return checkColumns(columns, types, o.cold.widths)
}

func (o *paneOp) restoreCold(columns []arrow.Array, rows int) error {
	starts := o.cold.store.timesOf(columns)
	if !o.node.cools() {
		return o.absorb(columns, starts)
	}
	for _, start := range starts {
		o.cold.note(start)
	}
	return o.cold.store.put(o.hashesOf(columns[1:1+len(o.node.keyTypes)], rows), columns)
}

// absorb puts rows, as coldPanes has them on disk, into panes in memory.
func (o *paneOp) absorb(columns []arrow.Array, starts []int64) error {
	rows := map[int64][]int32{}
	for i, start := range starts {
		rows[start] = append(rows[start], int32(i))
	}
	for start, some := range rows {
		one := newGroups(o.node.keyTypes, o.node.calls)
		if err := o.mergeCold(one, taken(columns, some), len(some), 1); err != nil {
			return err
		}
		slots := one.index.all()
		ids, _ := o.keys.assign(one.index.gather(slots), len(slots))
		p := o.panes.at(start)
		places := p.placesOf(ids)
		for i, a := range one.accumulators {
			if err := p.accumulators[i].Merge(a, places, len(p.ids)); err != nil {
				return err
			}
		}
	}
	return nil
}

// spilled implements spiller.
func (o *paneOp) spilled() int64 { return o.cold.store.spilled() }

// close implements spiller.
func (o *paneOp) close() error { return o.cold.store.close() }

// bytes is the memory of what is on disk.
func (c *coldPanes) bytes() int64 {
	if c.store == nil {
		return 0
	}
	return c.store.bytes() + int64(8*cap(c.starts))
}
