package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerExtreme(all map[string]func() Accumulator) {
	for _, form := range []orderedForm{
		bigintForm, timestampForm, doubleForm, booleanForm, smallintForm, integerForm, dateForm, realForm, timeForm,
	} {
		all["min("+form.name+")"] = func() Accumulator { return &extremeAccumulator{form: form} }
		all["max("+form.name+")"] = func() Accumulator { return &extremeAccumulator{form: form, flip: -1} }
	}
}

// extremeAccumulator is min and max of every type whose order is that of some 64-bit integer. It keeps the least of the integers; max
// looks at their complements, whose order is the reverse.
type extremeAccumulator struct {
	form    orderedForm
	flip    int64 // 0 for min, all ones for max
	least   []int64
	seen    []bool
	scratch []int64
}

// orderedForm turns the values of a type into integers of the same order and back.
type orderedForm struct {
	name string
	// keys gives the integers of a column, in scratch where it has to compute them.
	keys    func(o Operand, rows int, scratch []int64) []int64
	restore func(keys []int64, valid event.Bitmap) arrow.Array
}

var (
	bigintForm    = orderedForm{name: "BIGINT", keys: integerKeys, restore: event.NewInt64s}
	timestampForm = orderedForm{name: "TIMESTAMPTZ", keys: integerKeys, restore: event.NewTimestamps}
	timeForm      = orderedForm{name: "TIME", keys: integerKeys, restore: event.NewTimes}
	doubleForm    = orderedForm{name: "DOUBLE PRECISION", keys: doubleKeys, restore: restoreDoubles}
	booleanForm   = orderedForm{name: "BOOLEAN", keys: booleanKeys, restore: restoreBooleans}
)

func (a *extremeAccumulator) Update(groups Groups, args []Operand, rows int) error {
	a.grow(groups.Count)
	if args[0].Const {
		args = []Operand{{Array: args[0].Expand(rows)}}
	}
	a.scratch = grown(a.scratch, rows, 0)
	keys, valid := a.form.keys(args[0], rows, a.scratch[:rows]), args[0].validity(rows)
	switch {
	case groups.IDs == nil && valid == nil:
		a.addAll(keys)
	case groups.IDs == nil:
		for i, k := range keys {
			if valid.Valid(i) {
				a.add(0, k^a.flip)
			}
		}
	case valid == nil:
		for i, g := range groups.IDs[:rows] {
			a.add(g, keys[i]^a.flip)
		}
	default:
		for i, g := range groups.IDs[:rows] {
			if valid.Valid(i) {
				a.add(g, keys[i]^a.flip)
			}
		}
	}
	return nil
}

func (a *extremeAccumulator) add(g uint32, k int64) {
	a.seen[g] = true
	if k < a.least[g] {
		a.least[g] = k
	}
}

func (a *extremeAccumulator) addAll(keys []int64) {
	if len(keys) == 0 {
		return
	}
	even, odd := int64(math.MaxInt64), int64(math.MaxInt64)
	i := 0
	for ; i+1 < len(keys); i += 2 {
		even = min(even, keys[i]^a.flip)
		odd = min(odd, keys[i+1]^a.flip)
	}
	if i < len(keys) {
		even = min(even, keys[i]^a.flip)
	}
	a.add(0, min(even, odd))
}

func (a *extremeAccumulator) grow(count int) {
	a.least = grown(a.least, count, math.MaxInt64)
	a.seen = grown(a.seen, count, false)
}

func (a *extremeAccumulator) Merge(other Accumulator, mapping []uint32, count int) error {
	a.grow(count)
	o := other.(*extremeAccumulator)
	for g, k := range o.least {
		if o.seen[g] {
			a.add(mapping[g], k)
		}
	}
	return nil
}

func (a *extremeAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	a.grow(reach(groups))
	return seenColumn(wordType, a.least, a.seen, groups), nil
}

func (a *extremeAccumulator) Restore(state []arrow.Array) (err error) {
	if a.least, a.seen, err = openSeen[int64](state, wordType); err != nil {
		return err
	}
	for g, seen := range a.seen {
		if !seen { // the value of a NULL may be anything
			a.least[g] = math.MaxInt64
		}
	}
	return nil
}

func (a *extremeAccumulator) Result(groups int) (arrow.Array, error) {
	a.grow(groups)
	keys, valid := make([]int64, groups), event.NewBitmap(groups)
	for g := range keys {
		if a.seen[g] {
			keys[g] = a.least[g] ^ a.flip
			valid.Set(g)
		}
	}
	return a.form.restore(keys, valid), nil
}

func (a *extremeAccumulator) Bytes() int64 {
	return sizeOf(a.least) + sizeOf(a.seen) + sizeOf(a.scratch)
}

func integerKeys(o Operand, rows int, _ []int64) []int64 { return fixed[int64](o).values[:rows] }

func doubleKeys(o Operand, rows int, scratch []int64) []int64 {
	for i, v := range fixed[float64](o).values[:rows] {
		scratch[i] = OrderedBits(v)
	}
	return scratch
}

func restoreDoubles(keys []int64, valid event.Bitmap) arrow.Array {
	out := make([]float64, len(keys))
	for i, k := range keys {
		out[i] = math.Float64frombits(uint64(flipNegative(k)))
	}
	return event.NewFloat64s(out, valid)
}

// OrderedBits maps a double to an integer with the order that SQL gives doubles: NaN, of which there is one only, comes last,
// and the two zeros are one.
func OrderedBits(v float64) int64 {
	if v != v {
		return math.MaxInt64
	}
	return flipNegative(int64(math.Float64bits(v + 0))) // -0 + 0 is 0
}

// flipNegative reverses the order of the negative doubles' bits, which grow with the magnitude. It is its own inverse.
func flipNegative(b int64) int64 { return b ^ int64(uint64(b>>63)>>1) }

func booleanKeys(o Operand, rows int, scratch []int64) []int64 {
	bits := booleans(o, rows)
	for i := range scratch {
		scratch[i] = int64(bits[i>>3] >> (i & 7) & 1)
	}
	return scratch
}

func restoreBooleans(keys []int64, valid event.Bitmap) arrow.Array {
	out := event.NewBitmap(len(keys))
	for i, k := range keys {
		if k == 1 {
			out.Set(i)
		}
	}
	return event.NewBooleans(out, len(keys), valid)
}
