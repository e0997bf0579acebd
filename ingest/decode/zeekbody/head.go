package zeekbody

import (
	"bytes"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// head is what the lines that begin with # have said so far.
type head struct {
	separator, setSeparator []byte
	empty, unset            []byte // what stands for an empty text or set, and for no value
	columns                 []column
}

// column is a field of the rows.
type column struct {
	label string // its name as a member begins: quoted, with a colon
	sort  sort
	many  bool // a set or vector of values of the sort
}

// sort is how values become JSON.
type sort uint8

const (
	text sort = iota
	number
	boolean
)

// newHead is what Zeek writes unless it is told otherwise.
func newHead() head {
	return head{separator: []byte{'\t'}, setSeparator: []byte{','}, empty: []byte("(empty)"), unset: []byte{'-'}}
}

// read takes a line of the head. Those that say nothing of how rows are written, such as #path and #close, are passed over.
func (h *head) read(line []byte) error {
	if inside, ok := bytes.CutPrefix(line, []byte(Magic)); ok { // a space stands behind it, whatever separates the others
		if h.separator = unescaped(nil, inside[min(len(inside), 1):]); len(h.separator) == 0 {
			return event.Errorf(event.CodeBadRequest, "#separator names none")
		}
		return nil
	}
	key, value, _ := bytes.Cut(line, h.separator)
	switch string(key) {
	case "#set_separator":
		if len(value) == 0 {
			return event.Errorf(event.CodeBadRequest, "#set_separator names none")
		}
		h.setSeparator = unescaped(nil, value)
	case "#empty_field":
		h.empty = bytes.Clone(value)
	case "#unset_field":
		h.unset = bytes.Clone(value)
	case "#fields":
		return h.readFields(value)
	case "#types":
		return h.readTypes(value)
	}
	return nil
}

func (h *head) readFields(value []byte) error {
	names := bytes.Split(value, h.separator)
	h.columns = make([]column, 0, len(names))
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		name := string(name)
		if reason := decode.CheckName(name); reason != "" {
			return event.Errorf(event.CodeBadRequest, "#fields: %s", reason)
		}
		if seen[name] {
			return event.Errorf(event.CodeBadRequest, "#fields: %q occurs twice", name)
		}
		seen[name] = true
		h.columns = append(h.columns, column{label: string(event.AppendJSONString(nil, name)) + ":"})
	}
	return nil
}

func (h *head) readTypes(value []byte) error {
	types := bytes.Split(value, h.separator)
	if len(types) != len(h.columns) {
		return event.Errorf(event.CodeBadRequest, "#types has %d, #fields %d", len(types), len(h.columns))
	}
	for i, t := range types {
		c := &h.columns[i]
		name := string(t)
		if open := strings.IndexByte(name, '['); open > 0 && strings.HasSuffix(name, "]") { // set[addr], vector[string], table[enum]
			c.many, name = true, name[open+1:len(name)-1]
		}
		switch name {
		case "count", "int", "port", "double", "time", "interval":
			c.sort = number
		case "bool":
			c.sort = boolean
		}
	}
	return nil
}
