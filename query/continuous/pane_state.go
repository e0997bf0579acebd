package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// compactLate moves the groups of late rows together when most are gone.
func (o *paneOp) compactLate() error {
	moved, err := o.late.compact()
	if err != nil || moved == nil {
		return err
	}
	o.noteLate()
	return nil
}

// noteLate notes anew when the groups of late rows are needed.
func (o *paneOp) noteLate() {
	o.lateEnds = calendar{}
	slots := o.late.index.all()
	for i, end := range arrow.GetValues[int64](o.late.index.vectors[0].gather(slots).Data(), 1) {
		o.lateEnds.add(end, slots[i])
	}
}

// compactKeys forgets keys that are in no pane any more, once they are most.
func (o *paneOp) compactKeys() error {
	if len(o.node.keyTypes) == 0 || o.keys.slots() < fewGone {
		return nil
	}
	used := make([]bool, o.keys.slots())
	count := 0
	for _, p := range o.panes.panes {
		for _, id := range p.ids {
			if !used[id] {
				used[id] = true
				count++
			}
		}
		if 2*count > len(used) {
			return nil
		}
	}
	var kept []uint32
	number := make([]uint32, len(used))
	for id, is := range used {
		if is {
			number[id] = uint32(len(kept))
			kept = append(kept, uint32(id))
		}
	}
	values := o.keys.gather(kept)
	o.keys = newRowIndex(o.node.keyTypes)
	o.keys.assign(values, len(kept))
	for _, p := range o.panes.panes {
		clear(p.places)
		for i, id := range p.ids {
			p.ids[i] = number[id]
			p.places[number[id]] = uint32(i)
		}
	}
	return o.panes.turn(len(kept))
}

func (o *paneOp) save(w *stateWriter) error {
	w.number(o.last)
	keys := o.keys.all()
	if err := w.columns(o.keys.gather(keys), len(keys)); err != nil {
		return err
	}
	w.number(int64(o.panes.frozen))
	w.number(int64(len(o.panes.panes)))
	for _, p := range o.panes.panes {
		w.number(p.start)
		ids := make([]int64, len(p.ids))
		for i, id := range p.ids {
			ids[i] = int64(id)
		}
		if err := w.columns([]arrow.Array{event.NewInt64s(ids, nil)}, len(ids)); err != nil {
			return err
		}
		for _, a := range p.accumulators {
			state, err := a.State(identity(len(ids)))
			if err != nil {
				return err
			}
			if err := w.columns(state, len(ids)); err != nil {
				return err
			}
		}
	}
	if err := o.late.save(w, make([]bool, o.late.index.slots())); err != nil {
		return err
	}
	o.saveCold(w)
	return nil
}

func (o *paneOp) load(r *stateReader) (err error) {
	if o.last, err = r.number(); err != nil {
		return err
	}
	values, count, err := r.columns(typesOfKeys(o.node.keyTypes))
	if err != nil {
		return err
	}
	if _, fresh := o.keys.assign(values, count); len(fresh) != count && len(o.node.keyTypes) > 0 {
		return errState("a key is there twice")
	}
	frozen, err := r.number()
	if err != nil {
		return err
	}
	panes, err := r.size()
	if err != nil {
		return err
	}
	if frozen < 0 || frozen > int64(panes) {
		return errState("%d of %d panes", frozen, panes)
	}
	for range panes {
		p, err := o.loadPane(r, count)
		if err != nil {
			return err
		}
		o.panes.panes = append(o.panes.panes, p)
	}
	o.panes.frozen = int(frozen)
	if !slices.IsSortedFunc(o.panes.panes, func(a, b *pane) int { return int(min(1, max(-1, a.start-b.start))) }) {
		return errState("panes are out of order")
	}
	if _, _, err = o.late.load(r); err != nil {
		return err
	}
	o.noteLate()
	if err := o.loadCold(r); err != nil {
		return err
	}
	return o.panes.turn(o.keys.slots())
}

func (o *paneOp) loadPane(r *stateReader, keys int) (*pane, error) {
	p := &pane{places: map[uint32]uint32{}, accumulators: o.panes.empty()}
	var err error
	if p.start, err = r.number(); err != nil {
		return nil, err
	}
	columns, _, err := r.columns([]arrow.DataType{arrow.PrimitiveTypes.Int64})
	if err != nil {
		return nil, err
	}
	for i, id := range columns[0].(*array.Int64).Int64Values() {
		if id < 0 || id >= int64(keys) {
			return nil, errState("key %d of %d", id, keys)
		}
		p.ids = append(p.ids, uint32(id))
		p.places[uint32(id)] = uint32(i)
	}
	for _, a := range p.accumulators {
		state, _, err := r.anyColumns()
		if err != nil {
			return nil, err
		}
		if err := a.Restore(state); err != nil {
			return nil, err
		}
	}
	return p, nil
}
