package event

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseTimestampAgreesWithTimeParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, layout string }{
		{"1970-01-01T00:00:00Z", time.RFC3339},
		{"2026-11-22T14:12:09Z", time.RFC3339},
		{"2026-11-22t14:12:09z", "2006-01-02t15:04:05z"},
		{"2026-11-22T14:12:09.5Z", time.RFC3339},
		{"2026-11-22T14:12:09.123456Z", time.RFC3339},
		{"2026-11-22T14:12:09.123456789Z", time.RFC3339},
		{"2026-11-22T14:12:09+02:00", time.RFC3339},
		{"2026-11-22T14:12:09.25-09:30", time.RFC3339},
		{"1969-12-31T23:59:59.999999Z", time.RFC3339},
		{"1583-03-01T12:00:00Z", time.RFC3339},
		{"0000-01-01T00:00:00Z", time.RFC3339},
		{"0004-02-29T00:00:00Z", time.RFC3339},
		{"9999-12-31T23:59:59.999999Z", time.RFC3339},
		{"2000-02-29T00:00:00Z", time.RFC3339},
		{"2024-02-29", time.DateOnly},
		{"2026-11-22 14:12", "2006-01-02 15:04"},
		{"2026-11-22 14:12:09", time.DateTime},
		{"2026-11-22 14:12:09.007", "2006-01-02 15:04:05"},
		{"2026-11-22 14:12:09+00", "2006-01-02 15:04:05Z07"},
		{"2026-11-22 14:12:09.5-08", "2006-01-02 15:04:05Z07"},
		{"2026-11-22 14:12:09 +0530", "2006-01-02 15:04:05 Z0700"},
		{"2026-11-22 14:12:09+05:30:15", "2006-01-02 15:04:05Z07:00:00"},
		{" 2026-11-22T14:12:09Z ", " 2006-01-02T15:04:05Z "},
	} {
		want, err := time.Parse(c.layout, c.text)
		require.NoError(t, err)
		got, ok := ParseTimestamp(c.text)
		require.True(t, ok, c.text)
		require.Equal(t, want.UnixMicro(), got, c.text)
	}
}

func TestParseTimestampBeyondTimeParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-12-31T23:59:60Z":      "2027-01-01T00:00:00.000000Z",
		"2026-11-22 14:12:09 UTC":   "2026-11-22T14:12:09.000000Z",
		"2026-11-22 14:12:09.1 gmt": "2026-11-22T14:12:09.100000Z",
	} {
		got, ok := ParseTimestamp(text)
		require.True(t, ok, text)
		require.Equal(t, want, FormatTimestamp(got), text)
	}
}

func TestParseTimestampRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "now", "1700000000", "2026", "2026-11", "2026-1-2", "2026-13-01", "2026-00-10", "2026-02-29", "2100-02-29",
		"2026-04-31", "2026-11-22T", "2026-11-22T14", "2026-11-22T14:", "2026-11-22T24:00:00Z", "2026-11-22T14:60:00Z",
		"2026-11-22T14:12:61Z", "2026-11-22T14:12:09.Z", "2026-11-22T14:12:09,5Z", "2026-11-22T14:12:09Zulu",
		"2026-11-22T14:12:09+", "2026-11-22T14:12:09+2", "2026-11-22T14:12:09+24:00", "2026-11-22T14:12:09+02:60",
		"2026-11-22T14:12:09+02:00:00:00", "2026-11-22T14:12:09+02:", "2026-11-22x14:12:09", "2026/11/22", "２026-11-22",
		"2026-11-22T14:12:09 Europe/Paris", "12026-11-22T14:12:09Z",
	} {
		_, ok := ParseTimestamp(text)
		require.False(t, ok, text)
	}
}

func TestParseTimestampReadsWhatIsFormatted(t *testing.T) {
	t.Parallel()
	low, _ := ParseTimestamp("0000-01-01")
	high, _ := ParseTimestamp("9999-12-31T23:59:59.999999Z")
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(low, high).Draw(t, "micros")
		got, ok := ParseTimestamp(FormatTimestamp(want))
		require.True(t, ok)
		require.Equal(t, want, got)
	})
}

func TestParseTimestampAllocatesNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(10, func() { ParseTimestamp("2026-11-22T14:12:09.123456Z") }))
}

func FuzzParseTimestamp(f *testing.F) {
	f.Add("2026-11-22T14:12:09.123456Z")
	f.Add("2026-11-22 14:12:09+05:30")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseTimestamp(text)
		want, err := time.Parse(time.RFC3339Nano, text)
		if err == nil && ok { // time.Parse also takes a comma before the fraction and hours of one digit
			require.Equal(t, want.Truncate(time.Microsecond).UnixMicro(), got)
		}
	})
}
