package decode

import (
	"encoding/binary"

	"github.com/tidemarkdb/tidemark/event"
)

// clock reads times in the spelling that most have, 2006-01-02T15:04:05 with no, three or six digits of a fraction and a Z. Those that follow one
// another mostly share a date, which it takes apart once.
type clock struct {
	head, tail uint64 // the first and the last eight bytes of the date with the T behind it
	midnight   int64  // in microseconds since 1970
	known      bool
}

const (
	dateBytes  = len("2006-01-02T")
	clockBytes = len("15:04:05")
	// colons is what the bytes of a clock are compared with: digits become their values, colons zero.
	colons = '0' | '0'<<8 | ':'<<16 | '0'<<24 | '0'<<32 | ':'<<40 | '0'<<48 | '0'<<56
	// microsEnd and millisEnd are what stands behind the point, alike.
	microsEnd  = 0x303030303030 | 'Z'<<48
	microsMask = 1<<56 - 1
	millisEnd  = 0x303030 | 'Z'<<24
	millisMask = 1<<32 - 1
)

// read reads the time inside the string whose opening quote is at i, and gives the index behind the closing one; -1 where there is none, or it is
// spelled otherwise. canonical allows only what event.FormatTimestamp would give back.
func (c *clock) read(text []byte, i int, canonical bool) (micros int64, end int) {
	if text[i] != '"' {
		return 0, -1
	}
	micros, end = c.bare(text, i+1, canonical)
	if end < 0 || text[end] != '"' {
		return 0, -1
	}
	return micros, end + 1
}

// bare is read for a time without quotes, which ends with its Z. There is a byte behind that.
func (c *clock) bare(text []byte, i int, canonical bool) (micros int64, end int) {
	at := i + dateBytes + clockBytes
	if at+2+wordBytes > len(text) || !c.date(text[i:at]) {
		return 0, -1
	}
	digits := binary.LittleEndian.Uint64(text[at-clockBytes:]) ^ colons
	if (digits+(0x7f-9)*eachLow|digits)&eachHigh != 0 || digits&(0xff<<16|0xff<<40) != 0 {
		return 0, -1
	}
	hour, minute, second := pair(digits), pair(digits>>24), pair(digits>>48)
	if hour > 23 || minute > 59 || second > 59 {
		return 0, -1
	}
	micros = c.midnight + ((hour*60+minute)*60+second)*1e6
	if text[at] != '.' {
		if canonical || text[at] != 'Z' {
			return 0, -1
		}
		return micros, at + 1
	}
	fraction := binary.LittleEndian.Uint64(text[at+1:])
	if six := (fraction ^ microsEnd) & microsMask; six>>48 == 0 && (six+(0x7f-9)*eachLow|six)&eachHigh == 0 {
		return micros + int64(eightDigits(six<<16)), at + 1 + len("000000Z")
	}
	if three := (fraction ^ millisEnd) & millisMask; !canonical && three>>24 == 0 && (three+(0x7f-9)*eachLow|three)&eachHigh == 0 {
		return micros + int64(eightDigits(three<<40))*1000, at + 1 + len("000Z")
	}
	return 0, -1
}

// pair joins the digits in the two lowest bytes.
func pair(digits uint64) int64 { return int64(digits&0xf*10 + digits>>8&0xf) }

// date reports whether the text begins with a date and a T, and notes the date.
func (c *clock) date(text []byte) bool {
	head, tail := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[dateBytes-wordBytes:])
	if c.known && head == c.head && tail == c.tail {
		return true
	}
	if text[dateBytes-1] != 'T' || !isDigit(text[0]) || !isDigit(text[dateBytes-2]) {
		return false
	}
	midnight, ok := event.ParseTimestamp(unsafeText(text[:dateBytes-1]))
	if ok = ok && event.InCalendar(midnight); ok {
		*c = clock{head: head, tail: tail, midnight: midnight, known: true}
	}
	return ok
}
