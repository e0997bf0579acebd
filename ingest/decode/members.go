package decode

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
)

// member is one field of a row.
type member struct {
	name  string
	value []byte
	// replaced marks a member that a later one of the same name overrides.
	replaced bool
}

// memberReader takes rows apart without a schema.
type memberReader struct {
	scanner
	list    []member
	seen    map[string]*sighting
	scratch []byte
	rows    int
	// unreadable is set where the row is no object that can be read, whatever the names and values in it.
	unreadable bool
}

// sighting is where a name was last seen.
type sighting struct {
	name string
	row  int
	at   int // index in list
}

// read gives the row's members in order, or the reason why it is no acceptable row. The list is good until the next call.
func (r *memberReader) read(row []byte) ([]member, string) {
	if r.unreadable = len(row) > MaxRowBytes; r.unreadable {
		return nil, fmt.Sprintf("the row has %d bytes, more than the %d allowed", len(row), MaxRowBytes)
	}
	if r.seen == nil {
		r.seen = make(map[string]*sighting)
	}
	r.text, r.list, r.fault = row, r.list[:0], fault{}
	r.rows++
	if row[0] != '{' {
		return nil, r.noObject()
	}
	i := r.space(1)
	if i < len(row) && row[i] == '}' {
		return nil, r.end(i + 1)
	}
	for range MaxMembers {
		var reason string
		if i, reason = r.member(i); reason != "" {
			return nil, reason
		}
		i = r.space(i)
		switch {
		case i >= len(row):
			r.fail(i, "the object does not end")
			return nil, r.invalid()
		case row[i] == '}':
			return r.list, r.end(i + 1)
		case row[i] != ',':
			r.fail(i, "a comma or } is missing")
			return nil, r.invalid()
		}
		i = r.space(i + 1)
	}
	return nil, fmt.Sprintf("the row has more than %d fields", MaxMembers)
}

// member reads the member at i into the list.
func (r *memberReader) member(i int) (end int, reason string) {
	start := i
	if i = r.name(start); i < 0 {
		return i, r.invalid()
	}
	value := r.space(i)
	if end = r.value(value, 1); end < 0 {
		return end, r.invalid()
	}
	inside := r.text[start+1 : stringEnd(r.text, start)-1]
	r.scratch = appendUnescaped(r.scratch[:0], inside)
	if !r.stored {
		if reason = checkName(r.scratch); reason != "" {
			return end, reason
		}
	}
	r.add(r.scratch, r.text[value:end])
	return end, ""
}

func (r *memberReader) add(name, value []byte) {
	s := r.seen[string(name)]
	if s == nil {
		s = &sighting{name: string(name)}
		r.seen[s.name] = s
	}
	if s.row == r.rows {
		r.list[s.at].replaced = true
	}
	s.row, s.at = r.rows, len(r.list)
	r.list = append(r.list, member{name: s.name, value: value})
}

// end checks that nothing follows the object.
func (r *memberReader) end(i int) string {
	if i < len(r.text) {
		r.fail(i, "text after the end of the object")
		return r.invalid()
	}
	return ""
}

// noObject says what a row is that does not begin as an object.
func (r *memberReader) noObject() string {
	r.unreadable = true
	end := r.value(0, 0)
	if end == len(r.text) {
		return "not a JSON object"
	}
	if end < 0 && r.fault.at == 0 {
		return fmt.Sprintf("not JSON: the row begins with %q", shorten(bytes.ToValidUTF8(r.text[:min(len(r.text), shownBytes)], nil)))
	}
	if end > 0 {
		r.fail(r.space(end), "text after the end of the value")
	}
	return r.invalid()
}

// invalid words the fault. Bytes count from 1.
func (r *memberReader) invalid() string {
	r.unreadable = true
	if r.fault.why == tooDeep {
		return fmt.Sprintf("nested more than %d deep at byte %d", maxDepth, r.fault.at+1)
	}
	return fmt.Sprintf("not valid JSON at byte %d: %s", r.fault.at+1, r.fault.why)
}

// checkName says what is wrong with a field's name, if anything.
func checkName(name []byte) string {
	if len(name) == 0 {
		return "a field has an empty name"
	}
	if len(name) > maxNameBytes {
		return fmt.Sprintf("field %q has a name longer than %d bytes", shorten(name), maxNameBytes)
	}
	if name[0] == '_' {
		for i := range event.Hidden {
			if strings.EqualFold(unsafeText(name), event.Hidden[i].Name) { // as in SQL
				return fmt.Sprintf("field %q has the name of a hidden column", name)
			}
		}
	}
	return ""
}

// shownBytes is how much of a value a reason quotes.
const shownBytes = 60

// shorten cuts a text to what a message can show.
func shorten(text []byte) string {
	if len(text) <= shownBytes {
		return string(text)
	}
	end := shownBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end]) + "..."
}
