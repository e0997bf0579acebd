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

// FromWall is the moment at which clocks in a zone show a time, given in microseconds as if they stood in UTC. Where they skip it, it is the
// moment an hour later by them; where they show it twice, the first.
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
	return FromWall(wall, zone), true
}
