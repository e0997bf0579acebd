package event

import (
	"fmt"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Batch is rows of one partition of one stream, in offset order, as an Arrow record whose columns are Schema.All(). A column of text may be a
// dictionary.
type Batch struct {
	Schema    *Schema
	Record    arrow.RecordBatch
	Partition Partition
	// First and Last are the offsets of the first and last row, both included. Offsets between them may be missing.
	First, Last Offset

	times atomic.Pointer[timeSpan] // nil until somebody asks
}

// NewBatch joins a stream's own columns with the hidden ones, all of the same length and at least one row long, in the order
// of schema.All().
func NewBatch(schema *Schema, partition Partition, columns []arrow.Array) (*Batch, error) {
	offsets, ok := columns[len(columns)-len(Hidden)+1].(*array.Int64)
	if !ok || offsets.Len() == 0 || len(columns) != len(schema.Columns)+len(Hidden) {
		return nil, fmt.Errorf("make batch: %d columns do not fit schema version %d", len(columns), schema.Version)
	}
	rows := offsets.Len()
	return &Batch{
		Schema:    schema,
		Record:    newRecord(schema, columns, int64(rows)),
		Partition: partition,
		First:     Offset(offsets.Value(0)),
		Last:      Offset(offsets.Value(rows - 1)),
	}, nil
}

// newRecord makes a record of columns of the schema.
func newRecord(schema *Schema, columns []arrow.Array, rows int64) arrow.RecordBatch {
	return array.NewRecordBatch(recordSchema(schema, columns), columns, rows)
}

// recordSchema is Arrow's form of the schema for a record that begins with these columns, of which some may be dictionaries.
func recordSchema(schema *Schema, columns []arrow.Array) *arrow.Schema {
	arrowSchema := schema.Arrow()
	if !slices.ContainsFunc(columns, isDictionary) {
		return arrowSchema
	}
	fields := arrowSchema.Fields() // a copy
	for i, values := range columns {
		if isDictionary(values) && fields[i].Type.ID() == arrow.STRING {
			fields[i].Type = DictionaryType
		}
	}
	return arrow.NewSchema(fields, nil)
}

func isDictionary(values arrow.Array) bool {
	_, ok := values.(*array.Dictionary)
	return ok
}

// Rows is the number of rows.
func (b *Batch) Rows() int { return int(b.Record.NumRows()) }

// Offsets are the rows' offsets, rising.
func (b *Batch) Offsets() []int64 {
	return b.Record.Column(len(b.Schema.Columns) + 1).(*array.Int64).Int64Values()
}

// From is the part of the batch at and after offset next, sharing its memory; nil where nothing is left.
func (b *Batch) From(next Offset) *Batch {
	if next <= b.First {
		return b
	}
	if next > b.Last {
		return nil
	}
	offsets := b.Offsets()
	at := sort.Search(len(offsets), func(i int) bool { return Offset(offsets[i]) >= next })
	rest := b.Record.NewSlice(int64(at), b.Record.NumRows())
	return &Batch{Schema: b.Schema, Record: rest, Partition: b.Partition, First: Offset(offsets[at]), Last: b.Last}
}

// Concat joins batches of one partition and one schema version that follow one another into one with memory of its own.
func Concat(batches []*Batch) (*Batch, error) {
	first, last := batches[0], batches[len(batches)-1]
	columns := make([]arrow.Array, first.Record.NumCols())
	parts := make([]arrow.Array, len(batches))
	rows := int64(0)
	for _, b := range batches {
		if b.Schema.Version != first.Schema.Version || b.Partition != first.Partition {
			return nil, fmt.Errorf("concat batches: schema version %d of partition %d with version %d of partition %d",
				first.Schema.Version, first.Partition, b.Schema.Version, b.Partition)
		}
		rows += b.Record.NumRows()
	}
	none := Nulls{Rows: int(rows)}
	for c := range columns {
		empty := c < len(first.Schema.Columns)
		for i, b := range batches {
			parts[i] = b.Record.Column(c)
			empty = empty && parts[i].NullN() == parts[i].Len()
		}
		if empty {
			columns[c] = none.Of(first.Schema.Columns[c].Type)
			continue
		}
		joined, err := joinArrays(alike(parts), int(rows))
		if err != nil {
			return nil, fmt.Errorf("concat batches: column %q: %w", first.Record.ColumnName(c), err)
		}
		columns[c] = joined
	}
	record := newRecord(first.Schema, columns, rows)
	return &Batch{Schema: first.Schema, Record: record, Partition: first.Partition, First: first.First, Last: last.Last}, nil
}

// alike brings parts of a column of text of which some are dictionaries to one form. It changes parts.
func alike(parts []arrow.Array) []arrow.Array {
	plain := func(values arrow.Array) bool { return values.DataType().ID() != arrow.DICTIONARY }
	if slices.ContainsFunc(parts, plain) {
		for i, values := range parts {
			parts[i] = PlainText(values)
		}
	}
	return parts
}

// Bytes is the memory that the batch's values take, as far as slices of shared buffers can be told apart.
func (b *Batch) Bytes() int64 {
	if stamped, ok := b.Record.(*stampedRecord); ok {
		return stamped.bytes()
	}
	return ColumnsBytes(b.Record.Columns())
}

// ColumnsBytes is about the memory that the values of columns take, of which some may be one array.
func ColumnsBytes(columns []arrow.Array) int64 { return sumOnce(columns, ArrayBytes) }

// sumOnce adds up what columns take. An array of NULLs that stands for several columns counts once, where there are few such arrays.
func sumOnce(columns []arrow.Array, bytes func(arrow.Array) int64) (total int64) {
	const most = 16
	var seen []arrow.Array
	for _, values := range columns {
		if values.NullN() == values.Len() {
			if slices.Contains(seen, values) {
				continue
			}
			if len(seen) < most {
				seen = append(seen, values)
			}
		}
		total += bytes(values)
	}
	return total
}

// ArrayBytes is about the memory that a column's values take.
func ArrayBytes(values arrow.Array) int64 {
	n := int64(values.Len())
	switch a := values.(type) {
	case *array.String:
		return 4*n + n/8 + int64(len(a.ValueBytes()))
	case *array.Binary:
		return 4*n + n/8 + int64(len(a.ValueBytes()))
	case *array.Dictionary:
		return 4*n + n/8 + ArrayBytes(a.Dictionary())
	default:
		if fixed, ok := values.DataType().(arrow.FixedWidthDataType); ok {
			return n*int64(fixed.BitWidth())/8 + n/8
		}
		return 8 * n
	}
}
