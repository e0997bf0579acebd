package event

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseInterval(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5 minutes":                            "00:05:00",
		"1 minute":                             "00:01:00",
		"1m":                                   "00:01:00",
		"1h":                                   "01:00:00",
		"1h30m":                                "01:30:00",
		"90":                                   "00:01:30",
		"-1.5":                                 "-00:00:01.5",
		"1 day 5":                              "1 day 00:00:05",
		"90 seconds":                           "00:01:30",
		"250 ms":                               "00:00:00.25",
		"10 microseconds":                      "00:00:00.00001",
		"10µs":                                 "00:00:00.00001",
		"1 day 02:00:00":                       "1 day 02:00:00",
		"1 day":                                "1 day",
		"3d 4h":                                "3 days 04:00:00",
		"2 weeks":                              "14 days",
		"1 mon":                                "1 mon",
		"14 months":                            "1 year 2 mons",
		"2 years":                              "2 years",
		"1 year 2 mons 3 days 04:05:06.5":      "1 year 2 mons 3 days 04:05:06.5",
		"1 year, 2 months":                     "1 year 2 mons",
		"1.5 hours":                            "01:30:00",
		"1.5 days":                             "1 day 12:00:00",
		"1.5 weeks":                            "10 days 12:00:00",
		"1.5 months":                           "1 mon 15 days",
		"1.5 years":                            "1 year 6 mons",
		".5 seconds":                           "00:00:00.5",
		"-1 day":                               "-1 days",
		"-02:00:00":                            "-02:00:00",
		"1 day -02:00:00":                      "1 day -02:00:00",
		"+1 day":                               "1 day",
		"3 hours ago":                          "-03:00:00",
		"@ 1 minute ago":                       "-00:01:00",
		"1-2":                                  "1 year 2 mons",
		"-1-2":                                 "-1 years -2 mons",
		"1-2 3 4:05:06":                        "1 year 2 mons 3 days 04:05:06",
		"3 4:05":                               "3 days 04:05:00",
		"02:30":                                "02:30:00",
		"100:00:00":                            "100:00:00",
		"00:00:00.0000019":                     "00:00:00.000001",
		"PT5M":                                 "00:05:00",
		"P1DT2H":                               "1 day 02:00:00",
		"P1Y2M3W4DT5H6M7.5S":                   "1 year 2 mons 25 days 05:06:07.5",
		"P2W":                                  "14 days",
		"0 seconds":                            "00:00:00",
		"  5   MINUTES  ":                      "00:05:00",
		"1 day 1 day":                          "2 days",
		"2147483647 days":                      "2147483647 days",
		"0.000001 seconds":                     "00:00:00.000001",
		"178956970 years 7 mons 2 days 1 hour": "178956970 years 7 mons 2 days 01:00:00",
	} {
		got, err := ParseInterval(text)
		require.NoError(t, err, text)
		require.Equal(t, want, FormatInterval(got), text)
	}
}

func TestParseIntervalRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "minutes", "five minutes", "5 fortnights", "12:", "12:60", "12:30:61", "1.5:30", "12:-30", "P", "PT",
		"P1", "P1H", "PT1D", "PT5MT5M", "- 1 day", "1 day ago ago", "5 mi", ":30", ".", "-", "2147483648 days", "2562048 hours",
		"99999999999999999999 days", "9223372036854775807 weeks", "178956971 years", "9223372036854775 us 807999 us", "2147483647 days 1 day",
	} {
		_, err := ParseInterval(text)
		var coded *Error
		require.ErrorAs(t, err, &coded, text)
		require.Equal(t, CodeInvalidValue, coded.Code, text)
	}
}

func TestParseIntervalReadsWhatIsFormatted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := arrow.MonthDayNanoInterval{
			Months:      rapid.Int32().Draw(t, "months"),
			Days:        rapid.Int32().Draw(t, "days"),
			Nanoseconds: rapid.Int64Range(-1<<52, 1<<52).Draw(t, "micros") * 1e3,
		}
		got, err := ParseInterval(FormatInterval(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func FuzzParseInterval(f *testing.F) {
	f.Add("1 day 02:00:00")
	f.Add("P1Y2M3W4DT5H6M7.5S")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseInterval(text)
		if err != nil {
			return
		}
		again, err := ParseInterval(FormatInterval(first))
		require.NoError(t, err)
		require.Equal(t, first, again)
	})
}
