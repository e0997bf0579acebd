package event

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Stamps are what the hidden columns of rows that came together say.
type Stamps struct {
	// Partitions has a value for each row.
	Partitions arrow.Array
	// Watermarks makes the column of watermarks, always the same. It is called once at most, by any goroutine.
	Watermarks func() arrow.Array
	// First is the offset of the first row; the others follow one another.
	First Offset
	// Arrival is when all of them came, in microseconds.
	Arrival int64
}

// NewStamped is NewBatch for rows that came together. Their offsets, arrivals and watermarks, which few numbers and the event times tell, become columns when
// somebody first asks for one of those: most queries do not, and memory for them would be a seventh of what ordinary rows take until they are sealed. Bytes
// counts them from the beginning.
func NewStamped(schema *Schema, partition Partition, columns []arrow.Array, stamps Stamps) *Batch {
	rows := stamps.Partitions.Len()
	all := make([]arrow.Array, 0, len(columns)+len(Hidden))
	all = append(append(all, columns...), stamps.Partitions, nil, nil, nil)
	record := &stampedRecord{fields: recordSchema(schema, columns), columns: all, rows: rows, stamps: stamps}
	return &Batch{
		Schema:    schema,
		Record:    record,
		Partition: partition,
		First:     stamps.First,
		Last:      stamps.First + Offset(rows) - 1,
	}
}

// stampedRecord is a record whose hidden columns, but for the first, are made when one of them is asked for.
type stampedRecord struct {
	fields  *arrow.Schema
	columns []arrow.Array // nil in the places of those
	rows    int
	stamps  Stamps

	once sync.Once
	made arrow.RecordBatch
}

// bytes is what the columns take, whether all of them are made or not.
func (r *stampedRecord) bytes() int64 {
	made := len(r.columns) - len(Hidden) + 1 // the columns that there are in any case
	// Each of the others is as long as that of the partitions, and as wide.
	return ColumnsBytes(r.columns[:made]) + int64(len(Hidden)-1)*ArrayBytes(r.stamps.Partitions)
}

// all is the record with all of its columns.
func (r *stampedRecord) all() arrow.RecordBatch {
	r.once.Do(func() {
		numbers := make([]int64, 2*r.rows)
		offsets, arrivals := numbers[:r.rows:r.rows], numbers[r.rows:]
		for i := range offsets {
			offsets[i], arrivals[i] = int64(r.stamps.First)+int64(i), r.stamps.Arrival
		}
		columns := append([]arrow.Array(nil), r.columns...)
		at := len(columns) - len(Hidden)
		columns[at+1], columns[at+2], columns[at+3] = NewInt64s(offsets, nil), NewTimestamps(arrivals, nil), r.stamps.Watermarks()
		r.stamps.Watermarks = nil // it may hold what nobody else needs
		r.made = array.NewRecordBatch(r.fields, columns, int64(r.rows))
	})
	return r.made
}

func (r *stampedRecord) Column(i int) arrow.Array {
	if values := r.columns[i]; values != nil {
		return values
	}
	return r.all().Column(i)
}

func (r *stampedRecord) Columns() []arrow.Array       { return r.all().Columns() }
func (r *stampedRecord) ColumnName(i int) string      { return r.fields.Field(i).Name }
func (r *stampedRecord) NumCols() int64               { return int64(len(r.columns)) }
func (r *stampedRecord) NumRows() int64               { return int64(r.rows) }
func (r *stampedRecord) Schema() *arrow.Schema        { return r.fields }
func (r *stampedRecord) MarshalJSON() ([]byte, error) { return r.all().MarshalJSON() }

func (r *stampedRecord) NewSlice(i, j int64) arrow.RecordBatch { return r.all().NewSlice(i, j) }

func (r *stampedRecord) SetColumn(i int, values arrow.Array) (arrow.RecordBatch, error) {
	return r.all().SetColumn(i, values)
}

// Retain and Release do nothing: the collector sees to the memory.
func (r *stampedRecord) Retain()  {}
func (r *stampedRecord) Release() {}
