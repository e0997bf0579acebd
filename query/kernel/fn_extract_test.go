package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExtractBeforeChrist covers the years that no text form of a timestamp reaches.
func TestExtractBeforeChrist(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		year                   int64
		shown, century, decade float64
		millennium             float64
	}{
		{year: 1, shown: 1, century: 1, decade: 0, millennium: 1},
		{year: 0, shown: -1, century: -1, decade: 0, millennium: -1},
		{year: -1, shown: -2, century: -1, decade: -1, millennium: -1},
		{year: -99, shown: -100, century: -1, decade: -10, millennium: -1},
		{year: -100, shown: -101, century: -2, decade: -10, millennium: -1},
	} {
		at := dayNumber(test.year, 6, 1) * microsPerDay
		require.Equal(t, test.shown, extractions["year"](at), "year %d", test.year)
		require.Equal(t, test.century, extractions["century"](at), "year %d", test.year)
		require.Equal(t, test.decade, extractions["decade"](at), "year %d", test.year)
		require.Equal(t, test.millennium, extractions["millennium"](at), "year %d", test.year)
	}
}
