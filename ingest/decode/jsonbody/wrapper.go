package jsonbody

// wrapper is where the reader is in an object that holds the rows in one of its members, outside of those. What is passed over is
// looked at no closer than finding its end needs.
type wrapper struct {
	open bool
	// found is set once the member was there, in any of the documents.
	found bool
	// level counts the objects on the way to the member that are open, besides the document.
	level int
	due   wrapperDue
	// name is the name of the present member as it is written, cut where it is too long to be the one.
	name []byte
	// depth, quoted and escaped are the place in a value that is passed over.
	depth           int
	quoted, escaped bool
}

// wrapperDue says what may come next in the object.
type wrapperDue uint8

const (
	nameOrEnd wrapperDue = iota
	nameText
	colon
	memberValue
	skipped
	wrapperComma
	nextName
)

// around looks at a byte of the object outside of its rows.
func (r *Reader) around(c byte) error {
	w := &r.wrapper
	switch {
	case w.due == nameText:
		r.inName(c)
		return nil
	case w.due == skipped:
		return r.skip(c)
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
	case c == '"' && (w.due == nameOrEnd || w.due == nextName):
		w.due, w.name = nameText, w.name[:0]
	case c == '}' && (w.due == nameOrEnd || w.due == wrapperComma) && w.level > 0:
		w.level, w.due = w.level-1, wrapperComma
	case c == '}' && (w.due == nameOrEnd || w.due == wrapperComma):
		w.open, r.ended = false, true
	case c == ':' && w.due == colon:
		w.due = memberValue
	case c == ',' && w.due == wrapperComma:
		w.due = nextName
	case w.due == memberValue && c == '[' && r.holdsRows(w):
		w.due, w.found = wrapperComma, true
		r.array, r.due = true, valueOrEnd
	case w.due == memberValue && c == '{' && w.level+1 < len(r.path) && string(w.name) == r.path[w.level]:
		w.level, w.due = w.level+1, nameOrEnd
	case w.due == memberValue && c != ',' && c != '}' && c != ']':
		w.due, w.depth, w.quoted, w.escaped = skipped, 0, false, false
		return nil
	default:
		return r.invalid("the object around the rows is not an object")
	}
	r.pass(1)
	return nil
}

// holdsRows reports whether the present member is the one with the rows: the last of the path, or one whose own name has points.
func (r *Reader) holdsRows(w *wrapper) bool {
	last := len(r.path) - 1
	return w.level == last && string(w.name) == r.path[last] || w.level == 0 && string(w.name) == r.member
}

// inName takes a byte of a member's name.
func (r *Reader) inName(c byte) {
	w := &r.wrapper
	switch {
	case w.escaped:
		w.escaped = false
	case c == '\\':
		w.escaped = true
	case c == '"':
		w.due = colon
	}
	if w.due == nameText && len(w.name) <= len(r.member) {
		w.name = append(w.name, c)
	}
	r.pass(1)
}

// skip passes over a byte of another member's value.
func (r *Reader) skip(c byte) error {
	w := &r.wrapper
	switch {
	case w.escaped:
		w.escaped = false
	case w.quoted:
		w.escaped, w.quoted = c == '\\', c != '"'
	case c == '"':
		w.quoted = true
	case c == '{' || c == '[':
		w.depth++
	case w.depth == 0 && (c == ',' || c == '}'):
		w.due = wrapperComma
		return nil
	case c == '}' || c == ']':
		if w.depth--; w.depth < 0 {
			return r.invalid("a bracket closes what was not opened")
		}
	}
	r.pass(1)
	return nil
}
