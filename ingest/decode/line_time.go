package decode

import (
	"bytes"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// lineHead is how much of a line is looked at for its time.
	lineHead = 256
	// timeWords is how many words the longest spelling of a time has: Sun Mar  1 09:00:00 AM +0000 2026.
	timeWords = 8
	// wordEnds end a word of a time that stands in a line.
	wordEnds = " \t|\"]"
)

// timeKeys stand before the time in lines that are made of keys and values.
var timeKeys = [][]byte{[]byte("time="), []byte("ts="), []byte("t="), []byte("timestamp=")}

// balancerWords stand before the time in the logs of AWS's application load balancers: what was asked in.
var balancerWords = [][]byte{[]byte("http "), []byte("https "), []byte("h2 "), []byte("grpc "), []byte("grpcs "), []byte("ws "), []byte("wss ")}

// LineTime reads the time that a line of a log begins with, in microseconds since 1970: a day with a time of day in any spelling that
// event.WrittenTimestamp knows, or a number of seconds or finer units since 1970 with as many digits as present-day times have. Before it there may be
// the priority that syslog writes, a bracket, a quote, a key such as time=, or a word for how a load balancer was asked. In lines that begin otherwise it is
// the time in the first brackets, as access logs have it. A time without a year is not read.
func LineTime(line []byte) (micros int64, ok bool) {
	line = line[:min(len(line), lineHead)]
	head := bytes.TrimLeft(withoutPriority(bytes.TrimLeft(line, " \t")), "[\"")
	for _, key := range timeKeys {
		if rest, found := bytes.CutPrefix(head, key); found {
			head = bytes.TrimPrefix(rest, []byte{'"'})
			break
		}
	}
	for _, word := range balancerWords {
		if rest, found := bytes.CutPrefix(head, word); found {
			head = rest
			break
		}
	}
	if micros, ok = leadingTime(head); ok {
		return micros, true
	}
	if at := bytes.Index(line, []byte(" [")); at >= 0 {
		return leadingTime(line[at+len(" ["):])
	}
	return 0, false
}

// withoutPriority takes off what syslog writes before a time: <34>, and the version of its protocol.
func withoutPriority(line []byte) []byte {
	inside, ok := bytes.CutPrefix(line, []byte{'<'})
	rest := bytes.TrimLeft(inside, "0123456789")
	if !ok || len(rest) == len(inside) || len(rest) == 0 || rest[0] != '>' {
		return line
	}
	return bytes.TrimPrefix(rest[1:], []byte("1 "))
}

// leadingTime reads the time that a text begins with: as many words as make one. A day without a time of day is none.
func leadingTime(text []byte) (micros int64, ok bool) {
	ends := make([]int, 0, timeWords)
	for at := 0; len(ends) < timeWords; at++ {
		length := bytes.IndexAny(text[at:], wordEnds)
		if length < 0 {
			ends = append(ends, len(text))
			break
		}
		at += length
		if ends = append(ends, at); text[at] == ']' {
			break
		}
	}
	for _, end := range slices.Backward(ends) {
		word := bytes.TrimRight(text[:end], ":;, \t")
		if bytes.IndexByte(word, ':') < 0 {
			continue
		}
		if micros, ok = parseTime(word); ok {
			return micros, event.InCalendar(micros)
		}
	}
	return parseEpoch(text[:ends[0]])
}
