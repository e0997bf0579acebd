package arrowbody

import (
	"sync"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/ingest/decode/columnar"
)

// plain reads the batches of a schema whose columns are numbers, truth values, texts and bytes as they lie. What the Arrow library does for a body,
// first of all with its schema, takes longer than a batch of a few rows; clients that send such send the same schema again and again.
type plain struct {
	text   []byte // the message that says the schema
	schema *arrow.Schema
	plan   *columnar.Plan
	bits   []int // of a value of each column; 0 for texts and bytes
}

// plains are the plain schemas of the last bodies.
var plains = plainCache{known: map[string]*plain{}}

const (
	// maxPlains and maxPlainText bound what is kept of schemas.
	maxPlains    = 64
	maxPlainText = 64 << 10
)

type plainCache struct {
	mu    sync.Mutex
	known map[string]*plain
}

// of gives the schema that a message says, if it is known.
func (c *plainCache) of(message []byte) *plain {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[string(message)]
}

// add keeps a schema, if it is plain.
func (c *plainCache) add(text []byte, schema *arrow.Schema, plan *columnar.Plan) {
	p := &plain{text: text, schema: schema, plan: plan}
	if len(text) > maxPlainText || !schema.IsNativeEndian() {
		return
	}
	for _, f := range schema.Fields() {
		bits, ok := plainBits(f.Type)
		if !ok {
			return
		}
		p.bits = append(p.bits, bits)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxPlains {
		clear(c.known)
	}
	c.known[string(text)] = p
}

// plainBits is how many bits a value of a type takes; false for types that are not read here.
func plainBits(t arrow.DataType) (bits int, ok bool) {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.BinaryType:
		return 0, true
	case arrow.ExtensionType, *arrow.DictionaryType:
		return 0, false
	case arrow.FixedWidthDataType:
		return t.BitWidth(), t.BitWidth() > 0
	default:
		return 0, false
	}
}

// Fields of the tables RecordBatch, FieldNode and Buffer.
const (
	batchLength, batchNodes, batchBuffers, batchCompression, batchVariadic = 0, 1, 2, 3, 4

	pairBytes = 16 // of a FieldNode, a length and a number of NULLs, and of a Buffer, a place and a length
)

// batch gives the batch of a message, which shares its memory; nil for one that the library has to see: of another sort, compressed, or one that
// contradicts itself.
func (p *plain) batch(metadata, body []byte) arrow.RecordBatch {
	w := &walker{buf: metadata}
	message := w.follow(0)
	header := message.table(2)
	if message.byte(1) != batchMessage || header.place(batchCompression) != 0 || header.place(batchVariadic) != 0 || !aligned(body) {
		return nil
	}
	rows := header.long(batchLength)
	node, nodes := header.vector(batchNodes, pairBytes)
	buffer, buffers := header.vector(batchBuffers, pairBytes)
	if w.failed || nodes != len(p.bits) || rows < 0 || rows > 8*int64(len(body))+rowsFree {
		return nil
	}
	next := func() ([]byte, bool) {
		if buffers == 0 {
			return nil, false
		}
		at, size := int64(w.word(buffer, 8)), int64(w.word(buffer+8, 8))
		buffer, buffers = buffer+pairBytes, buffers-1
		if at < 0 || at%8 != 0 || size < 0 || at > int64(len(body)) || size > int64(len(body))-at {
			return nil, false
		}
		return body[at : at+size : at+size], true
	}
	columns := make([]arrow.Array, nodes)
	for i := range columns {
		length, nulls := int64(w.word(node, 8)), int64(w.word(node+8, 8))
		node += pairBytes
		data := columnData(p.schema.Field(i).Type, p.bits[i], rows, nulls, next)
		if length != rows || data == nil {
			return nil
		}
		columns[i] = array.MakeFromData(data)
	}
	if buffers > 0 || w.failed {
		return nil
	}
	return array.NewRecordBatch(p.schema, columns, rows)
}

// columnData takes the buffers of a column; nil where they are too short for it.
func columnData(t arrow.DataType, bits int, rows, nulls int64, next func() ([]byte, bool)) arrow.ArrayData {
	valid, ok := next()
	if !ok || nulls < 0 || nulls > rows || nulls > 0 && int64(len(valid)) < (rows+7)/8 {
		return nil
	}
	buffers := make([]*memory.Buffer, 1, 3)
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	values, ok := next()
	if !ok || bits > 0 && int64(len(values)) < (rows*int64(bits)+7)/8 || bits == 0 && int64(len(values)) < 4*(rows+1) {
		return nil
	}
	buffers = append(buffers, memory.NewBufferBytes(values))
	if bits == 0 {
		if values, ok = next(); !ok {
			return nil
		}
		buffers = append(buffers, memory.NewBufferBytes(values))
	}
	return array.NewData(t, int(rows), buffers, nil, int(nulls), 0)
}

// aligned reports whether numbers can be read where they lie.
func aligned(body []byte) bool {
	return len(body) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(body)))%8 == 0
}
