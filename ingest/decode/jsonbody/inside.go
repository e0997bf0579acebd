package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

const (
	// leastInside is how many objects an array must have to be taken for rows.
	leastInside = 2
	// insideDepth bounds how far inside of a document the array is looked for.
	insideDepth = 3
)

// RowsInside finds the array of objects that makes up at least half of a document, or of an object that does, if there is one: its elements may be
// meant for rows, and not the document. It gives the array's place, as NewMemberReader takes it, and how many objects it has.
func RowsInside(document []byte) (member string, rows int) {
	var path []string
	for inside := document; len(path) < insideDepth; {
		name, value := largestMember(inside)
		if len(value) == 0 || 2*len(value) < len(inside) {
			return "", 0
		}
		path = append(path, name)
		if inside = value; inside[0] != '[' {
			continue
		}
		var elements []json.RawMessage
		if json.Unmarshal(inside, &elements) != nil || len(elements) < leastInside || !allObjects(elements) {
			return "", 0
		}
		return strings.Join(path, "."), len(elements)
	}
	return "", 0
}

// RowsBegun is RowsInside for the beginning of a document that is longer than what is held of it: the place of the array of objects in which it is cut.
func RowsBegun(document []byte) (member string) {
	var path []string
	for inside := document; len(path) < insideDepth; {
		name, value := cutMember(inside)
		if len(value) == 0 {
			return ""
		}
		path = append(path, name)
		if inside = value; inside[0] != '[' {
			continue
		}
		if first := bytes.TrimLeft(inside[1:], " \t\r\n"); len(first) == 0 || first[0] != '{' {
			return ""
		}
		return strings.Join(path, ".")
	}
	return ""
}

// cutMember is the member of an object in whose value the object is cut, with what there is of the value.
func cutMember(object []byte) (name string, value []byte) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return "", nil
	}
	for {
		token, err := decoder.Token()
		if name, _ = token.(string); err != nil || name == "" {
			return "", nil
		}
		begin := decoder.InputOffset()
		var whole json.RawMessage
		if err := decoder.Decode(&whole); errors.Is(err, io.ErrUnexpectedEOF) {
			return name, bytes.TrimLeft(object[begin:], ": \t\r\n")
		} else if err != nil {
			return "", nil
		}
	}
}

// largestMember is the member of an object whose value is longest; a text that is no object has none.
func largestMember(object []byte) (name string, value json.RawMessage) {
	var members map[string]json.RawMessage
	if !bytes.HasPrefix(object, []byte{'{'}) || json.Unmarshal(object, &members) != nil {
		return "", nil
	}
	for n, v := range members {
		if len(v) > len(value) || len(v) == len(value) && n < name {
			name, value = n, v
		}
	}
	return name, value
}

func allObjects(elements []json.RawMessage) bool {
	for _, e := range elements {
		if e[0] != '{' {
			return false
		}
	}
	return true
}
