package segments

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTextSumsAreBounds holds sums to texts of known lengths: a range has no more than it is said to have, and that is what the stretches have that
// it reaches into, also after earlier rows were forgotten.
func TestTextSumsAreBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.Uint32Range(0, 1000), 1, 500).Draw(t, "lengths")
		var sums textSums
		known, first := 0, 0
		for known < len(lengths) {
			more := rapid.IntRange(1, len(lengths)-known).Draw(t, "more")
			sums.add(lengths[known : known+more])
			known += more
			first = rapid.IntRange(first, known-1).Draw(t, "forget before")
			sums.forget(first)
			from := rapid.IntRange(first, known-1).Draw(t, "from")
			to := rapid.IntRange(from+1, known).Draw(t, "to")
			want := 0
			for row := from / stretchRows * stretchRows; row < min(known, (to+stretchRows-1)/stretchRows*stretchRows); row++ {
				want += int(lengths[row])
			}
			require.Equal(t, want, sums.between(from, to))
		}
	})
}
