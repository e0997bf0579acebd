package exec

import (
	"math"
	"math/big"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

var (
	shiftForward = timeShift("+")
	shiftBack    = timeShift("-")
)

// timeShift is the operator that moves a time by an interval.
func timeShift(name string) *plan.Function {
	for _, f := range plan.Functions[name] {
		if len(f.Args) == 2 && f.Args[0].Kind == event.TimestampTZ && f.Args[1].Kind == event.Interval {
			return f
		}
	}
	panic("exec: there is no operator " + name + " for times")
}

// rangeBound puts bounds at the first row whose key is not before the row's own key moved by the offset; for an end, at the first
// that is after it. From a row whose key is NULL, all NULLs are seen and nothing else.
func (w *windowRows) rangeBound(out []int32, b plan.FrameBound, end bool) error {
	key := w.node.Order[0]
	places, targets, err := w.rangeKeys(b, key, end)
	if err != nil {
		return err
	}
	starts, numbers := w.peers(), w.peerNumbers()
	w.partitions(func(from, to int32) {
		first, last := w.notNull(from, to)
		at := first
		for i := from; i < to; i++ {
			if i < first || i >= last {
				out[i] = starts[numbers[i]]
				if end {
					out[i] = starts[numbers[i]+1]
				}
				continue
			}
			// The places mostly lie near the last one's, behind it or, for months of different lengths, before it.
			target := targets[i]
			before := func(row int32) bool { return places[row] < target || (end && places[row] == target) }
			for at > first && !before(at-1) {
				at--
			}
			for at < last && before(at) {
				at++
			}
			out[i] = at
		}
	})
	return nil
}

// notNull is the stretch of a partition's rows whose key is not NULL: they lie together.
func (w *windowRows) notNull(from, to int32) (first, last int32) {
	for from < to && isNull(w.keys[0], int(from)) {
		from++
	}
	for from < to && isNull(w.keys[0], int(to-1)) {
		to--
	}
	return from, to
}

// rangeKeys turns the keys, and the keys moved by the offset, into integers that ascend in the window's order.
func (w *windowRows) rangeKeys(b plan.FrameBound, key plan.SortKey, end bool) (places, targets []int64, err error) {
	back := (b.Kind == plan.Preceding) != key.Descending
	column := w.keys[0]
	if column.DataType().ID() == arrow.NULL {
		return make([]int64, w.count), make([]int64, w.count), nil
	}
	places, targets = make([]int64, w.count), make([]int64, w.count)
	switch key.Expr.Type().Kind {
	case event.BigInt:
		values, offset := arrow.GetValues[int64](column.Data(), 1), b.Offset.Value.(*array.Int64).Value(0)
		for i, v := range values {
			places[i], targets[i] = v, moved(v, offset, back)
		}
	case event.Double:
		offset := b.Offset.Value.(*array.Float64).Value(0)
		if back {
			offset = -offset
		}
		for i, v := range arrow.GetValues[float64](column.Data(), 1) {
			places[i], targets[i] = kernel.OrderedBits(v), kernel.OrderedBits(movedDouble(v, offset, end != key.Descending))
		}
	case event.Numeric:
		numericKeys(column.(*array.Decimal128), key.Expr.Type().Scale, b.Offset, back, places, targets)
	case event.TimestampTZ:
		shifted, err := w.shiftTimes(column, b.Offset, back)
		if err != nil {
			return nil, nil, err
		}
		copy(places, arrow.GetValues[int64](column.Data(), 1))
		copy(targets, shifted)
	default:
		return nil, nil, errOffset(key.Expr.Type())
	}
	if key.Descending {
		for i := range places {
			places[i], targets[i] = ^places[i], ^targets[i]
		}
	}
	return places, targets, nil
}

// numericKeys puts the keys, and the keys moved by an offset, in the place of their ranks among all of them, so that both are compared exactly.
func numericKeys(column *array.Decimal128, scale int32, offset *plan.Literal, back bool, places, targets []int64) {
	by, from := offset.Value.(*array.Decimal128).Value(0).BigInt(), offset.Typ.Scale
	keys, common := make([]*big.Int, 2*len(places)), max(scale, from)
	by = scaledUp(by, common-from)
	if back {
		by = by.Neg(by)
	}
	for i := range places {
		keys[2*i] = scaledUp(column.Value(i).BigInt(), common-scale)
		keys[2*i+1] = new(big.Int).Add(keys[2*i], by)
	}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return keys[a].Cmp(keys[b]) })
	rank := int64(0)
	for at, i := range order {
		if at > 0 && keys[i].Cmp(keys[order[at-1]]) != 0 {
			rank++
		}
		if i%2 == 0 {
			places[i/2] = rank
		} else {
			targets[i/2] = rank
		}
	}
}

// scaledUp is a number with more decimal places.
func scaledUp(v *big.Int, places int32) *big.Int {
	return v.Mul(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
}

// moved adds or subtracts an offset that is not negative and stops at the ends of what there is.
func moved(v, offset int64, back bool) int64 {
	switch {
	case back && v < math.MinInt64+offset:
		return math.MinInt64
	case back:
		return v - offset
	case v > math.MaxInt64-offset:
		return math.MaxInt64
	default:
		return v + offset
	}
}

// movedDouble adds an offset. Infinitely far from the infinity on the other side lie all numbers, as in PostgreSQL: that bound is before or
// behind all of them.
func movedDouble(v, offset float64, behind bool) float64 {
	out := v + offset
	if !math.IsNaN(out) || math.IsNaN(v) {
		return out
	}
	if behind {
		return math.Inf(1)
	}
	return math.Inf(-1)
}

func (w *windowRows) shiftTimes(times arrow.Array, offset *plan.Literal, back bool) ([]int64, error) {
	fn := shiftForward
	if back {
		fn = shiftBack
	}
	time := &plan.ColumnRef{Index: 0, Name: "time", Typ: fn.Args[0]}
	program, err := kernel.Compile(&plan.Call{Fn: fn, Args: []plan.Expr{time, offset}})
	if err != nil {
		return nil, err
	}
	out, err := program.Eval(w.run.kernel, []arrow.Array{times}, w.count)
	if err != nil {
		return nil, err
	}
	return arrow.GetValues[int64](out.Expand(w.count).Data(), 1), nil
}
