package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// provisional is what an operator remembers of rows that the watermark has not passed, by partition: it computes a partition anew when a row came
// or went there, as far as frames reach from that row, and gives the difference to what it gave before. Partitions that no row touched for longest
// may go to the disk.
type provisional struct {
	types []event.Type // of the partition
	cols  []plan.Column
	ins   []node
	index *rowIndex
	// time is that of rows of the first input and of those that were given, which have its columns first; nil where nobody asks for it.
	time *kernel.Program
	// waiting are, by input, rows that are to be taken beside those that the operator keeps itself: at least the provisional ones of the input.
	waiting []*bag
	// own are rows that only come and go with the watermark, due when it passes them; nil where the operator has them by partition itself.
	own *bag
	due calendar
	// shown are the rows that were given last, and shownAt their times.
	shown   *bag
	shownAt []int64
	ownAt   []int64 // of own
	touched []uint32
	// changed are, by partition, the times between which rows came or went since it was computed last, and over is up to when rows are given for good.
	changed map[uint32]times
	over    int64
	cold    coldBags
	// form is the first version of the operator's state that has partitions on disk.
	form  int
	space *spill.Space
}

// times are all from one to another, none where that is before it.
type times struct{ from, to int64 }

var (
	noTimes  = times{endOfTime, NoWatermark}
	allTimes = times{NoWatermark, endOfTime}
)

// has tells whether a time is among them.
func (t times) has(at int64) bool { return t.from <= at && at <= t.to }

// and are all from the first of two to the last.
func (t times) and(other times) times { return times{min(t.from, other.from), max(t.to, other.to)} }

// provisionalForm tells state with provisional rows from that of the same operator without.
const provisionalForm = "provisional rows"

// newProvisional is the memory of an operator with some columns over inputs, which has rows of its own where it says so. space is where
// partitions may go, nil for nowhere; state of version form and later has them.
func newProvisional(n node, types []event.Type, time *kernel.Program, own bool, space *spill.Space, form int) *provisional {
	p := &provisional{types: types, cols: n.columns(), ins: n.inputs(), time: time, over: NoWatermark, form: form, space: space}
	p.cold = coldBags{types: types, cools: space != nil && len(types) > 0}
	if own {
		p.own = newBag(nil, true)
	}
	p.empty()
	return p
}

// empty makes the memory that of no rows.
func (p *provisional) empty() {
	p.index, p.shown, p.waiting, p.due = newRowIndex(p.types), newBag(typesOf(p.cols), true), nil, calendar{}
	p.shownAt, p.ownAt, p.touched, p.changed = nil, nil, nil, map[uint32]times{}
	for _, in := range p.ins {
		p.waiting = append(p.waiting, newBag(typesOf(in.columns()), false))
	}
	if p.own != nil {
		p.own = newBag(typesOf(p.ins[0].columns()), true)
	}
}

// touch notes the partitions of rows, of which some may be given for good, and gives their numbers. They are brought back from the disk.
func (p *provisional) touch(partition []arrow.Array, rows int) ([]uint32, error) {
	if err := p.cold.warm(p.index, partition, rows, p.absorb); err != nil {
		return nil, err
	}
	keys, _ := p.index.assign(partition, rows)
	p.cold.needed(keys, p.index)
	p.touched = append(p.touched, keys...)
	return keys, nil
}

// touchAt notes the partitions of rows that came or went at times; nil stands for any.
func (p *provisional) touchAt(partition []arrow.Array, rows int, at []int64) ([]uint32, error) {
	keys, err := p.touch(partition, rows)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		now := allTimes
		if at != nil {
			now = times{at[i], at[i]}
		}
		if before, ok := p.changed[key]; ok {
			now = now.and(before)
		}
		p.changed[key] = now
	}
	return keys, nil
}

// changedIn is between which times rows of a partition came or went.
func (p *provisional) changedIn(key uint32) times {
	if t, ok := p.changed[key]; ok {
		return t
	}
	return noTimes
}

// wait takes over rows of partitions until the watermark passes their times.
func (p *provisional) wait(rows *Delta, at []int64, partitions []uint32) {
	for i, row := range p.own.place(rows, partitions) {
		p.due.add(at[i], row)
		p.ownAt = lengthened(p.ownAt, int(row)+1)
		p.ownAt[row] = at[i]
	}
}

// passed lets go of the rows that the watermark has passed.
func (p *provisional) passed(at int64) {
	p.over = max(p.over, at)
	for _, e := range p.due.due(at) {
		p.touched = append(p.touched, p.own.key[e.slot])
		p.own.release(e.slot)
	}
}

