package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// arrayAccumulator makes the accumulators of arrays.
func arrayAccumulator(f *plan.Function) (Accumulator, bool) {
	if len(f.Args) != 1 || f.Args[0].Kind != event.Array {
		return nil, false
	}
	switch f.Name {
	case "array_agg":
		return &arrayAgg{elem: f.Args[0]}, true
	case "count":
		return &countAccumulator{}, true
	case "min", "max":
		return &arrayExtreme{result: f.Args[0], sign: extremeSign(f)}, true
	case "mode":
		return &mode{typ: f.Result}, true
	case "first", "any_value":
		return &firstAccumulator{typ: f.Result}, true
	case "last":
		return &firstAccumulator{typ: f.Result, last: true}, true
	default:
		return nil, false
	}
}

func registerArrayAgg(all map[string]func() Accumulator) {
	for _, f := range plan.Functions["array_agg"] {
		all[f.Signature()] = func() Accumulator { return &arrayAgg{elem: f.Args[0]} }
	}
}

// arrayAgg makes arrays of values, NULLs among them, in the order in which they come. A group without rows is NULL.
type arrayAgg struct {
	elem   event.Type
	pieces []arrow.Array
	ids    []uint32 // of all values, piece after piece
	size   int64
}

func (a *arrayAgg) of(f *plan.Function) { a.elem = f.Args[0] }

func (a *arrayAgg) Update(groups Groups, args []Operand, rows int) error {
	if rows == 0 {
		return nil
	}
	values := args[0].Array
	picks := sequence(rows)
	if args[0].Const {
		clear(picks)
	}
	if values.DataType().ID() == arrow.NULL {
		values = event.NewNulls(a.elem, values.Len())
	}
	a.pieces = append(a.pieces, Take(Decode(values), picks))
	a.size += int64(values.Data().SizeInBytes()) / int64(max(1, values.Len())) * int64(rows)
	for i := range rows {
		a.ids = append(a.ids, groupOf(groups, i))
	}
	return a.settle()
}

// settle lays many small pieces together.
func (a *arrayAgg) settle() error {
	const many = 256
	if len(a.pieces) < many {
		return nil
	}
	whole, err := Concat(a.pieces)
	a.pieces = []arrow.Array{Decode(whole)}
	return err
}

func (a *arrayAgg) Merge(other Accumulator, mapping []uint32, _ int) error {
	o := other.(*arrayAgg)
	a.pieces = append(a.pieces, o.pieces...)
	for _, g := range o.ids {
		a.ids = append(a.ids, mapping[g])
	}
	a.size += o.size
	return a.settle()
}

// lists makes an array for each of some groups; places says where each group is among them, -1 for one that is not.
func (a *arrayAgg) lists(places []int, count int) (arrow.Array, error) {
	ends := make([]int, count)
	for _, g := range a.ids {
		if places[g] >= 0 {
			ends[places[g]]++
		}
	}
	next, total, valid := make([]int, count), 0, event.NewBitmap(count)
	for i, n := range ends {
		if n > 0 {
			valid.Set(i)
		}
		next[i] = total
		total += n
		ends[i] = total
	}
	picks := make([]int32, total)
	for at, g := range a.ids {
		if place := places[g]; place >= 0 {
			picks[next[place]] = int32(at)
			next[place]++
		}
	}
	values := event.NewNulls(a.elem, 0)
	if len(a.pieces) > 0 {
		var err error
		if values, err = Concat(a.pieces); err != nil {
			return nil, err
		}
	}
	return NewLists(Take(values, picks), ends, valid)
}

func (a *arrayAgg) placesOf(groups []uint32) []int {
	count := reach(groups)
	for _, g := range a.ids {
		count = max(count, int(g)+1)
	}
	places := make([]int, count)
	for i := range places {
		places[i] = -1
	}
	for i, g := range groups {
		places[g] = i
	}
	return places
}

func (a *arrayAgg) State(groups []uint32) ([]arrow.Array, error) {
	column, err := a.lists(a.placesOf(groups), len(groups))
	return []arrow.Array{column}, err
}

func (a *arrayAgg) Restore(state []arrow.Array) error {
	if err := CheckState(state, arrow.ListOf(a.elem.Arrow())); err != nil {
		return err
	}
	values, rows := OpenLists(state[0])
	a.pieces, a.ids = []arrow.Array{values}, rows
	a.size = int64(values.Data().SizeInBytes())
	return nil
}

func (a *arrayAgg) Result(groups int) (arrow.Array, error) {
	all := make([]uint32, groups)
	for i := range all {
		all[i] = uint32(i)
	}
	return a.lists(a.placesOf(all), groups)
}

// Bytes counts every value twice, since making the arrays lays them end to end.
func (a *arrayAgg) Bytes() int64 { return 2*a.size + sizeOf(a.ids) }
