package event

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDateOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, day, month string }{
		{"03/01/2026", "2026-01-03", "2026-03-01"},
		{"3/1/2026", "2026-01-03", "2026-03-01"},
		{" 31-12-2026 ", "2026-12-31", ""},
		{"12/31/2026", "", "2026-12-31"},
		{"03/01/2026 09:05", "2026-01-03 09:05", "2026-03-01 09:05"},
		{"03/01/2026 9:05:00.25 PM", "2026-01-03 9:05:00.25 PM", "2026-03-01 9:05:00.25 PM"},
		{"3/1/2026, 9:05:00 PM", "2026-01-03 9:05:00 PM", "2026-03-01 9:05:00 PM"},
		{"29/02/2026", "", ""},
		{"03/01/26", "", ""},
		{"03/01-2026", "", ""},
		{"03.01.2026", "", ""},
		{"03/01/2026 was a day", "", ""},
		{"2026/03/01", "", ""},
		{"1/2", "", ""},
		{"", "", ""},
	} {
		for order, want := range map[DateOrder]string{DayFirst: c.day, MonthFirst: c.month, AnyOrder: ""} {
			got, ok := order.YearFirst(c.text)
			require.Equal(t, want != "", ok, "%s %d", c.text, order)
			if ok {
				require.Equal(t, want, got, c.text)
			}
		}
	}
	_, err := ParseDateOrder("ymd")
	require.ErrorContains(t, err, "date_order is \"ymd\"")
}

// TestDatesInBothOrders writes a day in both orders, and reads it back.
func TestDatesInBothOrders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := FormatTimestamp(rapid.Int64Range(0, 4_000_000_000).Draw(t, "seconds") * microsPerSecond)[:len("2026-12-31")]
		year, month, of := day[:4], day[5:7], day[8:]
		for order, text := range map[DateOrder]string{DayFirst: of + "/" + month + "/" + year, MonthFirst: month + "/" + of + "/" + year} {
			got, ok := order.YearFirst(text)
			require.True(t, ok)
			require.Equal(t, day, got)
		}
	})
}
