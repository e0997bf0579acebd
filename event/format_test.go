package event

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTimestampsAreWrittenAsTheStandardLibraryWould compares all microseconds with package time, most of all where days, months and years change.
func TestTimestampsAreWrittenAsTheStandardLibraryWould(t *testing.T) {
	t.Parallel()
	check := func(micros int64) {
		if got, want := FormatTimestamp(micros), time.UnixMicro(micros).UTC().Format(timestampLayout); got != want {
			t.Fatalf("%d is %s, not %s", micros, got, want)
		}
	}
	for day := time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 10_002; day = day.AddDate(0, 0, 1) {
		if y := day.Year(); y > 3 && y < 1890 && y%100 > 1 || y > 2110 && y < 9990 && y%100 > 1 {
			day = day.AddDate(0, 0, 27) // leave most of history out
		}
		check(day.UnixMicro() - 1)
		check(day.UnixMicro())
		check(day.UnixMicro() + 43_199_999_999)
	}
	rapid.Check(t, func(rt *rapid.T) {
		micros := rapid.Int64Range(math.MinInt64+1, math.MaxInt64-1).Draw(rt, "micros")
		if got, want := FormatTimestamp(micros), time.UnixMicro(micros).UTC().Format(timestampLayout); got != want {
			rt.Fatalf("%d is %s, not %s", micros, got, want)
		}
	})
	check(math.MinInt64 + 1)
	check(math.MaxInt64 - 1)
}

// TestStringsAreEscapedWhereTheyMustBe reads back, by the standard library, texts with what is special at every place in a word of memory.
func TestStringsAreEscapedWhereTheyMustBe(t *testing.T) {
	t.Parallel()
	special := []string{"\"", "\\", "\x00", "\x1f", " ", "!", "#", "[", "]", "\x7f", "é", "😀", "\u2028", "\x80", "\xff"}
	for length := range 20 {
		for at := range length + 1 {
			for _, s := range special {
				text := strings.Repeat("a", at) + s + strings.Repeat("b", length-at)
				var got string
				require.NoError(t, json.Unmarshal(AppendJSONString(nil, text), &got), "%q", text)
				require.Equal(t, strings.ToValidUTF8(text, "\ufffd"), got)
			}
		}
	}
	require.Equal(t, `"a\u0000\t\"é"`, string(AppendJSONString(nil, "a\x00\t\"é")))
}
