package exec

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestGreatestFindsTheNext compares with looking at one value after another.
func TestGreatestFindsTheNext(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SampledFrom([]int{1, 15, 16, 17, 256, 257, 5000}).Draw(t, "rows")
		few := rapid.Uint64Range(1, 1000).Draw(t, "one in")
		values, order := make([]uint64, rows), make([]int32, rows)
		for i := range values {
			order[i] = int32(rows - 1 - i)
			if state := rapid.Uint64().Draw(t, "value"); state%few == 0 {
				values[i] = 1 + state%3
			}
		}
		g := newGreatest(values, order)
		end := rapid.IntRange(0, rows).Draw(t, "end")
		from := rapid.IntRange(0, end).Draw(t, "from")
		least := rapid.Uint64Range(0, 4).Draw(t, "least")
		want := from
		for want < end && values[order[want]] < least {
			want++
		}
		require.Equal(t, want, g.next(from, end, least))
	})
}
