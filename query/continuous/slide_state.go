package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// save writes the rows that wait; the partitions, each with how many rows it keeps and where among them its frames begin and, if they lag,
// end; the rows that are kept, with their times; and what running aggregates hold. What the others hold follows from the rows.
func (o *slideOp) save(w *stateWriter) error {
	rest := o.waiting.all()
	if err := w.columns(rest.Columns, rest.Rows); err != nil {
		return err
	}
	keys := o.keys.all()
	if err := w.columns(append(o.keys.gather(keys), o.numbersOf(keys)...), len(keys)); err != nil {
		return err
	}
	var slots []uint32
	for _, key := range keys {
		slots = o.rows.list(key, slots)
	}
	if err := w.columns(o.rows.columnsOf(slots), len(slots)); err != nil {
		return err
	}
	o.saveStretches(w)
	for i, c := range o.node.calls {
		if k := o.carried[i]; k != nil {
			if err := k.save(w, keys); err != nil {
				return err
			}
			continue
		}
		r, ok := o.running(i, c)
		if !ok {
			continue
		}
		state, err := r.State(keys)
		if err != nil {
			return err
		}
		if err := w.columns(state, len(keys)); err != nil {
			return err
		}
	}
	o.saveCold(w)
	o.waiting.cold.save(w)
	if o.ahead != nil {
		return o.ahead.save(w)
	}
	return nil
}

// running is what computes a call whose state goes without the rows.
func (o *slideOp) running(i int, c slideCall) (kernel.RunningRoller, bool) {
	r, ok := o.rollers[i].(kernel.RunningRoller)
	return r, ok && o.node.frames[c.frame].start == fromStart
}

// numbersOf are, of partitions, how many rows each keeps and where among them its frames begin and, if they lag, end.
func (o *slideOp) numbersOf(keys []uint32) []arrow.Array {
	out := []arrow.Array{o.numbers(keys, func(key uint32) uint32 { return o.rows.kept(key) })}
	for i, f := range o.node.frames {
		if f.start != fromStart {
			out = append(out, o.numbers(keys, func(key uint32) uint32 { return o.fromFirst(key, o.cursors[i].low[key]) }))
		}
		if f.lags() {
			out = append(out, o.numbers(keys, func(key uint32) uint32 { return o.fromFirst(key, o.cursors[i].high[key]) }))
		}
	}
	return out
}

// numberTypes are the types of numbersOf.
func (n *slideNode) numberTypes() []arrow.DataType {
	out := []arrow.DataType{arrow.PrimitiveTypes.Int64}
	for _, f := range n.frames {
		if f.start != fromStart {
			out = append(out, arrow.PrimitiveTypes.Int64)
		}
		if f.lags() {
			out = append(out, arrow.PrimitiveTypes.Int64)
		}
	}
	return out
}

// rowTypes are the types of the rows that are kept: their times and the arguments that frames look back to.
func (n *slideNode) rowTypes() []arrow.DataType {
	out := []arrow.DataType{arrow.PrimitiveTypes.Int64}
	for _, a := range n.args {
		if a.kept {
			out = append(out, a.typ.Arrow())
		}
	}
	return out
}

// fromFirst is how many of a partition's rows lie before a cursor, of those that are kept.
func (o *slideOp) fromFirst(key uint32, c cursor) uint32 {
	return o.rows.kept(key) - (o.rows.count[key] - c.at)
}

func (o *slideOp) numbers(keys []uint32, of func(key uint32) uint32) arrow.Array {
	out := make([]int64, len(keys))
	for i, key := range keys {
		out[i] = int64(of(key))
	}
	return event.NewInt64s(out, nil)
}

func pickSlots(values []int64, slots []uint32) []int64 {
	out := make([]int64, len(slots))
	for i, s := range slots {
		out[i] = values[s]
	}
	return out
}

func (o *slideOp) load(r *stateReader) error {
	if err := o.loadWaiting(r); err != nil {
		return err
	}
	width := len(o.node.types)
	columns, count, err := r.columns(append(typesOfKeys(o.node.types), o.node.numberTypes()...))
	if err != nil {
		return err
	}
	keys, fresh := o.keys.assign(columns[:width], count)
	if len(fresh) != count {
		return errState("a partition is there twice")
	}
	o.reach(count)
	rows, _, err := r.columns(o.node.rowTypes())
	if err != nil {
		return err
	}
	if rows, err = o.loadStretches(r, rows); err != nil {
		return err
	}
	args, err := o.fill(keys, columns[width:], rows)
	if err != nil {
		return err
	}
	if err := o.loadRollers(r, args); err != nil {
		return err
	}
	if err := o.loadCold(r); err != nil || r.form < 2 {
		return err
	}
	if err := o.waiting.cold.load(r, arrowTypes(o.node.ins[0].columns()), o.waiting.keep); err != nil || o.ahead == nil {
		return err
	}
	return o.ahead.load(r)
}

// fill gives partitions that are empty their rows, of which numbers says how many each has, and puts the bounds of frames among them. It
// gives the arguments of the rows.
func (o *slideOp) fill(keys []uint32, columns, rows []arrow.Array) ([]arrow.Array, error) {
	numbers := make([][]int64, len(columns))
	for i, c := range columns {
		numbers[i] = arrow.GetValues[int64](c.Data(), 1)[:len(keys)]
	}
	args, err := o.fillRows(keys, numbers[0], rows)
	if err != nil {
		return nil, err
	}
	return args, o.fillCursors(keys, numbers[1:])
}

