package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerMode(all map[string]func() Accumulator) {
	for _, f := range plan.Functions["mode"] {
		all[f.Signature()] = func() Accumulator { return &mode{} }
	}
}

// mode is the most frequent value: of several, the one that comes first in their order.
type mode struct {
	typ    event.Type
	counts valueCounts
}

func (a *mode) of(f *plan.Function) { a.typ = f.Result }

func (a *mode) Update(groups Groups, args []Operand, rows int) error {
	return a.counts.update(groups, args[0], a.typ, rows)
}

func (a *mode) Merge(other Accumulator, mapping []uint32, _ int) error {
	return a.counts.merge(&other.(*mode).counts, a.typ, mapping)
}

func (a *mode) State(groups []uint32) ([]arrow.Array, error) { return a.counts.state(groups, a.typ) }

func (a *mode) Restore(state []arrow.Array) error {
	if err := CheckState(state, arrow.ListOf(a.typ.Arrow()), wordsType); err != nil {
		return err
	}
	return a.counts.restore(state, a.typ)
}

func (a *mode) Result(groups int) (arrow.Array, error) {
	counts, values, err := a.counts.byGroup(groups, a.typ)
	if err != nil || values.Len() == 0 {
		return event.NewNulls(a.typ, groups), err
	}
	rows, valid := make([]int32, groups), event.NewBitmap(groups)
	for g, counted := range counts {
		if len(counted) > 0 {
			rows[g] = int32(counted[0].value)
			valid.Set(g)
		}
	}
	return Decode(gather(values, rows, valid)), nil
}

func (a *mode) Bytes() int64 { return a.counts.bytes() }
