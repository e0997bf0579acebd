package kernel

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

func registerQuantiles(all map[string]func() Accumulator) {
	all["median(DOUBLE PRECISION)"] = func() Accumulator { return &quantile{form: doubleForm, continuous: true, fraction: 0.5} }
	all["percentile_cont(DOUBLE PRECISION, DOUBLE PRECISION)"] = func() Accumulator {
		return &quantile{form: doubleForm, continuous: true, fraction: math.NaN()}
	}
	for _, form := range []orderedForm{bigintForm, timestampForm, doubleForm, booleanForm} {
		newQuantile := func() Accumulator { return &quantile{form: form, fraction: math.NaN()} }
		all["percentile_disc(DOUBLE PRECISION, "+form.name+")"] = newQuantile
		all["percentile_disc(DOUBLE PRECISION, "+form.name+", BOOLEAN)"] = newQuantile
	}
}

// quantile is the exact percentiles of every type whose order is that of some 64-bit integer. It keeps the integers of all
// values, each with its group, and selects at the end.
type quantile struct {
	form       orderedForm
	continuous bool    // interpolates between neighbours
	fraction   float64 // NaN until it is known
	descending bool
	ids        []uint32
	keys       []int64
	scratch    []int64
}

func (a *quantile) Update(groups Groups, args []Operand, rows int) error {
	value := args[0]
	if len(args) > 1 {
		value = args[1]
		if err := readFraction(&a.fraction, args[0], rows); err != nil {
			return err
		}
		readDescending(&a.descending, args, rows)
	}
	if value.Const {
		value = Operand{Array: value.Expand(rows)}
	}
	a.scratch = grown(a.scratch, rows, 0)
	keys, valid := a.form.keys(value, rows, a.scratch[:rows]), value.validity(rows)
	if valid == nil && groups.IDs != nil {
		a.ids, a.keys = append(a.ids, groups.IDs[:rows]...), append(a.keys, keys[:rows]...)
		return nil
	}
	for i, k := range keys {
		if valid.Valid(i) {
			a.ids, a.keys = append(a.ids, groupOf(groups, i)), append(a.keys, k)
		}
	}
	return nil
}

// readFraction takes the fraction of a percentile from its argument, which is the same in every row; NULL leaves it NaN.
func readFraction(fraction *float64, arg Operand, rows int) error {
	if rows == 0 || isNull(arg.Array) {
		return nil
	}
	v := fixed[float64](arg).at(0)
	if !(v >= 0 && v <= 1) {
		return event.Errorf(event.CodeInvalidValue, "percentile %v is not between 0 and 1", v)
	}
	*fraction = v
	return nil
}

// readDescending takes the third argument, which tells that the percentile counts from the largest value.
func readDescending(descending *bool, args []Operand, rows int) {
	if rows > 0 && len(args) > 2 && !isNull(args[2].Array) {
		*descending = args[2].Array.(*array.Boolean).Value(0)
	}
}

func (a *quantile) Merge(other Accumulator, mapping []uint32, _ int) error {
	o := other.(*quantile)
	a.keys, a.ids = append(a.keys, o.keys...), slices.Grow(a.ids, len(o.ids))
	for _, g := range o.ids {
		a.ids = append(a.ids, mapping[g])
	}
	if math.IsNaN(a.fraction) {
		a.fraction, a.descending = o.fraction, o.descending
	}
	return nil
}

// State is the parameters and, of each group, all values in no particular order.
func (a *quantile) State(groups []uint32) ([]arrow.Array, error) {
	sorted, ends := byGroup(a.ids, a.keys, max(reach(groups), reach(a.ids)))
	items := make([][]int64, len(groups))
	for i, g := range groups {
		start := 0
		if g > 0 {
			start = ends[g-1]
		}
		items[i] = append([]int64{}, sorted[start:ends[g]]...)
	}
	lists, err := wordLists(items)
	return []arrow.Array{steadyDouble(a.fraction, len(groups)), steadyFlag(a.descending, len(groups)), lists}, err
}

func (a *quantile) Restore(state []arrow.Array) error {
	if err := CheckState(state, doubleType, flagType, wordsType); err != nil {
		return err
	}
	if fraction := readSteady(state[0]); fraction == fraction {
		a.fraction = fraction
	}
	a.descending = readSteadyFlag(state[1])
	values, rows := OpenLists(state[2])
	a.ids, a.keys = rows, slices.Clone(values.(*array.Int64).Int64Values())
	return nil
}

func (a *quantile) Result(groups int) (arrow.Array, error) {
	sorted, ends := byGroup(a.ids, a.keys, groups)
	keys, valid := make([]int64, groups), event.NewBitmap(groups)
	start := 0
	for g, end := range ends {
		values := sorted[start:end]
		start = end
		if len(values) == 0 || math.IsNaN(a.fraction) {
			continue
		}
		valid.Set(g)
		if a.continuous {
			keys[g] = interpolate(values, a.fraction)
		} else {
			at := discrete(len(values), a.fraction, a.descending)
			selectAt(values, at)
			keys[g] = values[at]
		}
	}
	return a.form.restore(keys, valid), nil
}

// byGroup puts values into the order of their groups and says where each group ends.
func byGroup[T any](ids []uint32, values []T, groups int) (sorted []T, ends []int) {
	ends = make([]int, groups)
	for _, g := range ids {
		ends[g]++
	}
	next, total := make([]int, groups), 0
	for g, n := range ends {
		next[g] = total
		total += n
		ends[g] = total
	}
	sorted = make([]T, len(values))
	for i, g := range ids {
		sorted[next[g]] = values[i]
		next[g]++
	}
	return sorted, ends
}

// discrete is the place of the first of n sorted values whose share of those up to it, from the end that counts as the first, is
// at least the fraction.
func discrete(n int, fraction float64, descending bool) int {
	at := max(0, int(math.Ceil(fraction*float64(n)))-1)
	if descending {
		return n - 1 - at
	}
	return at
}

// interpolate goes in a straight line between the neighbours of the place that the fraction points at. The integers are those
// that stand for doubles, in any order, and are rearranged.
func interpolate(values []int64, fraction float64) int64 {
	at := fraction * float64(len(values)-1)
	low := int(math.Floor(at))
	selectAt(values, low)
	if at == float64(low) {
		return values[low]
	}
	x, y := doubleOfKey(values[low]), doubleOfKey(slices.Min(values[low+1:]))
	if x == y {
		return values[low]
	}
	share := at - float64(low)
	return OrderedBits(x*(1-share) + y*share)
}

// doubleOfKey undoes OrderedBits.
func doubleOfKey(k int64) float64 { return math.Float64frombits(uint64(flipNegative(k))) }

// Bytes counts the copy that Result sorts as well.
func (a *quantile) Bytes() int64 { return sizeOf(a.ids) + 2*sizeOf(a.keys) + sizeOf(a.scratch) }
