package event

import "strings"

// DateOrder says what comes first in dates such as 03/01/2026, which can be read in two ways.
type DateOrder uint8

// The orders.
const (
	AnyOrder   DateOrder = iota // it is not known, and such dates are not read
	DayFirst                    // 31/12/2026
	MonthFirst                  // 12/31/2026
)

// ParseDateOrder reads dmy or mdy.
func ParseDateOrder(text string) (DateOrder, error) {
	switch text {
	case "dmy":
		return DayFirst, nil
	case "mdy":
		return MonthFirst, nil
	default:
		return AnyOrder, Errorf(CodeBadRequest, "date_order is %q", text).WithHint("it is dmy where the day comes first, as in 31/12/2026, or mdy for 12/31/2026")
	}
}

// YearFirst writes a date in the order, with slashes or hyphens and a year of four digits, as 2026-12-31, and what follows it as it stands. ok is false
// for any other text: the whole must be a day, or a time that WrittenTimestamp then reads.
func (o DateOrder) YearFirst(text string) (date string, ok bool) {
	text = strings.TrimSpace(text)
	first, rest, ok := shortNumber(text)
	if o == AnyOrder || !ok || rest == "" || rest[0] != '/' && rest[0] != '-' {
		return "", false
	}
	separator := rest[0]
	second, rest, ok := shortNumber(rest[1:])
	if !ok || len(rest) < len("/2026") || rest[0] != separator || strings.Trim(rest[1:5], "0123456789") != "" {
		return "", false
	}
	if o == DayFirst {
		first, second = second, first
	}
	date = rest[1:5] + "-" + twoPlaces(first) + "-" + twoPlaces(second)
	if rest = rest[5:]; rest != "" {
		date += " " + strings.TrimLeft(rest, ", ")
	}
	_, ok = WrittenTimestamp(date)
	return date, ok
}

// twoPlaces writes a number below 100 with two digits.
func twoPlaces(n int64) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }
