package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// provisional is what an operator remembers of rows that the watermark has not passed, by partition: it computes a partition anew when a row came
// or went there, and gives the difference to what it gave before. So the cost is that of the rows ahead of the watermark, and of the rows in
// partitions that a step touches.
type provisional struct {
	types []event.Type // of the partition
	cols  []plan.Column
	index *rowIndex
	// waiting are, by input, rows that are to be taken beside those that the operator keeps itself: at least the provisional ones of the input.
	waiting []*bag
	// own are rows that only come and go with the watermark, due when it passes them; nil where the operator has them by partition itself.
	own *bag
	due calendar
	// shown are the rows that were given last.
	shown   *bag
	touched []uint32
}

// provisionalForm tells state with provisional rows from that of the same operator without.
const provisionalForm = "provisional rows"

// newProvisional is the memory of an operator with some columns over inputs.
func newProvisional(types []event.Type, cols []plan.Column, ins []node) *provisional {
	p := &provisional{types: types, cols: cols, index: newRowIndex(types), shown: newBag(typesOf(cols), true)}
	for _, in := range ins {
		p.waiting = append(p.waiting, newBag(typesOf(in.columns()), false))
	}
	return p
}

// touch notes the partitions of rows, which are to be computed anew, and gives their numbers.
func (p *provisional) touch(partition []arrow.Array, rows int) []uint32 {
	keys, _ := p.index.assign(partition, rows)
	p.touched = append(p.touched, keys...)
	return keys
}

// wait takes over rows of partitions until the watermark passes their times.
func (p *provisional) wait(rows *Delta, times []int64, partitions []uint32) {
	for i, row := range p.own.place(rows, partitions) {
		p.due.add(times[i], row)
	}
}

// passed lets go of the rows that the watermark has passed.
func (p *provisional) passed(at int64) {
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

// take gives the partitions that have been touched since it was called last.
func (p *provisional) take() []uint32 {
	keys := distinct(p.touched)
	p.touched = p.touched[:0]
	return keys
}

// partitionsOf are the partitions of rows that take gave.
func (p *provisional) partitionsOf(partition []arrow.Array, rows int) []uint32 {
	keys, _ := p.index.assign(partition, rows)
	return keys
}

// replace has partitions show rows, each of the partition with the number beside it, and gives the change.
func (p *provisional) replace(partitions []uint32, rows Delta, of []uint32) (Delta, error) {
	before := p.shown.under(partitions)
	p.shown.forget(partitions)
	if rows.Rows > 0 {
		p.shown.place(&rows, of)
	}
	p.dropEmpty(partitions)
	out, err := sum(p.cols, before.negated(), rows)
	if err != nil {
		return Delta{}, err
	}
	return consolidate(out), nil
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
	return nil
}

func (p *provisional) load(r *stateReader, ins []node) error {
	values, count, err := r.columns(typesOfKeys(p.types))
	if err != nil {
		return err
	}
	if _, fresh := p.index.assign(values, count); len(fresh) != count {
		return errState("a partition is there twice")
	}
	for i, b := range p.waiting {
		if err := b.load(r, arrowTypes(ins[i].columns()), count); err != nil {
			return err
		}
	}
	if err := p.shown.load(r, arrowTypes(p.cols), count); err != nil || p.own == nil {
		return err
	}
	return p.own.load(r, arrowTypes(ins[0].columns()), count)
}

// bytes is the memory held; nil holds none.
func (p *provisional) bytes() int64 {
	if p == nil {
		return 0
	}
	total := p.index.bytes() + p.due.bytes() + int64(4*cap(p.touched))
	for _, b := range p.bags() {
		total += b.bytes()
	}
	return total
}
