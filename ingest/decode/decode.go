// Package decode turns rows of JSON into typed Arrow columns in one pass, and works out the schema that such rows need. The packages below
// it take other formats apart into Chunks of such rows.
//
// What always holds: a row is accepted exactly if it is a JSON object by RFC 8259 in valid UTF-8, keeps the limits below and fits the
// schema under the stream's mode; a rejected row leaves no trace in the columns; nothing is coerced with loss. There are two readers: a
// fast one that knows the schema and expects the fields in the order of the row before, and, for every row that the fast one is
// not sure of, an exact one that alone decides what is wrong. Both check and store values by the same code.
//
// All functions are pure and may be called from any goroutine. The package writes nothing, keeps nothing of one call for another and leaves
// chunking, deduplication and the choice of a partition to its callers.
package decode

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/slabs"
)

// What one row may hold at most. Rows beyond are rejected.
const (
	// MaxRowBytes is the length of its text.
	MaxRowBytes = 1 << 20
	// MaxMembers is the number of members of its object. Those beyond the columns that a stream may have go to its overflow column.
	MaxMembers = 1 << 16

	// MaxChunkRows is how many rows a chunk of a body has at most: what a repeated request still lacks of one is noted by a bit for each.
	MaxChunkRows = 1 << 15

	maxDepth     = 64 // the row's own object counts as 1
	maxNameBytes = 255
)

// Options of one decode.
type Options struct {
	// Arrival is when the chunk arrived, in microseconds since 1970: the event time of rows that bring none.
	Arrival int64
	// Mode says what becomes of fields and values that the schema cannot hold; empty means strict.
	Mode catalog.SchemaMode
	// MostRejected is how many rejected rows are told of; those beyond are only counted. 0 tells of all.
	MostRejected int
	// Memory is where the values of many rows are cut from; it may be nil.
	Memory *slabs.Arena
}

// Rows is what a chunk decoded to.
type Rows struct {
	Columns []arrow.Array // one per schema.Columns, each Count long; TEXT of few distinct values is a dictionary where there are many rows
	Count   int
	Times   []int64 // event time of each row in microseconds: the time column's value, or the arrival
	// Raw is the JSON text of each row without the spaces around it, which aliases the chunk; nil where the columns were taken as they came,
	// so that nobody had to look at texts.
	Raw      [][]byte
	Lines    []int // for each row its index among the chunk's non-blank lines
	Rejected []Rejected
	// MoreRejected counts those beyond Options.MostRejected.
	MoreRejected int
	// Drift is set in mode evolve only: some row has a field or a value that the schema cannot hold. Nothing else here may be used
	// then: call Evolve and decode again.
	Drift bool
	// DuplicateKeys counts the members of columns that a later member of the same name replaced.
	DuplicateKeys int

	lists    *rowLists // what Raw and Lines began with
	ownTimes bool      // Times are not those of a column
}

// Rejected is a line that became no row.
type Rejected struct {
	Line   int // index among the chunk's non-blank lines
	Reason string
	Raw    []byte // aliases the chunk
	// Misfit is set where the row could be read and its stream does not take it.
	Misfit bool
}

// NDJSON decodes a chunk of whole lines, one JSON object each, under a schema. Blank lines and a byte order mark at the start are
// skipped; bad rows are set aside in Rejected. The error is for a schema or chunk that cannot be decoded at all.
func NDJSON(chunk []byte, schema *event.Schema, options Options) (*Rows, error) {
	return decodeRows(splitLines(chunk), len(chunk), schema, options)
}

// decodeRows decodes rows that take size bytes together.
func decodeRows(lines lines, size int, schema *event.Schema, options Options) (*Rows, error) {
	if size > maxChunkBytes {
		return nil, event.Errorf(event.CodeTooLarge, "a chunk of %d bytes is more than one decode can take", size)
	}
	d, err := takeDecoder(schema, options)
	if err != nil {
		return nil, err
	}
	defer d.release()
	return d.all(lines, size, leastCoded), nil
}

// all decodes rows that take size bytes together. Where about least of them are expected, texts are numbered.
func (d *decoder) all(lines lines, size, least int) *Rows {
	rows := lines.about()
	d.expect(rows, size)
	d.limits.coded = rows >= least
	for d.next(&lines) {
		if d.out.Drift {
			return &Rows{Drift: true}
		}
	}
	return d.finish()
}
