package linebody

import (
	"bytes"
	"regexp"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// lookedAt is how many lines are looked at.
	lookedAt = 5
	// longLine is how much of a line is looked at.
	longLine = 512
)

// otherHeads are how lines of logs begin that have no time which could be read: syslog's, of which the year is missing, and events of CEF and LEEF and of the
// audit log of Linux.
var otherHeads = regexp.MustCompile(
	`^(<\d{1,3}>|(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d |CEF:\d|LEEF:\d|type=\w+ msg=audit\()`)

// numberHead is how lines begin that may as well be rows of numbers.
var numberHead = regexp.MustCompile(`^\d{10}`)

// LooksLike reports whether a body that begins so is lines of a log: text whose first line has the time of day of a day at its head, and no JSON behind it.
func LooksLike(begin []byte) bool {
	looked := 0
	for len(begin) > 0 && looked < lookedAt {
		var line []byte
		line, begin, _ = bytes.Cut(begin, []byte{'\n'})
		if line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff"))); len(line) == 0 {
			continue
		}
		if line[0] == '{' || looked == 0 && !isLog(line[:min(len(line), longLine)]) {
			return false
		}
		looked++
	}
	return looked > 0
}

// isLog says so of one line.
func isLog(line []byte) bool {
	if otherHeads.Match(line) {
		return true
	}
	_, ok := decode.LineTime(line)
	return ok && !numberHead.Match(line) && bytes.ContainsAny(line, " \t")
}
