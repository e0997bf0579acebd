package event

import (
	"strings"
	"time"
	_ "time/tzdata" // the zones are those of the program, also where the system has none
)

// LoadZone finds a time zone by its name in the IANA database, in letters of any case: Europe/Berlin, UTC, america/new_york.
func LoadZone(name string) (*time.Location, bool) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, false
	}
	for _, spelling := range []string{name, strings.ToUpper(name), zoneCase(name)} {
		if location, err := time.LoadLocation(spelling); err == nil {
			return location, true
		}
	}
	return nil, false
}

// zoneCase writes each word of a zone's name with a capital, as nearly all of them are.
func zoneCase(name string) string {
	out := []byte(strings.ToLower(name))
	for i, c := range out {
		if 'a' <= c && c <= 'z' && (i == 0 || out[i-1] == '/' || out[i-1] == '_' || out[i-1] == '-') {
			out[i] -= 'a' - 'A'
		}
	}
	return string(out)
}

// Moment is the moment at which clocks in a zone show a time, given in microseconds as if they stood in UTC. Where they skip it, it is the
// moment at which they would have shown it had they not been set; where they show it twice, the second. PostgreSQL has it so.
func Moment(wall int64, zone *time.Location) int64 {
	const day = 24 * 60 * 60 * 1_000_000 // no zone is so far from UTC
	before, after := wallOffset(wall-day, zone), wallOffset(wall+day, zone)
	if before == after {
		return FromWall(wall, zone)
	}
	first, second := wall-before, wall-after
	shownFirst, shownSecond := wallOffset(first, zone) == before, wallOffset(second, zone) == after
	switch {
	case shownFirst && !shownSecond:
		return first
	case shownSecond && !shownFirst:
		return second
	default:
		return max(first, second)
	}
}

// wallOffset is by how many microseconds clocks in a zone are ahead of UTC at a moment.
func wallOffset(micros int64, zone *time.Location) int64 {
	_, seconds := time.UnixMicro(micros).In(zone).Zone()
	return int64(seconds) * 1_000_000
}

// FromWall is a moment at which clocks in a zone show a time, given in microseconds as if they stood in UTC: the first of two, so that the
// start of a span of time is not behind what lies in it.
func FromWall(wall int64, zone *time.Location) int64 {
	t := time.UnixMicro(wall).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).UnixMicro()
}

// zonedTimestamp reads a time with the name of a zone behind it.
func zonedTimestamp(text string) (micros int64, ok bool) {
	s := strings.TrimSpace(text)
	at := strings.LastIndexByte(s, ' ')
	if at < 0 {
		return 0, false
	}
	name := s[at+1:]
	if strings.IndexFunc(name, func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }) != 0 {
		return 0, false
	}
	zone, ok := LoadZone(name)
	if !ok {
		return 0, false
	}
	wall, ok := LooseTimestamp(s[:at])
	if !ok || infinityText(wall) != "" {
		return 0, false
	}
	return Moment(wall, zone), true
}
