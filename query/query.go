// Package query is the root of the engine that turns plans into answers. It declares what the engine needs of the rest of
// the program: a Source to read streams from and a Sink to write rows to. server/app provides both, so that nothing below
// query knows of logs, segments or SQL text.
package query

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Source opens snapshots of streams. It may be used from any goroutine.
type Source interface {
	// Open pins one consistent state of all the named streams. Only acknowledged rows are in it, and all of those
	// acknowledged before the call. The caller closes it.
	Open(ctx context.Context, streams []string) (Snapshot, error)
}

// Snapshot is a pinned, unchanging state of some streams. It may be used from any goroutine.
type Snapshot interface {
	// Scan lists the pieces that together hold every row of the stream that satisfies the request's ranges (and others:
	// the ranges only allow to leave out). Pieces come in event-time order of their first row where that is known.
	Scan(ctx context.Context, request ScanRequest) (Scan, error)
	Close() error
}

// ViewState says how far a materialized view had come when a Snapshot was taken.
type ViewState struct {
	Name string
	// Vector is, by the stream or view that it reads, the next offset of each partition; of a view the number of its next change.
	Vector map[string][]int64
	// LagRows is how many rows of its streams it had not taken yet.
	LagRows int64
}

// ViewSnapshot is a Snapshot that may have views.
type ViewSnapshot interface {
	Snapshot
	Views() []ViewState
}

// ScanRequest says what to read of one stream.
type ScanRequest struct {
	Stream string
	// Schema is the one that the plan was bound to: rows written under other versions are brought to it.
	Schema *event.Schema
	// Columns are the ids wanted, hidden ones included, in the order wanted.
	Columns []event.FieldID
	// Ranges are necessary conditions on columns; all of them hold for every row of the answer.
	Ranges []plan.Range
	// Settled, if not nil, is asked about pieces whose statistics are exactly known: those for which it says true are left out, because
	// the caller has taken from the statistics what it needs. A source may ask about some pieces only, or none.
	Settled func(Statistics) bool
}

// Statistics are what is exactly known of a piece of a stream without reading it, for the columns of a request.
type Statistics interface {
	// Rows is the number of rows.
	Rows() int64
	// Nulls counts the rows in which a column has no value; ok is false where that is not known.
	Nulls(column int) (nulls int64, ok bool)
	// Ends is an array of the least and the greatest value of a column, nil where every row is NULL; ok is false where they are not known.
	Ends(column int) (leastGreatest arrow.Array, ok bool)
}

// Scan is the outcome of a ScanRequest.
type Scan struct {
	Morsels []Morsel
	// SegmentsScanned and SegmentsPruned count the Parquet files behind the morsels and those that the ranges left out.
	SegmentsScanned, SegmentsPruned int
	// SegmentsSettled counts the files that the caller needed nothing but statistics of; they are in neither of the others.
	SegmentsSettled int
	// RowGroupsScanned and RowGroupsPruned count the parts of the files scanned, TailRows the rows of morsels that lie in no file.
	RowGroupsScanned, RowGroupsPruned int
	TailRows                          int64
}

// Morsel is a piece of a stream that one worker reads, some columns before others: at most about 64 Ki rows.
type Morsel interface {
	// Rows is the number of rows that Read returns.
	Rows() int
	// Bounds is an array of two values of a requested column, the least and the greatest or something beyond them: every row
	// has a value, and it lies between them, both included. ok is false where that is not known.
	Bounds(column int) (lowHigh arrow.Array, ok bool)
	// Read loads those of the requested columns that wanted names, each with Rows() values, and leaves the others nil; a nil
	// wanted names all. Text and JSONB columns may be dictionaries. bytes counts what had to be decoded. Columns may lie in
	// memory, which may be nil, and are then good until it is reset. Read may be called from any goroutine.
	Read(ctx context.Context, wanted []bool, memory *event.Buffers) (columns []arrow.Array, bytes int64, err error)
}

// Valued is a morsel that may know which values a column has without reading its rows.
type Valued interface {
	// Values has every value of a requested column of BIGINT or TEXT, each once and NULL apart, and perhaps values that no row has. It is nil
	// where they are not known or are more than most. null says that some row may have NULL; bytes counts what had to be decoded. Values
	// may be called from any goroutine.
	Values(column, most int) (values arrow.Array, null bool, bytes int64, err error)
}

// Membered is a morsel that may keep members of documents by themselves. Both methods may be called from any goroutine.
type Membered interface {
	// HasMember reports whether the member at a path into the documents of a requested column of JSONB can be read without these. A path is names, which
	// lead through objects only.
	HasMember(column int, path []string) bool
	// ReadMember loads, of a member for which that is true, what the operator -> yields for each row, as Read loads a column of JSONB.
	ReadMember(ctx context.Context, column int, path []string, memory *event.Buffers) (values arrow.Array, bytes int64, err error)
}

// Sink takes rows that a query produces: what INSERT writes, and later what a view stores.
type Sink interface {
	// Append writes rows to a stream and returns when they are durable. columns pairs with names; values of other columns
	// are NULL. It returns how many rows were stored.
	Append(ctx context.Context, stream string, names []string, columns []arrow.Array) (int64, error)
}
