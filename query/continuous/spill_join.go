package continuous

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// A join may remember more rows than memory has room for. The keys that no row had for longest go to the disk with the rows of both sides,
// and come back when a row has one of them: a key is in one place only, with all its rows. Rows that no row to come can pair with are
// forgotten there as they are in memory, without anybody being told. A join without keys that are equal has runs there: joinRun.

// coldJoin is what a join has on disk: for each side its rows, their weights, and where the side pads how many pairs they have.
type coldJoin struct {
	stores [2]*coldStore // nil as long as nothing has gone there
	recency
}

// cools tells whether keys may go to the disk.
func (n *joinNode) cools() bool { return n.spill != nil && len(n.keyTypes) > 0 }

// warm brings the rows of keys back that are on disk.
func (o *joinOp) warm(keys []arrow.Array, rows int) error {
	if o.cold.stores[leftSide] == nil || rows == 0 {
		return nil
	}
	hashes := make([]uint32, rows)
	for i, h := range o.index.hash(keys, rows) {
		hashes[i] = shortHash(h)
	}
	for side, store := range o.cold.stores {
		if err := store.take(hashes, func(columns []arrow.Array, rows int) error { return o.absorb(side, columns, rows) }); err != nil {
			return err
		}
	}
	return nil
}

// absorb puts rows, as coldJoin has them on disk, into memory.
func (o *joinOp) absorb(side int, columns []arrow.Array, rows int) error {
	s := o.sides[side]
	width := len(s.rows.vectors)
	d := Delta{Columns: columns[:width], Weights: columns[width].(*array.Int64).Int64Values(), Rows: rows}
	values, err := o.keysOf(side, &d)
	if err != nil {
		return err
	}
	keys, _ := o.index.assign(values, rows)
	o.put(side, &d, keys, columns[width+1:])
	o.note(keys)
	return nil
}

// put adds rows that were there before, with the numbers of their pairs where the side pads.
func (o *joinOp) put(side int, d *Delta, keys []uint32, pairs []arrow.Array) {
	s := o.sides[side]
	t := s.rows.apply(d, keys)
	s.schedule(t.rows, t.before)
	if !s.pads {
		return
	}
	s.pairs = lengthened(s.pairs, len(s.rows.weights))
	for i, row := range t.rows {
		s.pairs[row] = pairs[0].(*array.Int64).Value(i)
	}
}

// note remembers which keys were needed now.
func (o *joinOp) note(keys []uint32) {
	if o.node.cools() {
		o.cold.note(keys, o.index.slots())
	}
}

// spill implements spiller.
func (o *joinOp) spill(bytes int64) error {
	if len(o.node.keyTypes) == 0 {
		return o.coolRuns(bytes)
	}
	live := o.index.count()
	if !o.node.cools() || live == 0 || bytes <= 0 {
		return nil
	}
	o.beginSpill()
	goes := make([]bool, o.index.slots())
	for _, key := range o.cold.coldest(o.index.all(), o.index.slots(), toSpill(live, bytes, o.bytes())) {
		goes[key] = true
	}
	var staged [2][]*coldChunk
	for side, s := range o.sides {
		rows := s.rowsOf(func(key uint32) bool { return goes[key] })
		if len(rows) == 0 {
			continue
		}
		hashes := make([]uint32, len(rows))
		for i, row := range rows {
			hashes[i] = shortHash(o.index.hashes[s.rows.key[row]])
		}
		var err error
		if staged[side], err = o.cold.stores[side].stage(hashes, s.columnsOf(rows)); err != nil {
			return err
		}
	}
	for side, chunks := range staged {
		o.cold.stores[side].commit(chunks)
	}
	o.keep(func(key uint32) bool { return !goes[key] })
	return errors.Join(o.cold.stores[leftSide].tidy(), o.cold.stores[rightSide].tidy())
}

// beginSpill makes the stores.
func (o *joinOp) beginSpill() {
	if o.cold.stores[leftSide] != nil {
		return
	}
	for side := range o.cold.stores {
		o.cold.stores[side] = newColdStore(o.node.spill)
		o.cold.stores[side].time = o.node.expiry[side].column
	}
}

// rowsOf lists the rows of some keys, ascending.
func (s *joinSide) rowsOf(has func(key uint32) bool) []uint32 {
	var out []uint32
	for _, row := range s.rows.all() {
		if has(s.rows.key[row]) {
			out = append(out, row)
		}
	}
	return out
}

