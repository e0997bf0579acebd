package jsonbody

import (
	"bytes"
	"encoding/json"
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
