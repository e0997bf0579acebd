package event

import "testing"

func TestLooseTimestamp(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-1-5":                  "2026-01-05T00:00:00.000000Z",
		" 2026-1-15 ":               "2026-01-15T00:00:00.000000Z",
		"2026-11-5 3:04":            "2026-11-05T03:04:00.000000Z",
		"2026-11-05T3:04:05.5+2:00": "",
		"2026-1-5T3:04:05.5+02:00":  "2026-01-05T01:04:05.500000Z",
		"2026-11-05 03:04:05Z":      "2026-11-05T03:04:05.000000Z",
		"2026-1":                    "", "2026-1-": "", "2026--5": "", "2026-1-5 ": "2026-01-05T00:00:00.000000Z", "2026-1-32": "",
		"2026/11/05": "2026-11-05T00:00:00.000000Z", "20261105": "2026-11-05T00:00:00.000000Z", "20261105T101112": "2026-11-05T10:11:12.000000Z",
		"2026-11-05 1:2:3": "2026-11-05T01:02:03.000000Z", "2026-11-05 1:02 PM": "2026-11-05T13:02:00.000000Z",
		"2026-11-05 12:30 am": "2026-11-05T00:30:00.000000Z", "2026-11-05 13:00 PM": "", "Epoch": "1970-01-01T00:00:00.000000Z",
		"26-1-5": "", "": "", "-": "", "2026-1-5 x": "", "2026-1-5x": "", "2026-001-5": "",
		"24:00:00": "", "2026-11-05 24:00:01": "", "2026-11-05x24:00": "", "2026-11-05 24:00 am": "",
	} {
		micros, ok := LooseTimestamp(text)
		if ok != (want != "") || ok && FormatTimestamp(micros) != want {
			t.Errorf("%q is read as %s, %v; want %q", text, FormatTimestamp(micros), ok, want)
		}
		days, ok := LooseDate(text)
		if ok != (want != "") || ok && FormatDate(days) != FormatDate(DateOf(micros)) {
			t.Errorf("the day of %q is read as %s, %v", text, FormatDate(days), ok)
		}
	}
}

func TestTheEndOfADayIsTheNextMidnight(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-11-05 24:00:00": "2026-11-06T00:00:00.000000Z", "2026-12-31T24:00": "2027-01-01T00:00:00.000000Z",
		"2026-1-5 24:00:00.000+02": "2026-01-05T22:00:00.000000Z", " 2026-02-28 24:00Z": "2026-03-01T00:00:00.000000Z",
	} {
		micros, ok := LooseTimestamp(text)
		if !ok || FormatTimestamp(micros) != want {
			t.Errorf("%q is read as %s, %v; want %q", text, FormatTimestamp(micros), ok, want)
		}
	}
	if days, ok := LooseDate("2026-11-05 24:00"); !ok || FormatDate(days) != "2026-11-05" {
		t.Errorf("the day that ends is %s, %v", FormatDate(days), ok)
	}
}