// columnsOf are rows as they stand on disk.
func (s *joinSide) columnsOf(rows []uint32) []arrow.Array {
	weights := make([]int64, len(rows))
	for i, row := range rows {
		weights[i] = s.rows.weights[row]
	}
	out := append(s.rows.vectorsOf(rows), event.NewInt64s(weights, nil))
	if !s.pads {
		return out
	}
	pairs := make([]int64, len(rows))
	for i, row := range rows {
		pairs[i] = s.pairs[row]
	}
	return append(out, event.NewInt64s(pairs, nil))
}

// keep moves some keys and their rows to new memory and gives that of all others back.
func (o *joinOp) keep(stays func(key uint32) bool) {
	was := *o
	o.begin()
	var from []uint32
	for _, key := range was.index.all() {
		if stays(key) {
			from = append(from, key)
		}
	}
	to := make([]uint32, was.index.slots())
	keys, _ := o.index.assign(was.index.gather(from), len(from))
	for i, key := range from {
		to[key] = keys[i]
	}
	for side, s := range was.sides {
		rows := s.rowsOf(stays)
		if len(rows) == 0 {
			continue
		}
		columns, of := s.columnsOf(rows), make([]uint32, len(rows))
		for i, row := range rows {
			of[i] = to[s.rows.key[row]]
		}
		width := len(s.rows.vectors)
		o.put(side, &Delta{Columns: columns[:width], Weights: columns[width].(*array.Int64).Int64Values(), Rows: len(rows)}, of, columns[width+1:])
	}
	o.cold.move(from)
}

// forgetCold drops what is on disk that no row to come can pair with.
func (o *joinOp) forgetCold(final int64) error {
	if final == NoWatermark || o.cold.stores[leftSide] == nil {
		return nil
	}
	for side, store := range o.cold.stores {
		if err := store.expire(behind(final, o.node.expiry[side].lag)); err != nil {
			return err
		}
	}
	return nil
}

// saveCold writes the rows on disk behind those in memory.
func (o *joinOp) saveCold(w *stateWriter) {
	if len(o.node.keyTypes) == 0 {
		for _, s := range o.sides {
			s.saveRuns(w)
		}
		return
	}
	for _, store := range o.cold.stores {
		if store == nil {
			w.number(0)
		} else {
			store.capture(w)
		}
	}
}

// loadCold reads what saveCold wrote. The rows of one key must stay together, so they go to the disk again, or where there is none all of them
// to memory.
func (o *joinOp) loadCold(r *stateReader) error {
	if r.version < 3 {
		return nil
	}
	for side := range o.sides {
		if len(o.node.keyTypes) == 0 && r.form >= 2 {
			if err := o.loadRuns(r, side); err != nil {
				return err
			}
			continue
		}
		parts, err := r.size()
		if err != nil {
			return err
		}
		for range parts {
			columns, rows, err := r.columns(o.node.coldTypes(side))
			if err != nil {
				return err
			}
			if err := o.restoreCold(side, columns, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *joinOp) restoreCold(side int, columns []arrow.Array, rows int) error {
	if !o.node.cools() {
		return o.absorb(side, columns, rows)
	}
	o.beginSpill()
	values, err := o.keysOf(side, &Delta{Columns: columns, Rows: rows})
	if err != nil {
		return err
	}
	hashes := make([]uint32, rows)
	for i, h := range o.index.hash(values, rows) {
		hashes[i] = shortHash(h)
	}
	if err := o.cold.stores[side].put(hashes, columns); err != nil {
		return err
	}
	return o.cold.stores[side].tidy()
}

// coldTypes are those of the columns of a side on disk.
func (n *joinNode) coldTypes(side int) []arrow.DataType {
	out := append(arrowTypes(n.ins[side].columns()), arrow.PrimitiveTypes.Int64)
	if n.pads(side) {
		out = append(out, arrow.PrimitiveTypes.Int64)
	}
	return out
}

// spilled implements spiller.
func (o *joinOp) spilled() int64 {
	total := int64(0)
	for _, store := range o.cold.stores {
		if store != nil {
			total += store.stored
		}
	}
	for _, s := range o.sides {
		_, disk := s.runBytes()
		total += disk
	}
	return total
}

// close implements spiller.
func (o *joinOp) close() error {
	var errs []error
	for side, store := range o.cold.stores {
		if errs = append(errs, o.sides[side].closeRuns()); store != nil {
			errs = append(errs, store.close())
		}
	}
	return errors.Join(errs...)
}

// bytes is the memory of what is on disk.
func (c *coldJoin) bytes() int64 {
	total := c.recency.bytes()
	for _, store := range c.stores {
		if store != nil {
			total += store.bytes()
		}
	}
	return total
}
