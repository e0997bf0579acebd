package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHyperLogLogStaysWithinItsError(t *testing.T) {
	t.Parallel()
	for _, distinct := range []int{300, 5000, 40_000, 300_000} {
		left, right := &hyperLogLog{}, &hyperLogLog{}
		for i := range distinct {
			left.add(mix(uint64(i)))
			right.add(mix(uint64(i + distinct/2)))
		}
		const fourSigma = 4 * 0.0081
		require.InEpsilon(t, distinct, left.estimate(), fourSigma, "%d", distinct)
		left.merge(right)
		require.InEpsilon(t, distinct+distinct/2, left.estimate(), fourSigma, "%d merged", distinct)
	}
}

func TestDDSketchStaysWithinItsError(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	whole, left, right := &ddSketch{}, &ddSketch{}, &ddSketch{}
	values := make([]float64, 20_000)
	for i := range values {
		values[i] = math.Exp(rng.NormFloat64()*3) * float64(rng.IntN(3)-1)
		whole.add(values[i])
		if i%3 == 0 {
			left.add(values[i])
		} else {
			right.add(values[i])
		}
	}
	left.merge(right)
	slices.Sort(values)
	for _, fraction := range []float64{0, 0.01, 0.25, 0.5, 0.75, 0.99, 1} {
		rank := discrete(len(values), fraction, false)
		got, want := whole.at(int64(rank)), values[rank]
		require.LessOrEqual(t, math.Abs(got-want), 1.0001*ddAccuracy*math.Abs(want), "fraction %v: %v, want %v", fraction, got, want)
		require.Equal(t, got, left.at(int64(rank)), "merging is exact")
	}
}

func TestCanonicalJSONAgreesWithEquality(t *testing.T) {
	t.Parallel()
	texts := []string{
		"1", "1.0", "1e0", "10e-1", "-0", "0", "0.0", "1e2", "100", "1e400", "10e399", "0.1", "1e-1", "12.50", `"a"`, `"\u0061"`, `"b"`,
		"null", "true", "false", "[]", "[1, 2.0]", "[1.0,2]", `{"a":1,"b":[]}`, `{ "b": [], "a": 1.0 }`, `{"a":2,"a":1,"b":[]}`, "{}",
	}
	for _, a := range texts {
		require.Zero(t, compareJSON(a, CanonicalJSON(a)), "%s becomes %s", a, CanonicalJSON(a))
		for _, b := range texts {
			require.Equal(t, compareJSON(a, b) == 0, CanonicalJSON(a) == CanonicalJSON(b), fmt.Sprintf("%s and %s", a, b))
		}
	}
}
