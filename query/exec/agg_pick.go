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
	typ  event.Type
	pick pick
}

// newPickAccumulator makes the accumulator of first, and of last by turning the keys around.
func newPickAccumulator(fn *plan.Function, keys []plan.SortKey) *pickAccumulator {
	if fn.Name == "last" {
		turned := make([]plan.SortKey, len(keys))
		for i, k := range keys {
			turned[i] = plan.SortKey{Expr: k.Expr, Descending: !k.Descending, NullsFirst: !k.NullsFirst}
		}
		keys = turned
	}
	return &pickAccumulator{typ: fn.Result, pick: pick{keys: keys}}
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

func (a *pickAccumulator) Result(groups int) (arrow.Array, error) {
	columns, rows, valid, err := a.pick.result(groups)
	if err != nil || len(columns) == 0 {
		return event.NewNulls(a.typ, groups), err
	}
	return kernel.TakeValid(columns[0], rows, valid), nil
}

func (a *pickAccumulator) Bytes() int64 { return a.pick.bytes() }
