package kernel

import (
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

func registerBigintSum(all map[string]func() Accumulator) {
	all["sum(BIGINT)"] = func() Accumulator { return &bigintSum{} }
	all["avg(BIGINT)"] = func() Accumulator { return &bigintSum{average: true} }
}

// bigintSum adds integers in 128 bits, which no number of rows can exceed; an average is the true quotient rounded once.
type bigintSum struct {
	states  []wideSum
	average bool
}

// wideSum is a 128-bit integer in two's complement and how many values it is the sum of.
type wideSum struct {
	low  uint64
	high int64
	n    int64
}

func (s *wideSum) add(low uint64, high, n int64) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high += high + int64(carry)
	s.n += n
}

func (a *bigintSum) Update(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, wideSum{})
	values, valid := fixed[int64](args[0]), args[0].validity(rows)
	switch {
	case groups.IDs == nil && valid == nil && !args[0].Const:
		a.addAll(values.values[:rows])
	case groups.IDs == nil:
		for i := range rows {
			if valid.Valid(i) {
				v := values.at(i)
				a.states[0].add(uint64(v), v>>63, 1)
			}
		}
	case valid == nil:
		for i, g := range groups.IDs[:rows] {
			v := values.at(i)
			a.states[g].add(uint64(v), v>>63, 1)
		}
	default:
		for i, g := range groups.IDs[:rows] {
			if valid.Valid(i) {
				v := values.at(i)
				a.states[g].add(uint64(v), v>>63, 1)
			}
		}
	}
	return nil
}

// addAll sums the two halves of each value apart: over fewer than 2^31 values neither can overflow, and the loop has no carry.
func (a *bigintSum) addAll(values []int64) {
	var low0, low1 uint64
	var high0, high1 int64
	i := 0
	for ; i+1 < len(values); i += 2 {
		v, w := values[i], values[i+1]
		low0 += uint64(uint32(v))
		high0 += v >> 32
		low1 += uint64(uint32(w))
		high1 += w >> 32
	}
	if i < len(values) {
		low0 += uint64(uint32(values[i]))
		high0 += values[i] >> 32
	}
	high := high0 + high1
	s := &a.states[0]
	s.add(uint64(high)<<32, high>>32, int64(len(values)))
	s.add(low0+low1, 0, 0)
}

func (a *bigintSum) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, wideSum{})
	for g, s := range other.(*bigintSum).states {
		a.states[mapping[g]].add(s.low, s.high, s.n)
	}
	return nil
}

func (a *bigintSum) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), wideSum{})
	return wordColumns(a.states, groups), nil
}

func (a *bigintSum) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[wideSum](state)
	return err
}

func (a *bigintSum) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, wideSum{})
	valid := event.NewBitmap(groups)
	for g, s := range a.states[:groups] {
		if s.n > 0 {
			valid.Set(g)
		}
	}
	if a.average {
		return event.NewFloat64s(a.averages(groups), valid), nil
	}
	sums := make([]decimal128.Num, groups)
	for g, s := range a.states[:groups] {
		sums[g] = decimal128.New(s.high, s.low)
	}
	return event.NewFixed(wideSumType.Arrow(), sums, valid), nil
}

// wideSumType is the type of a sum of BIGINT, whose words are the sum's.
var wideSumType = event.Type{Kind: event.Numeric, Precision: event.MaxPrecision}

func (a *bigintSum) averages(groups int) []float64 {
	out := make([]float64, groups)
	for g, s := range a.states[:groups] {
		if s.n > 0 {
			out[g] = s.average()
		}
	}
	return out
}

// average rounds once. Where sum and count are exact as doubles, the division does it.
func (s *wideSum) average() float64 {
	const exact = 1 << 53
	if sum := int64(s.low); s.high == sum>>63 && sum > -exact && sum < exact && s.n < exact {
		return float64(sum) / float64(s.n)
	}
	quotient, _ := new(big.Rat).SetFrac(s.big(), big.NewInt(s.n)).Float64()
	return quotient
}

func (s *wideSum) big() *big.Int {
	out := new(big.Int).Lsh(big.NewInt(s.high), 64)
	return out.Add(out, new(big.Int).SetUint64(s.low))
}

func (a *bigintSum) Bytes() int64 { return sizeOf(a.states) }
