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
func FormatTimestamp(micros int64) string { return string(AppendTimestamp(nil, micros)) }

// AppendTimestamp appends what FormatTimestamp renders.
func AppendTimestamp(dst []byte, micros int64) []byte {
	days := int64(DateOf(micros))
	if days < EarliestDay || days > LatestDay {
		if infinite := infinityText(micros); infinite != "" {
			return append(dst, infinite...)
		}
		return time.UnixMicro(micros).UTC().AppendFormat(dst, timestampLayout)
	}
	year, month, day := civil(days)
	rest := uint64(micros - days*microsPerDay)
	seconds := rest / 1e6
	dst = append(appendDigits(dst, uint64(year), 4), '-')
	dst = append(appendDigits(dst, uint64(month), 2), '-')
	dst = append(appendDigits(dst, uint64(day), 2), 'T')
	dst = append(appendDigits(dst, seconds/3600, 2), ':')
	dst = append(appendDigits(dst, seconds/60%60, 2), ':')
	dst = append(appendDigits(dst, seconds%60, 2), '.')
	return append(appendDigits(dst, rest%1e6, 6), 'Z')
}

// The days and the times of the years 1 to 9999, counted in days and in microseconds since 1970: those that rows may have.
const (
	EarliestDay  = -719_162
	LatestDay    = 2_932_896
	EarliestTime = EarliestDay * microsPerDay
	LatestTime   = (LatestDay+1)*microsPerDay - 1
)

// InCalendar reports whether a time is one of the years 1 to 9999.
func InCalendar(micros int64) bool { return EarliestTime <= micros && micros <= LatestTime }

// civil is the date of a day counted since 1970-01-01, by the proleptic Gregorian calendar. Years are counted from March, in eras of 400
// years, which have as many days each. The method is Howard Hinnant's (chrono-Compatible Low-Level Date Algorithms, 2013).
func civil(days int64) (year, month, day int64) {
	const perEra, toEraStart = 146_097, 719_468 // from 0000-03-01 to 1970-01-01
	days += toEraStart                          // not negative for the years that it is asked for
	era, ofEra := days/perEra, days%perEra
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36_524 - ofEra/146_096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*ofYear + 2) / 153 // 0 is March
	year, month, day = era*400+yearOfEra, shifted+3, ofYear-(153*shifted+2)/5+1
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

// appendDigits appends the last n digits of a number.
func appendDigits(dst []byte, v uint64, n int) []byte {
	start := len(dst)
	dst = append(dst, "000000"[:n]...)
	for at := start + n - 1; v > 0 && at >= start; at-- {
		dst[at] = '0' + byte(v%10)
		v /= 10
	}
	return dst
}

// AppendPlainTimestamp appends the form that a cast of a TIMESTAMP to TEXT gives, which PostgreSQL and DuckDB share:
// 2026-03-01 09:20:30.5, without the zeros that would end the fraction.
func AppendPlainTimestamp(dst []byte, micros int64) []byte {
	if infinite := infinityText(micros); infinite != "" {
		return append(dst, infinite...)
	}
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
