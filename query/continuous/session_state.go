package continuous

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func (o *sessionOp) save(w *stateWriter) error {
	keys := o.index.all()
	number := make([]int64, o.index.slots())
	for i, key := range keys {
		number[key] = int64(i)
	}
	if err := w.columns(o.index.gather(keys), len(keys)); err != nil {
		return err
	}
	w.number(o.next)
	slots := o.groups.index.all()
	bounds := o.bounds(slots)
	owners, starts, ends := make([]int64, len(slots)), make([]int64, len(slots)), make([]int64, len(slots))
	for i, s := range slots {
		owners[i], starts[i], ends[i] = number[o.owner[s]], bounds[s].start, bounds[s].end
	}
	err := w.columns([]arrow.Array{event.NewInt64s(owners, nil), event.NewInt64s(starts, nil), event.NewInt64s(ends, nil)}, len(slots))
	if err != nil {
		return err
	}
	if err := o.groups.save(w, o.isShown); err != nil {
		return err
	}
	o.saveCold(w)
	return nil
}

func (o *sessionOp) load(r *stateReader) error {
	values, count, err := r.columns(typesOfKeys(o.node.types))
	if err != nil {
		return err
	}
	if _, fresh := o.index.assign(values, count); len(fresh) != count {
		return errState("a partition is there twice")
	}
	if o.next, err = r.number(); err != nil {
		return err
	}
	word := arrow.PrimitiveTypes.Int64
	columns, sessions, err := r.columns([]arrow.DataType{word, word, word})
	if err != nil {
		return err
	}
	_, flags, err := o.groups.load(r)
	if err != nil {
		return err
	}
	if len(flags) != sessions {
		return errState("%d groups for %d sessions", len(flags), sessions)
	}
	if err := o.reopen(columns, flags, count); err != nil {
		return err
	}
	return o.loadCold(r)
}

// reopen puts restored sessions where they belong.
func (o *sessionOp) reopen(columns []arrow.Array, flags []bool, partitions int) error {
	o.reach(len(flags))
	o.open = make([][]session, partitions)
	var shown []uint32
	bounds := map[uint32]session{}
	for i := range flags {
		owner := arrow.GetValues[int64](columns[0].Data(), 1)[i]
		if owner < 0 || owner >= int64(partitions) {
			return errState("a session of partition %d of %d", owner, partitions)
		}
		one := session{arrow.GetValues[int64](columns[1].Data(), 1)[i], arrow.GetValues[int64](columns[2].Data(), 1)[i], uint32(i)}
		bounds[one.slot] = one
		o.owner[i] = uint32(owner)
		o.open[owner] = append(o.open[owner], one)
		o.note(one.end, uint32(owner))
		if flags[i] {
			shown = append(shown, one.slot)
		}
	}
	for _, list := range o.open {
		slices.SortFunc(list, func(a, b session) int { return cmp.Compare(a.start, b.start) })
	}
	results, err := o.groups.results(shown, len(o.groups.calls))
	if err != nil {
		return err
	}
	o.keepShown(shown, bounds, typed(results, o.node.cols[len(o.node.from):]))
	return nil
}

// note puts the end of a session into the calendars.
func (o *sessionOp) note(end int64, key uint32) {
	if o.node.bounded {
		o.due.add(end, key)
	}
	if o.node.held {
		o.closing.add(end, key)
	}
}

func (o *sessionOp) bytes() int64 {
	total := o.cold.bytes() + o.index.bytes() + o.groups.bytes() + o.due.bytes() + o.closing.bytes()
	total += int64(4*cap(o.owner) + cap(o.isShown) + 16*cap(o.shownStart) + 24*cap(o.open))
	total += 24 * int64(len(o.owner))
	for _, v := range o.shown {
		total += v.bytes()
	}
	return total
}
