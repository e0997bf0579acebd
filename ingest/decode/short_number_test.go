package decode

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestShortNumbersAreTheNearest holds what is read of a number of few digits to what the standard library reads of it.
func TestShortNumbersAreTheNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`-?[0-9]{1,9}(\.[0-9]{0,9})?`), rapid.StringMatching(`-?[0-9]*\.?[0-9]*`), rapid.StringMatching(`[-+0-9.eE]{0,8}`),
			rapid.Map(rapid.Float64(), func(v float64) string { return fmt.Sprint(v) }),
		).Draw(t, "text")
		v, whole, ok := ParseShortNumber([]byte(text))
		if !ok {
			return
		}
		want, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(want), math.Float64bits(v), text)
		_, err = strconv.ParseInt(text, 10, 64)
		require.Equal(t, whole, err == nil, text)
	})
	for _, text := range []string{"0", "-0", "12", "-1.5", "999999999999999", "0.00000000000001"} {
		_, _, ok := ParseShortNumber([]byte(text))
		require.True(t, ok, text)
	}
	for _, text := range []string{"", "-", ".", ".5", "5.", "1.2.3", "1e5", "+1", "9999999999999999", "NaN"} {
		_, _, ok := ParseShortNumber([]byte(text))
		require.False(t, ok, text)
	}
}
