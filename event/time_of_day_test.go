package event

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParseTimeOfDay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"09:20": "09:20:00", " 9:20:30.5000 ": "09:20:30.5", "00:00:00.000001": "00:00:00.000001", "24:00": "24:00:00",
		"24:00:00.000": "24:00:00", "2026-03-01T09:20:30Z": "09:20:30", "1969-12-31 23:59:59": "23:59:59",
		"1:2": "01:02:00", "1:2:3.5": "01:02:03.5", "04:05 PM": "16:05:00", "12:30am": "00:30:00", "12:00 pm": "12:00:00",
	} {
		micros, ok := ParseTimeOfDay(text)
		if got := FormatTimeOfDay(micros); !ok || got != want {
			t.Errorf("%q is read as %q, %v; want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "9", "24:00:01", "25:00", "12:60", "23:59:60", "12:00:00 noon", "24:00x", "::", "1:2:", "13:00 PM", "0:30 AM"} {
		if micros, ok := ParseTimeOfDay(text); ok {
			t.Errorf("%q is read as %s", text, FormatTimeOfDay(micros))
		}
	}
}

func TestTimeOfDayRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(0, microsPerDay).Draw(t, "micros")
		if back, ok := ParseTimeOfDay(FormatTimeOfDay(micros)); !ok || back != micros {
			t.Fatalf("%d is read back as %d, %v", micros, back, ok)
		}
	})
}
