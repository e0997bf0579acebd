package kernel

import (
	"math/big"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// numericAccumulator makes the accumulators that have to know the precision and scale of what they give.
func numericAccumulator(f *plan.Function) (Accumulator, bool) {
	switch f.Signature() {
	case "sum(NUMERIC)":
		return &numericSum{result: f.Result}, true
	case "avg(NUMERIC)":
		return &numericSum{result: f.Result, scale: f.Args[0].Scale, average: true}, true
	case "min(NUMERIC)":
		return &wordExtreme{result: f.Result, sign: 1, compare: decimal128.Num.Cmp}, true
	case "max(NUMERIC)":
		return &wordExtreme{result: f.Result, sign: -1, compare: decimal128.Num.Cmp}, true
	default:
		return nil, false
	}
}

// numericSum adds in 192 bits: neither the order of rows nor a large sum on the way matters, only a result beyond 38 digits is an error.
type numericSum struct {
	states  []widestSum
	result  event.Type
	scale   int32 // of the argument of an average
	average bool
}

// widestSum is a 192-bit integer in two's complement and how many values it is the sum of.
type widestSum struct {
	low, middle uint64
	high        int64
	n           int64
}

// widestOf is one value.
func widestOf(v decimal128.Num) widestSum {
	high := v.HighBits()
	return widestSum{low: v.LowBits(), middle: uint64(high), high: high >> 63, n: 1}
}

func (s *widestSum) add(o widestSum) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, o.low, 0)
	s.middle, carry = bits.Add64(s.middle, o.middle, carry)
	s.high += o.high + int64(carry)
	s.n += o.n
}

func (a *numericSum) Update(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, widestSum{})
	values, valid := fixed[decimal128.Num](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			a.states[groupOf(groups, i)].add(widestOf(values.at(i)))
		}
	}
	return nil
}

func (a *numericSum) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, widestSum{})
	for g, s := range other.(*numericSum).states {
		a.states[mapping[g]].add(s)
	}
	return nil
}

func (a *numericSum) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), widestSum{})
	return wordColumns(a.states, groups), nil
}

func (a *numericSum) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[widestSum](state)
	return err
}

func (a *numericSum) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, widestSum{})
	out, valid := make([]decimal128.Num, groups), event.NewBitmap(groups)
	for g := range out {
		s := &a.states[g]
		if s.n == 0 {
			continue
		}
		valid.Set(g)
		v, ok := a.value(s)
		if !ok {
			return nil, event.Errorf(event.CodeInvalidValue, "%s overflow in sum", a.result).
				WithHint("cast the argument to DOUBLE PRECISION")
		}
		out[g] = v
	}
	return event.NewFixed(a.result.Arrow(), out, valid), nil
}

func (a *numericSum) value(s *widestSum) (decimal128.Num, bool) {
	if a.average {
		sum := s.big()
		return roundedQuotient(sum.Mul(sum, powerOfTen(a.result.Scale-a.scale)), big.NewInt(s.n))
	}
	out := decimal128.New(int64(s.middle), s.low)
	return out, s.high == int64(s.middle)>>63 && out.FitsInPrecision(a.result.Precision)
}

func (s *widestSum) big() *big.Int {
	out := new(big.Int).Lsh(big.NewInt(s.high), 64)
	out.Or(out, new(big.Int).SetUint64(s.middle)).Lsh(out, 64)
	return out.Or(out, new(big.Int).SetUint64(s.low))
}

func (a *numericSum) Bytes() int64 { return sizeOf(a.states) }

// registerWordExtreme registers min and max of UUID, and the names of what numericAccumulator makes.
func registerWordExtreme(all map[string]func() Accumulator) {
	for _, f := range []string{"sum", "avg", "min", "max"} {
		all[f+"(NUMERIC)"] = func() Accumulator {
			return &numericSum{result: event.Type{Kind: event.Numeric, Precision: event.MaxPrecision}}
		}
	}
	uuid := event.Type{Kind: event.UUID}
	all["min(UUID)"] = func() Accumulator { return &wordExtreme{result: uuid, sign: 1, compare: event.CompareUUIDs} }
	all["max(UUID)"] = func() Accumulator { return &wordExtreme{result: uuid, sign: -1, compare: event.CompareUUIDs} }
}

// wordExtreme is min and max of the types of 16 bytes.
type wordExtreme struct {
	result  event.Type
	sign    int // -1 for max
	compare func(a, b decimal128.Num) int
	best    []decimal128.Num
	seen    []bool
}

func (a *wordExtreme) Update(groups Groups, args []Operand, rows int) error {
	a.grow(groups.Count)
	values, valid := fixed[decimal128.Num](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			a.add(groupOf(groups, i), values.at(i))
		}
	}
	return nil
}

func (a *wordExtreme) add(g uint32, v decimal128.Num) {
	if !a.seen[g] || a.compare(v, a.best[g])*a.sign < 0 {
		a.seen[g], a.best[g] = true, v
	}
}

func (a *wordExtreme) grow(count int) {
	a.best = grown(a.best, count, decimal128.Num{})
	a.seen = grown(a.seen, count, false)
}

func (a *wordExtreme) Merge(other Accumulator, mapping []uint32, count int) error {
	a.grow(count)
	o := other.(*wordExtreme)
	for g, v := range o.best {
		if o.seen[g] {
			a.add(mapping[g], v)
		}
	}
	return nil
}

func (a *wordExtreme) State(groups []uint32) ([]arrow.Array, error) {
	a.grow(reach(groups))
	return seenColumn(a.result.Arrow(), a.best, a.seen, groups), nil
}

func (a *wordExtreme) Restore(state []arrow.Array) (err error) {
	a.best, a.seen, err = openSeen[decimal128.Num](state, a.result.Arrow())
	return err
}

func (a *wordExtreme) Result(groups int) (arrow.Array, error) {
	a.grow(groups)
	valid := event.NewBitmap(groups)
	for g, seen := range a.seen[:groups] {
		if seen {
			valid.Set(g)
		}
	}
	return event.NewFixed(a.result.Arrow(), slices.Clone(a.best[:groups]), valid), nil
}

func (a *wordExtreme) Bytes() int64 { return sizeOf(a.best) + sizeOf(a.seen) }
