package arrowbody

import (
	"errors"

	"github.com/tidemarkdb/tidemark/event"
)

// The Arrow library makes slices of the lengths that a message's metadata declares before it looks at what is there. So the metadata, which is
// a FlatBuffer, is walked first: every vector must lie within it. The source of the numbers of the fields is Message.fbs, Schema.fbs and
// File.fbs of the Arrow format.

const (
	continuation = 0xffffffff
	// metadataBytes bounds a message's metadata: that of thousands of columns is a tenth of it.
	metadataBytes = 4 << 20
	// maxTables bounds the tables of a message. Offsets may lead many of them to the same place, so its size bounds nothing.
	maxTables = 1 << 16
	maxDepth  = 64
)

// Kinds of messages.
const (
	schemaMessage     = 1
	dictionaryMessage = 2
	batchMessage      = 3
)

const (
	intType = 2
	// unionType is the kind of type whose table has a vector.
	unionType = 14
)

var errMetadata = errors.New("metadata that contradicts itself")

// told is what a message's metadata says of it.
type told struct {
	kind byte
	// body is the length of what follows.
	body int64
	// dictionaries are the numbers of those that a schema has, or of the one that the message is.
	dictionaries []int64
}

// checkMetadata checks a message's metadata.
func checkMetadata(metadata []byte) (told, error) {
	w := &walker{buf: metadata}
	message := w.follow(0)
	header := message.table(2)
	out := told{kind: message.byte(1)}
	switch out.kind {
	case schemaMessage:
		header.schema()
	case dictionaryMessage:
		header.table(1).batch()
		w.dictionaries = []int64{header.long(0)}
	case batchMessage:
		header.batch()
	}
	message.pairs(4)
	out.body, out.dictionaries = message.long(3), w.dictionaries
	if w.failed {
		return told{}, errMetadata
	}
	if w.foreign != nil {
		return told{}, w.foreign
	}
	return out, nil
}

// walker looks at a FlatBuffer. Once something is out of bounds it has failed, and all it gives is zero.
type walker struct {
	buf    []byte
	failed bool
	tables int
	// dictionaries are the numbers of those that fields have.
	dictionaries []int64
	// foreign says which field has a type that is none of the format.
	foreign error
}

// table is a table at a place, with its list of fields.
type table struct {
	*walker
	at, fields int
}

func (w *walker) fail() table {
	w.failed = true
	return table{walker: w}
}

// word reads n bytes as a number.
func (w *walker) word(at, n int) uint64 {
	if w.failed || at < 0 || at > len(w.buf)-n {
		w.failed = true
		return 0
	}
	var v uint64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(w.buf[at+i])
	}
	return v
}

// follow gives the table that the offset at a place leads to.
func (w *walker) follow(at int) table {
	to := at + int(w.word(at, 4))
	fields := to - int(int32(w.word(to, 4)))
	if w.tables++; w.tables > maxTables || w.failed {
		return w.fail()
	}
	if size := int(w.word(fields, 2)); size < 4 || fields+size > len(w.buf) {
		return w.fail()
	}
	return table{w, to, fields}
}

// place is where a field's value is; 0 if the table has none.
func (t table) place(field int) int {
	slot := 4 + 2*field
	if t.failed || t.at == 0 || slot >= int(t.word(t.fields, 2)) { // as the library has it, also of a list that ends within the slot
		return 0
	}
	offset := int(t.word(t.fields+slot, 2))
	if offset == 0 {
		return 0
	}
	return t.at + offset
}

func (t table) byte(field int) byte {
	if at := t.place(field); at > 0 {
		return byte(t.word(at, 1))
	}
	return 0
}

func (t table) short(field int) int16 {
	if at := t.place(field); at > 0 {
		return int16(t.word(at, 2))
	}
	return 0
}

func (t table) long(field int) int64 {
	if at := t.place(field); at > 0 {
		return int64(t.word(at, 8))
	}
	return 0
}

// table is the table that a field leads to; one without fields if there is none.
func (t table) table(field int) table {
	if at := t.place(field); at > 0 {
		return t.follow(at)
	}
	return table{walker: t.walker}
}

// vector checks that a vector of elements of a size lies within the metadata, and gives where its first is, and how many.
func (t table) vector(field, size int) (first, n int) {
	at := t.place(field)
	if at == 0 {
		return 0, 0
	}
	at += int(t.word(at, 4))
	n = int(t.word(at, 4))
	if t.failed || n > (len(t.buf)-at-4)/size {
		t.fail()
		return 0, 0
	}
	return at + 4, n
}

// schema checks the table Schema.
func (t table) schema() {
	first, n := t.vector(1, 4)
	for i := range n {
		t.follow(first + 4*i).field(0)
	}
	t.pairs(2)
	t.vector(3, 8)
}

// field checks the table Field.
func (t table) field(depth int) {
	if depth > maxDepth || t.failed {
		t.fail()
		return
	}
	name, length := t.vector(0, 1)
	if t.byte(2) == intType && t.table(3).short(0) > 64 && !t.failed { // Polars has some
		t.foreign = event.Errorf(event.CodeNotSupported, "column %q: integers of more than 64 bits are none of Arrow's", t.buf[name:name+length]).
			WithHint("cast them to decimals")
	}
	if t.byte(2) == unionType {
		t.table(3).vector(1, 4)
	}
	if t.place(4) > 0 {
		t.dictionaries = append(t.dictionaries, t.table(4).long(0))
	}
	first, n := t.vector(5, 4)
	for i := range n {
		t.follow(first + 4*i).field(depth + 1)
	}
	t.pairs(6)
}

// pairs checks a vector of KeyValue.
func (t table) pairs(field int) {
	first, n := t.vector(field, 4)
	for i := range n {
		pair := t.follow(first + 4*i)
		pair.vector(0, 1)
		pair.vector(1, 1)
	}
}

// batch checks the table RecordBatch.
func (t table) batch() {
	t.vector(1, 16)
	t.vector(2, 16)
	t.vector(4, 8)
}
