package event

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWrittenTimestamp(t *testing.T) {
	t.Parallel()
	const nine = "2026-03-01T09:00:00.000000Z"
	for text, want := range map[string]string{
		"2026-03-01T09:00:00Z":                                   nine,
		"2026-03-01 09:00":                                       nine,
		"2026-03-01 09:00:00,123":                                "2026-03-01T09:00:00.123000Z", // Python's logging
		"2026-03-01T09:00:00,123456789+01:00":                    "2026-03-01T08:00:00.123456Z",
		"2026/03/01 09:00:00":                                    nine, // Go's log, nginx's errors
		"2026/3/1 9:00":                                          nine,
		"2026/03/01":                                             "2026-03-01T00:00:00.000000Z",
		"2026-3-1 9:00:00 AM":                                    nine,
		"2026.03.01 09:00:00":                                    nine,
		"20260301T090000Z":                                       nine,
		"20260301T090000.5+0100":                                 "2026-03-01T08:00:00.500000Z",
		"20260301090000":                                         nine,
		"01/Mar/2026:09:00:00 +0000":                             nine, // Apache
		"01/Mar/2026:10:00:00 +0100":                             nine,
		"01-Mar-2026 09:00:00":                                   nine,
		"1-mar-2026":                                             "2026-03-01T00:00:00.000000Z",
		"01.03.2026 09:00":                                       nine,
		"1.3.2026 9:00:00.25":                                    "2026-03-01T09:00:00.250000Z",
		"Sun, 01 Mar 2026 09:00:00 GMT":                          nine, // mail and HTTP
		"Sun, 1 Mar 2026 10:00:00 +0100":                         nine,
		"1 March 2026 09:00":                                     nine,
		"Sunday, 01-Mar-2026 09:00:00 UTC":                       nine,
		"Sun Mar  1 09:00:00 2026":                               nine, // C
		"Sun Mar  1 09:00:00 UTC 2026":                           nine, // date, Java
		"Sun Mar 01 11:00:00 +0200 2026":                         nine,
		"Mar 1, 2026 9:00:00 AM":                                 nine,
		"Mar 1, 2026, 9:00:00 PM":                                "2026-03-01T21:00:00.000000Z",
		"March 1, 2026":                                          "2026-03-01T00:00:00.000000Z",
		"Jan 1 2000":                                             "2000-01-01T00:00:00.000000Z",
		"Sept 30 2026 12:00 AM":                                  "2026-09-30T00:00:00.000000Z",
		"2026-03-01 12:30PM":                                     "2026-03-01T12:30:00.000000Z",
		"2026-03-01 09:00:00.5 +0000 UTC":                        "2026-03-01T09:00:00.500000Z", // Go
		"2026-03-01 10:00:00 +0100 CET":                          nine,
		"2026-03-01 10:00:00 +0100 +0100":                        nine,
		"2026-03-01 09:00:00.123456789 +0000 UTC m=+0.000012345": "2026-03-01T09:00:00.123456Z",
		"2026-03-01T10:00:00+01:00[Europe/Berlin]":               nine, // Java
		"2026-03-01T09:00Z[UTC]":                                 nine,
		"2026-03-01T09:00[UTC]":                                  nine,
		"/Date(1772355600000)/":                                  nine,
		"/Date(-1000+0200)/":                                     "1969-12-31T23:59:59.000000Z",
		// Of these a part is missing, or may be read in two ways.
		"03/01/2026": "", "3/1/2026 9:00 AM": "", "31/12/2026": "", "01-03-2026": "", "12-31-2026 10:00": "",
		"Mar  1 09:00:00": "", "Mar 2026": "", "09:00:00": "", "Sun": "", "2026": "", "1 Mar 26": "",
		"2026-03-01T10:00:00[Europe/Berlin]": "", "2026-03-01 09:00:00 CET": "", "2026-03-01 09:00:00 America/New_York": "",
		"2026-W09-7": "", "2026-02-30": "", "20260230": "", "2026-03-01 25:00": "", "2026-03-01 13:00 PM": "", "2026-03-01 0:30 AM": "",
		"2026-03-01 09:00 10:00": "", "2026-03-01 2026-03-01": "", "1 Mar 1 2026": "", "Mar Mar 1 2026": "", "UTC 2026-03-01 09:00": "",
		"2026-03-01 +0100": "", "2026-03-01 09:00 +0100 +0200": "", "2026-03-01 09:00 UTC UTC": "", "AM 2026-03-01": "",
		"/Date(x)/": "", "/Date(1772355600000)": "", "/Date()/": "", "2026-03-01 noon": "", "yesterday, 9:00": "", "12345678901": "",
		"/Date(1+2)/": "", "1.2.3.2026": "", "10.20.30.40": "", "192.168.2026.1": "",
	} {
		micros, ok := WrittenTimestamp(text)
		if got := FormatTimestamp(micros); ok != (want != "") || ok && got != want {
			t.Errorf("%q is read as %s, %v; want %q", text, got, ok, want)
		}
	}
}

func TestAmbiguousDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"03/01/2026": true, "3/1/26 9:00": true, "31/12/2026": true, "12-31-2026": true, "32/1/2026": false, "13/14/2026": false, "0/1/2026": false,
		"2026/03/01": false, "1/Mar/2026": false, "1/2": false, "1/2/": true, "": false, "/": false, "3.1.2026": false,
	} {
		if got := AmbiguousDate(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestWrittenTimestampReadsWhatProgramsWrite draws times and layouts.
func TestWrittenTimestampReadsWhatProgramsWrite(t *testing.T) {
	t.Parallel()
	layouts := []string{
		time.ANSIC, time.UnixDate, time.RubyDate, time.RFC850, time.RFC1123, time.RFC1123Z, time.RFC3339, time.DateTime, "02/Jan/2006:15:04:05 -0700",
		"2006/01/02 15:04:05", "20060102T150405Z0700", "2.1.2006 15:04:05", "Jan _2, 2006 3:04:05 PM", "2006-01-02 15:04:05 -0700 MST",
		"Monday, 2 January 2006 15:04:05",
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4_102_444_799).Draw(t, "seconds"), 0).UTC()
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		text := at.Format(layout)
		micros, ok := WrittenTimestamp(text)
		if layout == time.RFC850 { // it has a year of two digits
			if ok {
				t.Fatalf("%q is read as %s", text, FormatTimestamp(micros))
			}
			return
		}
		if !ok || micros != at.UnixMicro() {
			t.Fatalf("%q is read as %s, %v", text, FormatTimestamp(micros), ok)
		}
	})
	rapid.Check(t, func(t *rapid.T) { // no text is too odd
		text := rapid.StringMatching(`([0-9]{1,4}|[/:.,+\-T ]|Mar|AM|UTC|\[Z\]|Sun){0,14}`).Draw(t, "text")
		if micros, ok := WrittenTimestamp(text); ok && (micros < -62_135_596_800_000_000-86_400_000_000 || micros > 253_402_300_800_000_000+86_400_000_000) {
			t.Fatal(fmt.Sprint(text, micros))
		}
	})
}
