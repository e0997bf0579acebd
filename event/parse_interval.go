package event

import (
	"math"
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

const (
	nanosPerSecond = 1_000_000_000
	fractionScale  = 1_000_000_000 // fractions are kept as billionths
)

// intervalUnit is a unit in the one field of an interval that it counts in; the others are 0.
type intervalUnit struct {
	months, days, nanos int64
}

var intervalUnits = map[string]intervalUnit{
	"microsecond": {nanos: 1e3}, "us": {nanos: 1e3}, "µs": {nanos: 1e3}, "usec": {nanos: 1e3},
	"millisecond": {nanos: 1e6}, "ms": {nanos: 1e6}, "msec": {nanos: 1e6},
	"second": {nanos: nanosPerSecond}, "sec": {nanos: nanosPerSecond}, "s": {nanos: nanosPerSecond},
	"minute": {nanos: 60 * nanosPerSecond}, "min": {nanos: 60 * nanosPerSecond}, "m": {nanos: 60 * nanosPerSecond},
	"hour": {nanos: 3600 * nanosPerSecond}, "hr": {nanos: 3600 * nanosPerSecond}, "h": {nanos: 3600 * nanosPerSecond},
	"day": {days: 1}, "d": {days: 1},
	"week": {days: 7}, "w": {days: 7},
	"month": {months: 1}, "mon": {months: 1},
	"millennium": {months: 12000}, "millennia": {months: 12000}, "century": {months: 1200}, "centuries": {months: 1200},
	"decade": {months: 120}, "year": {months: 12}, "yr": {months: 12}, "y": {months: 12},
}

// ParseInterval reads an interval: numbers with units ("5 minutes", "1h30m", "1.5 days"), a clock ("02:00:00.5"), both ("1 day
// 02:00:00"), a number alone at the end, which counts seconds, ISO 8601 ("P1DT2H"), or the SQL standard's "1-2" and "3 4:05:06" for years,
// months and days. Parts may be signed, and a final "ago" negates the whole. A fraction of a day, week, month or year goes to the smaller
// fields with 30 days to the month and 24 hours to the day. Parts of a microsecond are cut off. The error is an *Error with
// CodeInvalidValue.
func ParseInterval(text string) (arrow.MonthDayNanoInterval, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	p := intervalParser{}
	body, ago := strings.CutSuffix(strings.TrimPrefix(s, "@ "), " ago") // PostgreSQL writes the @ in one of its styles
	var ok bool
	if strings.HasPrefix(body, "p") {
		ok = p.iso(body[1:])
	} else {
		ok = p.parts(body)
	}
	if ago {
		p.months, p.days, p.nanos = -p.months, -p.days, -p.nanos
	}
	switch {
	case p.overflow || p.months != int64(int32(p.months)) || p.days != int64(int32(p.days)):
		return arrow.MonthDayNanoInterval{}, Errorf(CodeInvalidValue, "interval %q is out of range", text)
	case !ok:
		return arrow.MonthDayNanoInterval{}, Errorf(CodeInvalidValue, "%q is not an interval", text).
			WithHint("write it as '5 minutes', '1 day 02:00:00' or '1h30m'")
	}
	nanos := p.nanos - p.nanos%1e3
	return arrow.MonthDayNanoInterval{Months: int32(p.months), Days: int32(p.days), Nanoseconds: nanos}, nil
}

type intervalParser struct {
	months, days, nanos int64
	overflow            bool
}

// quantity is a decimal number: sign * (whole + fraction/fractionScale).
type quantity struct {
	negative        bool
	whole, fraction int64
}

// parts reads numbers with units and clocks until the text ends.
func (p *intervalParser) parts(s string) bool {
	if s == "" {
		return false
	}
	for s != "" {
		q, rest, ok := p.number(s)
		if !ok {
			return false
		}
		if strings.HasPrefix(rest, ":") {
			if rest, ok = p.clock(q, rest[1:]); !ok {
				return false
			}
			s = strings.TrimLeft(rest, " ")
			continue
		}
		if after, ok := p.standard(q, rest); ok {
			s = strings.TrimLeft(after, " ")
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		n := 0
		for n < len(rest) && (rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= 0x80) {
			n++
		}
		unit, ok := lookUpUnit(rest[:n])
		if rest == "" {
			unit, ok = intervalUnits["second"], true
		}
		if !ok {
			return false
		}
		p.add(q, unit)
		s = strings.TrimLeft(rest[n:], " ,")
	}
	return true
}

// standard reads the rest of the SQL standard's forms: 1-2 is a year and two months, and 1 before a clock, as in 1 2:03:04, a day.
func (p *intervalParser) standard(q quantity, rest string) (after string, ok bool) {
	if q.fraction != 0 || rest == "" {
		return "", false
	}
	next, after, ok := p.number(rest[1:])
	switch {
	case !ok || next.negative || next.fraction != 0:
		return "", false
	case rest[0] == '-' && next.whole < 12 && (after == "" || after[0] == ' '):
		next.negative = q.negative
		p.add(q, intervalUnit{months: 12})
		p.add(next, intervalUnit{months: 1})
		return after, true
	case rest[0] == ' ' && strings.HasPrefix(after, ":"):
		p.add(q, intervalUnit{days: 1})
		return rest[1:], true
	}
	return "", false
}

func lookUpUnit(name string) (intervalUnit, bool) {
	unit, ok := intervalUnits[name]
	if !ok && len(name) > 2 {
		unit, ok = intervalUnits[strings.TrimSuffix(name, "s")]
	}
	return unit, ok
}

// iso reads what follows the P of an ISO 8601 duration.
func (p *intervalParser) iso(s string) bool {
	date := map[byte]intervalUnit{'y': {months: 12}, 'm': {months: 1}, 'w': {days: 7}, 'd': {days: 1}}
	clock := map[byte]intervalUnit{'h': {nanos: 3600 * nanosPerSecond}, 'm': {nanos: 60 * nanosPerSecond}, 's': {nanos: nanosPerSecond}}
	units, found := date, false
	for s != "" {
		if s[0] == 't' && len(s) > 1 && len(units) == len(date) {
			units, s = clock, s[1:]
			continue
		}
		q, rest, ok := p.number(s)
		if !ok || rest == "" {
			return false
		}
		unit, ok := units[rest[0]]
		if !ok {
			return false
		}
		p.add(q, unit)
		s, found = rest[1:], true
	}
	return found
}

// number reads an optionally signed decimal number. Digits beyond the ninth decimal are cut off.
func (p *intervalParser) number(s string) (q quantity, rest string, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		q.negative = s[i] == '-'
		i++
	}
	start := i
	for ; i < len(s) && isDigit(s[i]); i++ {
		if q.whole > (math.MaxInt64-9)/10 {
			p.overflow = true
			return q, "", false
		}
		q.whole = q.whole*10 + int64(s[i]-'0')
	}
	digits := i - start
	if i < len(s) && s[i] == '.' {
		scale := int64(fractionScale / 10)
		for i++; i < len(s) && isDigit(s[i]); i++ {
			q.fraction += int64(s[i]-'0') * scale
			scale /= 10
			digits++
		}
	}
	return q, s[i:], digits > 0
}

// clock reads MM[:SS[.fraction]] after the hours, whose sign goes for all of it.
func (p *intervalParser) clock(hours quantity, s string) (rest string, ok bool) {
	minutes, s, ok := p.number(s)
	if !ok || hours.fraction != 0 || minutes.negative || minutes.fraction != 0 || minutes.whole > 59 {
		return "", false
	}
	minutes.negative = hours.negative
	p.add(hours, intervalUnit{nanos: 3600 * nanosPerSecond})
	p.add(minutes, intervalUnit{nanos: 60 * nanosPerSecond})
	if !strings.HasPrefix(s, ":") {
		return s, true
	}
	seconds, s, ok := p.number(s[1:])
	if !ok || seconds.negative || seconds.whole > 60 {
		return "", false
	}
	seconds.negative = hours.negative
	p.add(seconds, intervalUnit{nanos: nanosPerSecond})
	return s, true
}

// add adds q units, handing fractions down from months to days to nanoseconds.
func (p *intervalParser) add(q quantity, unit intervalUnit) {
	sign := int64(1)
	if q.negative {
		sign = -1
	}
	switch {
	case unit.months == 1:
		days := q.fraction * 30
		p.accumulate(&p.days, sign, days/fractionScale, 1)
		p.accumulate(&p.nanos, sign, days%fractionScale, secondsPerDay)
	case unit.months > 1:
		p.accumulate(&p.months, sign, q.fraction*unit.months/fractionScale, 1)
	case unit.days > 0:
		days := q.fraction * unit.days
		p.accumulate(&p.days, sign, days/fractionScale, 1)
		p.accumulate(&p.nanos, sign, days%fractionScale, secondsPerDay)
	default:
		high, low := bits.Mul64(uint64(q.fraction), uint64(unit.nanos))
		part, _ := bits.Div64(high, low, fractionScale)
		p.accumulate(&p.nanos, sign, int64(part), 1)
	}
	p.accumulate(&p.months, sign, q.whole, unit.months)
	p.accumulate(&p.days, sign, q.whole, unit.days)
	p.accumulate(&p.nanos, sign, q.whole, unit.nanos)
}

// accumulate adds sign*count*size to a field and notes when that does not fit; count and size are not negative.
func (p *intervalParser) accumulate(field *int64, sign, count, size int64) {
	high, low := bits.Mul64(uint64(count), uint64(size))
	if high != 0 || low > math.MaxInt64 {
		p.overflow = true
		return
	}
	delta := sign * int64(low)
	sum := *field + delta
	if (sum > *field) != (delta > 0) && delta != 0 {
		p.overflow = true
		return
	}
	*field = sum
}
