package continuous

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// groups holds accumulators for groups that come and go. A group is a slot of index. Accumulators cannot forget a group, so slots are
// not used again: once most groups are gone, the others move to new accumulators.
type groups struct {
	types        []event.Type
	calls        []*exec.Call
	index        *rowIndex
	accumulators []kernel.Accumulator
	gone         int
}

func newGroups(types []event.Type, calls []*exec.Call) *groups {
	g := &groups{types: types, calls: calls}
	g.clear()
	return g
}

func (g *groups) clear() {
	g.index, g.gone = newRowIndex(g.types), 0
	g.accumulators = make([]kernel.Accumulator, len(g.calls))
	for i, c := range g.calls {
		g.accumulators[i] = c.NewAccumulator()
	}
}

// update adds rows, whose keys are canonical, to their groups.
func (g *groups) update(keys []arrow.Array, d *Delta) (slots []uint32, fresh []int32, err error) {
	slots, fresh = g.index.assign(keys, d.Rows)
	in := kernel.Groups{IDs: slots, Count: g.index.slots()}
	for i, c := range g.calls {
		if err := c.Update(steady, g.accumulators[i], d.Columns, d.Rows, in); err != nil {
			return nil, nil, err
		}
	}
	return slots, fresh, nil
}

// retract takes rows out of their groups, which are there.
func (g *groups) retract(keys []arrow.Array, d *Delta) (slots []uint32, err error) {
	slots, fresh := g.index.assign(keys, d.Rows)
	if len(fresh) > 0 {
		return nil, fmt.Errorf("a row goes from a group that is not there")
	}
	in := kernel.Groups{IDs: slots, Count: g.index.slots()}
	for i, c := range g.calls {
		if err := c.Retract(steady, g.accumulators[i], d.Columns, d.Rows, in); err != nil {
			return nil, err
		}
	}
	return slots, nil
}

// results are the first aggregates of some groups, so many.
func (g *groups) results(slots []uint32, count int) ([]arrow.Array, error) {
	out := make([]arrow.Array, count)
	for i := range out {
		var err error
		if out[i], err = g.result(i, slots); err != nil {
			return nil, err
		}
		out[i] = kernel.Decode(out[i])
	}
	return out, nil
}

func (g *groups) result(call int, slots []uint32) (arrow.Array, error) {
	if a, ok := g.accumulators[call].(kernel.ResultsOf); ok {
		return a.ResultOf(slots)
	}
	if all := g.index.slots(); 2*len(slots) > all && !g.calls[call].Settles() {
		whole, err := g.accumulators[call].Result(all)
		if err != nil {
			return nil, err
		}
		rows := make([]int32, len(slots))
		for i, s := range slots {
			rows[i] = int32(s)
		}
		return kernel.Take(whole, rows), nil
	}
	part, err := g.part(call, slots)
	if err != nil {
		return nil, err
	}
	return part.Result(len(slots))
}

// part is an accumulator with some groups only, numbered by their place.
func (g *groups) part(call int, slots []uint32) (kernel.Accumulator, error) {
	state, err := g.accumulators[call].State(slots)
	if err != nil {
		return nil, err
	}
	out := g.calls[call].NewAccumulator()
	return out, out.Restore(state)
}

// adopt adds the states of groups, those of a call in so many columns as widths says, to groups with slots.
func (g *groups) adopt(state []arrow.Array, widths []int, slots []uint32) error {
	for i, call := range g.calls {
		part := call.NewAccumulator()
		if err := part.Restore(state[:widths[i]]); err != nil {
			return err
		}
		state = state[widths[i]:]
		if err := g.accumulators[i].Merge(part, slots, g.index.slots()); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets groups.
func (g *groups) drop(slots []uint32) {
	g.index.retire(slots)
	g.gone += len(slots)
}

// fewGone is what is not worth moving groups for.
const fewGone = 16

// compact moves the groups that are left, if most are gone. moved says where from: the group at place i was slot moved[i]; nil means
// that nothing moved.
func (g *groups) compact() (moved []uint32, err error) {
	if g.gone < fewGone || 2*g.gone < g.index.slots() {
		return nil, nil
	}
	moved = g.index.all()
	kept := make([]kernel.Accumulator, len(g.calls))
	for i := range g.calls {
		if kept[i], err = g.part(i, moved); err != nil {
			return nil, err
		}
	}
	keys := g.index.gather(moved)
	g.index, g.accumulators, g.gone = newRowIndex(g.types), kept, 0
	g.index.assign(keys, len(moved))
	return moved, nil
}

func (g *groups) bytes() int64 {
	total := g.index.bytes()
	for _, a := range g.accumulators {
		total += a.Bytes()
	}
	return total
}

// save writes groups, each with a flag.
func (g *groups) save(w *stateWriter, flags []bool) error {
	slots := g.index.all()
	marks := event.NewBitmap(len(slots))
	for i, s := range slots {
		if flags[s] {
			marks.Set(i)
		}
	}
	columns := append(g.index.gather(slots), event.NewBooleans(marks, len(slots), nil))
	if err := w.columns(columns, len(slots)); err != nil {
		return err
	}
	for _, a := range g.accumulators {
		state, err := a.State(slots)
		if err != nil {
			return err
		}
		if err := w.columns(state, len(slots)); err != nil {
			return err
		}
	}
	return nil
}

// load reads what save wrote into empty groups: the slots are 0 and up.
func (g *groups) load(r *stateReader) (keys []arrow.Array, flags []bool, err error) {
	columns, rows, err := r.columns(append(typesOfKeys(g.types), arrow.FixedWidthTypes.Boolean))
	if err != nil {
		return nil, nil, err
	}
	keys = columns[:len(g.types)]
	if _, fresh := g.index.assign(keys, rows); len(fresh) != rows {
		return nil, nil, errState("a group is there twice")
	}
	for i, c := range g.calls {
		state, _, err := r.anyColumns()
		if err != nil {
			return nil, nil, err
		}
		g.accumulators[i] = c.NewAccumulator()
		if err := g.accumulators[i].Restore(state); err != nil {
			return nil, nil, err
		}
	}
	flags = make([]bool, rows)
	for i := range flags {
		flags[i] = columns[len(g.types)].(interface{ Value(int) bool }).Value(i)
	}
	return keys, flags, nil
}

// firsts are the distinct elements of slots, in the order in which they first appear.
type firsts struct{ seen []bool }

func (f *firsts) of(slots []uint32, count int) []uint32 {
	f.seen = lengthened(f.seen, count)
	var out []uint32
	for _, s := range slots {
		if !f.seen[s] {
			f.seen[s] = true
			out = append(out, s)
		}
	}
	for _, s := range out {
		f.seen[s] = false
	}
	return out
}

// canAccumulate reports whether a grouping of rows that only come is what accumulators can keep.
func canAccumulate(n *plan.Aggregate, input *traits) bool {
	return input.appendOnly && hasPlainGroups(n)
}

// hasPlainGroups holds for a grouping by one set of keys that canonical brings to themselves.
func hasPlainGroups(n *plan.Aggregate) bool {
	if n.Sets != nil {
		return false
	}
	plain := func(t event.Type) bool {
		return t.Kind != event.Interval && t.Kind != event.Unknown && t.Kind != event.Array
	}
	return !slices.ContainsFunc(n.Groups, func(e plan.Expr) bool { return !plain(e.Type()) }) &&
		!slices.ContainsFunc(n.Aggregates, func(a plan.Aggregation) bool { return a.Fn == plan.GroupingFunction })
}