func (o *slideOp) loadWaiting(r *stateReader) error {
	columns, rows, err := r.columns(arrowTypes(o.node.ins[0].columns()))
	if err != nil || rows == 0 {
		return err
	}
	value, err := o.node.time.Eval(steady, columns, rows)
	if err != nil {
		return err
	}
	when := value.Expand(rows)
	if when.NullN() > 0 {
		return errState("a row without a time waits for it")
	}
	o.waiting.add(&Delta{Columns: columns, Rows: rows}, arrow.GetValues[int64](when.Data(), 1))
	return nil
}

// fillRows takes the rows that are kept, counts[i] of the partition keys[i], and gives their arguments.
func (o *slideOp) fillRows(keys []uint32, counts []int64, columns []arrow.Array) ([]arrow.Array, error) {
	count := columns[0].Len()
	times := arrow.GetValues[int64](columns[0].Data(), 1)
	slots := make([]uint32, 0, count)
	for i, key := range keys {
		n := counts[i]
		for _, s := range o.rows.stretches {
			n -= int64(s.rows)
		}
		if n < 0 || int64(count-len(slots)) < n {
			return nil, errState("a partition of %d rows where %d are left", n, count-len(slots))
		}
		if len(o.rows.stretches) > 0 {
			numbers := o.rows.between(uint32(counts[i]))
			if len(numbers) != count {
				return nil, errState("%d rows in memory, not %d", count, len(numbers))
			}
			slots = o.rows.chain(numbers, times)
		} else {
			for number := range uint32(n) {
				slots = append(slots, o.rows.take(key, number, times[len(slots)]))
			}
		}
		o.rows.count[key] = uint32(counts[i])
		if n > 0 && o.node.reach.timeOnly() {
			o.watched[key] = true
			o.silent.add(o.rows.lastTime(key), key)
		}
	}
	if len(slots) != count {
		return nil, errState("%d rows of partitions, not %d", count, len(slots))
	}
	o.rows.putArgs(slots, columns)
	return o.rows.argsOf(columns), nil
}

// fillCursors puts the bounds of frames where they were among the rows that are kept.
func (o *slideOp) fillCursors(keys []uint32, numbers [][]int64) error {
	var slots []uint32
	for row, key := range keys {
		slots = o.rows.listPlaces(key, slots[:0])
		next := 0
		place := func() (cursor, error) {
			n := numbers[next][row]
			next++
			switch {
			case n < 0 || n > int64(len(slots)) || n < int64(len(slots)) && slots[n] == onDisk:
				return cursor{}, errState("a frame at row %d of %d", n, len(slots))
			case n == int64(len(slots)):
				return cursor{at: uint32(n)}, nil
			default:
				return cursor{at: uint32(n), slot: slots[n] + 1}, nil
			}
		}
		for i, f := range o.node.frames {
			c := &o.cursors[i]
			var err error
			if f.start != fromStart {
				if c.low[key], err = place(); err != nil {
					return err
				}
			}
			c.high[key] = cursor{at: uint32(len(slots))}
			if f.lags() {
				if c.high[key], err = place(); err != nil {
					return err
				}
			}
			if f.start != fromStart && int32(c.high[key].at-c.low[key].at) < 0 {
				return errState("a frame that ends before it begins")
			}
		}
	}
	return nil
}

// loadRollers fills the aggregates, of partitions that are numbered from 0 on: from their state, or with the rows that their frames hold.
func (o *slideOp) loadRollers(r *stateReader, args []arrow.Array) error {
	for i, c := range o.node.calls {
		if k := o.carried[i]; k != nil {
			if err := k.load(r, o.node.args[c.arg].typ, o.keys.slots()); err != nil {
				return err
			}
			continue
		}
		if roller, ok := o.running(i, c); ok {
			state, _, err := r.anyColumns()
			if err != nil {
				return err
			}
			if err := roller.Restore(state); err != nil {
				return err
			}
			continue
		}
		if err := o.refill(i, identity(o.keys.slots()), args); err != nil {
			return err
		}
	}
	return nil
}

// refill gives an aggregate the rows of the frames of partitions that are empty; args are those of all rows that they keep.
func (o *slideOp) refill(call int, keys []uint32, args []arrow.Array) error {
	if o.rollers[call] == nil {
		return nil
	}
	c := o.node.calls[call]
	if len(o.rows.stretches) > 0 {
		return o.refillStretched(call, args)
	}
	m := &frameMoves{op: o, moves: make([]frameMove, len(o.node.frames))}
	f, first := &m.moves[c.frame], int32(0)
	for i, key := range keys {
		at := o.cursors[c.frame]
		for n := at.low[key].at; n != at.high[key].at; n++ {
			f.added = append(f.added, first+int32(n))
		}
		m.keys, m.place = append(m.keys, key), append(m.place, int32(i))
		f.addedTo = append(f.addedTo, int32(len(f.added)))
		first += int32(o.rows.kept(key))
	}
	f.removedTo = slices.Repeat([]int32{0}, len(m.keys))
	_, err := m.roll(c, o.rollers[call], args)
	return err
}
