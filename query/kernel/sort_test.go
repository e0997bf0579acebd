package kernel

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// arrangements are ways in which many numbers may lie before they are sorted.
var arrangements = map[string]func(rng *rand.Rand, i, n int) int{
	"at random":        func(rng *rand.Rand, _, n int) int { return rng.IntN(n) },
	"few values":       func(rng *rand.Rand, _, _ int) int { return rng.IntN(3) },
	"all equal":        func(*rand.Rand, int, int) int { return 7 },
	"in order":         func(_ *rand.Rand, i, _ int) int { return i },
	"in reverse":       func(_ *rand.Rand, i, n int) int { return n - i },
	"nearly in order":  func(rng *rand.Rand, i, _ int) int { return i + rng.IntN(100) },
	"up and down":      func(_ *rand.Rand, i, n int) int { return min(i, n-i) },
	"one out of place": func(_ *rand.Rand, i, n int) int { return i % max(1, n-1) },
	"in four runs":     func(_ *rand.Rand, i, n int) int { return i % max(1, n/4) },
}

func TestSortFuncSortsAndLooks(t *testing.T) {
	t.Parallel()
	for name, at := range arrangements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 1))
			for _, n := range []int{0, 1, sortedAtOnce, sortedAtOnce + 1, 5*sortedAtOnce + 123} {
				values := make([]int, n)
				for i := range values {
					values[i] = at(rng, i, n)
				}
				want := slices.Clone(values)
				slices.Sort(want)
				looks := 0
				require.NoError(t, SortFunc(&Context{Looked: func() { looks++ }}, values, cmp.Compare[int]))
				require.Equal(t, want, values)
				require.GreaterOrEqual(t, looks, (n-1)/sortedAtOnce)
			}
		})
	}
}

// TestSortFuncGivesUp ends the context at one look after another: no further look comes.
func TestSortFuncGivesUp(t *testing.T) {
	t.Parallel()
	for name, at := range arrangements {
		n := 4*sortedAtOnce + 1
		for last := 1; last <= 4; last++ {
			rng := rand.New(rand.NewPCG(1, 1))
			values := make([]int, n)
			for i := range values {
				values[i] = at(rng, i, n)
			}
			done, looks := make(chan struct{}), 0
			ctx := &Context{Done: done, Looked: func() {
				if looks++; looks == last {
					close(done)
				}
			}}
			require.ErrorIs(t, SortFunc(ctx, values, cmp.Compare[int]), context.Canceled, name)
			require.Equal(t, last, looks, name)
		}
	}
}

func BenchmarkSortFunc(b *testing.B) {
	const n = 2_000_000
	for name, at := range arrangements {
		rng := rand.New(rand.NewPCG(1, 1))
		values, scratch := make([]int, n), make([]int, n)
		for i := range values {
			values[i] = at(rng, i, n)
		}
		sorts := map[string]func(){
			"looking": func() { _ = SortFunc(&Context{}, scratch, cmp.Compare[int]) },
			"plain":   func() { slices.SortFunc(scratch, cmp.Compare[int]) },
		}
		for kind, sort := range sorts {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					copy(scratch, values)
					sort()
				}
			})
		}
	}
}
