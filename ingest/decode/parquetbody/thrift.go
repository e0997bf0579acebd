package parquetbody

import (
	"encoding/binary"
	"errors"
)

// The Parquet library makes lists and texts of the lengths that a footer or a page header declares before it looks at what is there. So both are
// walked first. They are structs of Thrift's compact protocol, whose specification is thrift-compact-protocol.md of Apache Thrift.

// Types of the compact protocol.
const (
	typeTrue   = 1
	typeFalse  = 2
	typeByte   = 3
	typeI32    = 5
	typeI64    = 6 // these two, and I16: variable-length integers
	typeDouble = 7
	typeBinary = 8
	typeList   = 9
	typeSet    = 10
	typeMap    = 11
	typeStruct = 12
	typeUUID   = 13
)

const (
	// maxElements bounds what the lists of a footer hold together, each a byte at least.
	maxElements = 1 << 22
	maxNested   = 64
)

var errThrift = errors.New("metadata that contradicts itself")

// thrift walks one struct.
type thrift struct {
	src      []byte
	at       int // how much of it is read
	failed   bool
	elements int
	// number is told the integers of the outer struct, with field 0 as parent, and of the structs in its fields.
	number func(parent, field int, v int64)
}

// walk checks the struct that src begins with and gives its length.
func walk(src []byte, number func(parent, field int, v int64)) (int, error) {
	t := &thrift{src: src, number: number}
	t.fields(0, 0)
	if t.failed {
		return 0, errThrift
	}
	return t.at, nil
}

// rest is how many bytes are left.
func (t *thrift) rest() int { return len(t.src) - t.at }

func (t *thrift) byte() byte {
	if t.at >= len(t.src) {
		t.failed = true
		return 0
	}
	t.at++
	return t.src[t.at-1]
}

func (t *thrift) uvarint() uint64 {
	if t.at < len(t.src) && t.src[t.at] < 0x80 { // as most are
		t.at++
		return uint64(t.src[t.at-1])
	}
	v, n := binary.Uvarint(t.src[t.at:])
	if n <= 0 {
		t.failed = true
		return 0
	}
	t.at += n
	return v
}

func (t *thrift) zigzag() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (t *thrift) skip(n uint64) {
	if n > uint64(t.rest()) {
		t.failed = true
		return
	}
	t.at += int(n)
}

// fields walks the fields of a struct as each does; parent is its own field in the outer struct.
func (t *thrift) fields(parent, depth int) {
	if depth > maxNested {
		t.failed = true
	}
	for field := 0; ; {
		var kind int
		if field, kind = t.field(field); kind == 0 {
			return
		}
		t.value(kind, parent, field, depth)
	}
}

// field reads the header of the field behind another one; the type is 0 at the end of the struct.
func (t *thrift) field(before int) (field, kind int) {
	if t.failed {
		return 0, 0
	}
	header := t.byte()
	if header == 0 {
		return 0, 0
	}
	if field = before + int(header>>4); field == before {
		field = int(t.zigzag())
	}
	if kind = int(header & 15); kind == 0 {
		t.failed = true
	}
	return field, kind
}

// each calls do with the number and type of each field of a struct; it has to read or walk the value.
func (t *thrift) each(do func(field, kind int)) {
	for field := 0; ; {
		var kind int
		if field, kind = t.field(field); kind == 0 {
			return
		}
		do(field, kind)
	}
}

// peekList is how many elements the list to come has.
func (t *thrift) peekList() int {
	n, _ := (&thrift{src: t.src, at: t.at}).listHeader()
	return int(n)
}

func (t *thrift) listHeader() (n uint64, kind int) {
	header := t.byte()
	if n, kind = uint64(header>>4), int(header&15); n == 15 {
		n = t.uvarint()
	}
	return n, kind
}

// eachElement calls do for each element of a list of structs.
func (t *thrift) eachElement(do func()) {
	n, kind := t.listHeader()
	if kind != typeStruct && n > 0 {
		t.failed = true
	}
	for ; n > 0 && !t.failed; n-- {
		do()
	}
}

// value walks a value of a type.
func (t *thrift) value(kind, parent, field, depth int) {
	if t.failed {
		return
	}
	switch kind {
	case typeTrue, typeFalse:
		if depth <= 1 && t.number != nil {
			t.number(parent, field, int64(typeFalse-kind))
		}
	case typeByte:
		t.byte()
	case 4, typeI32, typeI64:
		if v := t.zigzag(); depth <= 1 && t.number != nil {
			t.number(parent, field, v)
		}
	case typeDouble:
		t.skip(8)
	case typeBinary:
		t.skip(t.uvarint())
	case typeUUID:
		t.skip(16)
	case typeStruct:
		t.fields(field, depth+1)
	case typeList, typeSet:
		t.list(depth)
	case typeMap:
		t.entries(depth)
	default:
		t.failed = true
	}
}

// list walks a list or set.
func (t *thrift) list(depth int) {
	n, kind := t.listHeader()
	t.count(n)
	for range n {
		if t.failed {
			return
		}
		t.element(kind, depth)
	}
}

func (t *thrift) entries(depth int) {
	n := t.uvarint()
	if n == 0 {
		return
	}
	kinds := t.byte()
	t.count(2 * n)
	for range n {
		if t.failed {
			return
		}
		t.element(int(kinds>>4), depth)
		t.element(int(kinds&15), depth)
	}
}

// count notes elements of a list, each of which takes a byte at least.
func (t *thrift) count(n uint64) {
	if n > uint64(t.rest()) || n > maxElements {
		t.failed = true
		return
	}
	if t.elements += int(n); t.elements > maxElements {
		t.failed = true
	}
}

// element walks an element of a list, where booleans are bytes.
func (t *thrift) element(kind, depth int) {
	if kind == typeTrue || kind == typeFalse {
		t.byte()
		return
	}
	t.value(kind, -1, -1, depth+2) // deep enough not to be told
}
