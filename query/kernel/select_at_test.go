package kernel

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSelectAtFindsWhatSortingWould(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.SampledFrom([]int64{0, 1, 10, 1 << 40}).Draw(t, "span")
		values := rapid.SliceOfN(rapid.Int64Range(-span, span), 1, 400).Draw(t, "values")
		switch rapid.IntRange(0, 2).Draw(t, "order") {
		case 1:
			slices.Sort(values)
		case 2:
			slices.SortFunc(values, func(a, b int64) int { return int(min(max(b-a, -1), 1)) })
		}
		k := rapid.IntRange(0, len(values)-1).Draw(t, "k")
		want := slices.Sorted(slices.Values(values))
		selectAt(values, k)
		require.Equal(t, want[k], values[k])
		slices.Sort(values[:k])
		slices.Sort(values[k:])
		require.Equal(t, want, values)
	})
}

func BenchmarkSelectAt(b *testing.B) {
	values := make([]int64, 100_000)
	for i := range values {
		values[i] = int64(uint64(i) * 0x9e3779b97f4a7c15 >> 20)
	}
	scratch := make([]int64, len(values))
	for b.Loop() {
		copy(scratch, values)
		selectAt(scratch, 95_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(values)), "ns/value")
}