// bags are all that rows are kept in.
func (p *provisional) bags() []*bag {
	out := slices.Concat(p.waiting, []*bag{p.shown})
	if p.own != nil {
		out = append(out, p.own)
	}
	return out
}

// takeTouched gives the partitions that have been touched since it was called last.
func (p *provisional) takeTouched() []uint32 {
	keys := distinct(p.touched)
	p.touched = p.touched[:0]
	return keys
}

// partitionsOf are the partitions of rows that takeTouched gave.
func (p *provisional) partitionsOf(partition []arrow.Array, rows int) []uint32 {
	keys, _ := p.index.assign(partition, rows)
	return keys
}

// replace has partitions show rows, each of the partition with the number beside it, in place of what they showed at the times that each is
// computed for and of what is given for good, and gives the change.
func (p *provisional) replace(partitions []uint32, computed []times, rows Delta, of []uint32) (Delta, error) {
	var gone, list []uint32
	for i, key := range partitions {
		list = p.shown.list(key, list[:0])
		for _, row := range list {
			if computed[i] == allTimes || p.shownAt[row] <= p.over || computed[i].has(p.shownAt[row]) {
				gone = append(gone, row)
			}
		}
	}
	before := p.shown.gather(gone)
	for _, row := range gone {
		p.shown.release(row)
	}
	if err := p.show(&rows, of); err != nil {
		return Delta{}, err
	}
	clear(p.changed)
	p.dropEmpty(partitions)
	out, err := sum(p.cols, before.negated(), rows)
	if err != nil {
		return Delta{}, err
	}
	return consolidate(out), nil
}

// show adds rows to those that are shown.
func (p *provisional) show(rows *Delta, of []uint32) error {
	if rows.Rows == 0 {
		return nil
	}
	at, err := p.timesOf(rows)
	if err != nil {
		return err
	}
	for i, row := range p.shown.place(rows, of) {
		p.shownAt = lengthened(p.shownAt, int(row)+1)
		p.shownAt[row] = at[i]
	}
	return nil
}

// timesOf are the times of rows of the first input, or of those that were given.
func (p *provisional) timesOf(rows *Delta) ([]int64, error) {
	if p.time == nil {
		return make([]int64, rows.Rows), nil
	}
	value, err := p.time.Eval(steady, rows.Columns, rows.Rows)
	if err != nil {
		return nil, err
	}
	return arrow.GetValues[int64](value.Expand(rows.Rows).Data(), 1)[:rows.Rows], nil
}

// dropEmpty forgets partitions without a row.
func (p *provisional) dropEmpty(partitions []uint32) {
	var gone []uint32
	for _, key := range partitions {
		if !slices.ContainsFunc(p.bags(), func(b *bag) bool { return !b.empty(key) }) {
			gone = append(gone, key)
		}
	}
	p.index.remove(gone)
}

func (p *provisional) save(w *stateWriter) error {
	number, err := p.index.saveKeys(w)
	if err != nil {
		return err
	}
	for _, b := range p.bags() {
		if err := b.save(w, number); err != nil {
			return err
		}
	}
	if p.divides() {
		p.cold.save(w, len(p.bags()))
	}
	return nil
}

func (p *provisional) load(r *stateReader) error {
	values, count, err := r.columns(typesOfKeys(p.types))
	if err != nil {
		return err
	}
	if _, fresh := p.index.assign(values, count); len(fresh) != count {
		return errState("a partition is there twice")
	}
	for i := range p.bags() {
		rows, keys, err := readBag(r, p.typesOf(i), count)
		if err == nil {
			err = p.take(i, rows, keys)
		}
		if err != nil {
			return err
		}
	}
	if !p.divides() || r.form < p.form {
		return nil
	}
	var cold [][]arrow.DataType
	for i := range p.bags() {
		cold = append(cold, append(append(typesOfKeys(p.types), p.typesOf(i)...), arrow.PrimitiveTypes.Int64))
	}
	return p.cold.load(r, cold, p.restoreCold)
}

// bytes is the memory held; nil holds none.
func (p *provisional) bytes() int64 {
	if p == nil {
		return 0
	}
	total := p.index.bytes() + p.due.bytes() + int64(4*cap(p.touched)+8*cap(p.shownAt)+8*cap(p.ownAt)) + p.cold.bytes()
	for _, b := range p.bags() {
		total += b.bytes()
	}
	return total
}
