package kernel

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// aDouble draws doubles of all sizes, many of them near each other.
var aDouble = rapid.OneOf(
	rapid.Float64Range(-1000, 1000),
	rapid.Map(rapid.Uint64(), math.Float64frombits),
	rapid.SampledFrom([]float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1e16, -1e16, 1e-300, 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64, 0x1p-1022,
		math.Inf(1), math.Inf(-1), math.NaN(),
	}),
)

// wantSum adds up without rounding and rounds once.
func wantSum(values []float64) float64 {
	sum, special := new(big.Float).SetPrec(4000), 0.0
	for _, v := range values {
		if !isFinite(v) {
			special += v
			continue
		}
		sum.Add(sum, new(big.Float).SetFloat64(v))
	}
	if special != 0 {
		return special
	}
	out, _ := sum.Float64()
	return out + 0 // no negative zero
}

func requireSum(t require.TestingT, want float64, s *exactSum) {
	got, err := s.total()
	if math.IsInf(want, 0) && err != nil { // finite values whose sum no double holds
		return
	}
	require.NoError(t, err)
	if want != want {
		require.True(t, got != got, "%v", got)
		return
	}
	require.Equal(t, math.Float64bits(want), math.Float64bits(got), "%v, not %v", got, want)
}

// TestExactSumsAreExact holds sums of doubles, of which some go again and some come by merging, to the sum in unlimited precision.
func TestExactSumsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s exactSum
		var there []float64
		for range rapid.IntRange(1, 40).Draw(t, "moves") {
			switch {
			case len(there) > 0 && rapid.IntRange(0, 2).Draw(t, "go") == 0:
				i := rapid.IntRange(0, len(there)-1).Draw(t, "which")
				s.change(there[i], -1)
				there = append(there[:i:i], there[i+1:]...)
			case rapid.IntRange(0, 9).Draw(t, "merge") == 0:
				var other exactSum
				for _, v := range rapid.SliceOfN(aDouble, 0, 5).Draw(t, "others") {
					other.change(v, 1)
					there = append(there, v)
				}
				s.merge(&other)
			default:
				v := aDouble.Draw(t, "v")
				s.change(v, 1)
				there = append(there, v)
			}
			requireSum(t, wantSum(there), &s)
		}
		require.Equal(t, int64(len(there)), s.n)
	})
}

// TestExactSumOfManyRoundsOnce adds what compensated sums lose as well: values that cancel, of which a small one is left.
func TestExactSumOfManyRoundsOnce(t *testing.T) {
	t.Parallel()
	var s exactSum
	for range 1000 {
		for _, v := range []float64{1e300, 1e-300, -1e300, 3} {
			s.change(v, 1)
		}
	}
	got, err := s.total()
	require.NoError(t, err)
	require.Equal(t, 3000.0, got)
}
