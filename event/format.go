package event

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// timestampLayout is RFC 3339 in UTC with microseconds, always written out.
const timestampLayout = "2006-01-02T15:04:05.000000Z"

// FormatTimestamp renders microseconds since 1970 as RFC 3339 in UTC with six decimals.
func FormatTimestamp(micros int64) string {
	return time.UnixMicro(micros).UTC().Format(timestampLayout)
}

// AppendTimestamp appends what FormatTimestamp renders.
func AppendTimestamp(dst []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(dst, timestampLayout)
}

// AppendPlainTimestamp appends the form that a cast to TEXT gives, which PostgreSQL and DuckDB share for a time in UTC:
// 2026-03-01 09:20:30.5, without the zeros that would end the fraction.
func AppendPlainTimestamp(dst []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(dst, "2006-01-02 15:04:05.999999")
}

// FormatInterval renders an interval as PostgreSQL does: "1 year 2 mons 3 days 04:05:06.5"; "00:00:00" when zero.
func FormatInterval(v arrow.MonthDayNanoInterval) string {
	var parts []string
	unit := func(n int32, one, many string) {
		if n == 1 {
			parts = append(parts, "1 "+one)
		} else if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	unit(v.Months/12, "year", "years")
	unit(v.Months%12, "mon", "mons")
	unit(v.Days, "day", "days")
	if v.Nanoseconds != 0 || len(parts) == 0 {
		parts = append(parts, formatClock(v.Nanoseconds))
	}
	return strings.Join(parts, " ")
}

func formatClock(nanos int64) string {
	sign := ""
	n := uint64(nanos)
	if nanos < 0 {
		sign, n = "-", -n
	}
	seconds := n / 1e9
	out := fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
	if micros := n % 1e9 / 1e3; micros != 0 {
		out += "." + strings.TrimRight(fmt.Sprintf("%06d", micros), "0")
	}
	return out
}
