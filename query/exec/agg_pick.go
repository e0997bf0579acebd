package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// pickAccumulator is first and last with an order: the value, not NULL, of the row that comes first or last by the keys. Its
// arguments are the value followed by the keys.
type pickAccumulator struct {
	typ   event.Type
	types []event.Type // of value and keys
	pick  pick
}

// newPickAccumulator makes the accumulator of first, and of last by turning the keys around.
func newPickAccumulator(fn *plan.Function, keys []plan.SortKey, types []event.Type) *pickAccumulator {
	if fn.Name == "last" {
		turned := make([]plan.SortKey, len(keys))
		for i, k := range keys {
			turned[i] = plan.SortKey{Expr: k.Expr, Descending: !k.Descending, NullsFirst: !k.NullsFirst}
		}
		keys = turned
	}
	return &pickAccumulator{typ: fn.Result, types: types, pick: pick{keys: keys}}
}

func (a *pickAccumulator) Update(groups kernel.Groups, args []kernel.Operand, rows int) error {
	columns := make([]arrow.Array, len(args))
	for i, arg := range args {
		columns[i] = arg.Expand(rows)
	}
	ids := groups.IDs
	if ids == nil {
		ids = make([]uint32, rows)
	}
	values := columns[0]
	kept := make([]int32, 0, rows)
	for i := range rows {
		if !isNull(values, i) {
			kept = append(kept, int32(i))
		}
	}
	return a.pick.update(columns, ids, groups.Count, kept)
}

func (a *pickAccumulator) Merge(other kernel.Accumulator, mapping []uint32, count int) error {
	return a.pick.merge(&other.(*pickAccumulator).pick, mapping, count)
}

// State is the values, NULL where there is none yet, and their keys.
func (a *pickAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	if err := a.pick.settle(); err != nil {
		return nil, err
	}
	columns := emptyColumns(a.types)
	if len(a.pick.batches) > 0 {
		columns = a.pick.batches[0].Columns
	}
	places := map[uint32]int32{}
	for row, g := range a.pick.ids {
		places[g] = int32(row)
	}
	rows, valid := make([]int32, len(groups)), event.NewBitmap(len(groups))
	for i, g := range groups {
		if row, ok := places[g]; ok {
			rows[i] = row
			valid.Set(i)
		}
	}
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		if out[i] = event.NewNulls(a.types[i], len(groups)); len(places) > 0 {
			out[i] = kernel.Decode(kernel.TakeValid(c, rows, valid))
		}
	}
	return out, nil
}

func (a *pickAccumulator) Restore(state []arrow.Array) error {
	if err := kernel.CheckState(state, arrowTypes(a.types)...); err != nil {
		return err
	}
	operands := make([]kernel.Operand, len(state))
	for i, c := range state {
		operands[i].Array = c
	}
	rows := state[0].Len()
	ids := make([]uint32, rows)
	for i := range ids {
		ids[i] = uint32(i)
	}
	return a.Update(kernel.Groups{IDs: ids, Count: rows}, operands, rows)
}

func (a *pickAccumulator) Result(groups int) (arrow.Array, error) {
	columns, rows, valid, err := a.pick.result(groups)
	if err != nil || len(columns) == 0 {
		return event.NewNulls(a.typ, groups), err
	}
	return kernel.TakeValid(columns[0], rows, valid), nil
}

func (a *pickAccumulator) Bytes() int64 { return a.pick.bytes() }
