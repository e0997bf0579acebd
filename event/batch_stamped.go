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
// somebody first asks for them: most queries do not, and memory for them would be a seventh of what ordinary rows take until they are sealed. Bytes
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

// Steps says what the offsets, or the times of arrival, of the rows are where each is as much more than the one before it, as those of rows that came
// together are: row i has first+i*step. It does not make a column of what is none yet. ok is false for any other column, and for values of no one step.
func (b *Batch) Steps(id FieldID) (first, step int64, ok bool) {
	at := len(b.Schema.Columns) + 1
	switch id {
	case FieldOffset:
		step = 1
	case FieldIngestedAt:
		at++
	default:
		return 0, 0, false
	}
	if r, stamped := b.Record.(*stampedRecord); stamped {
		return r.first(id), step, true
	}
	values := arrow.GetValues[int64](b.Record.Column(at).Data(), 1)
	for i, v := range values {
		if v != values[0]+int64(i)*step {
			return 0, 0, false
		}
	}
	if len(values) > 0 {
		first = values[0]
	}
	return first, step, true
}

// first is the offset, or the time of arrival, of the first row.
func (r *stampedRecord) first(id FieldID) int64 {
	if id == FieldOffset {
		return int64(r.stamps.First)
	}
	return r.stamps.Arrival
}

// stampedRecord is a record whose hidden columns, but for the first, are made when they are asked for.
type stampedRecord struct {
	fields  *arrow.Schema
	columns []arrow.Array // nil in the places of those
	rows    int
	stamps  Stamps

	late [lateColumns]struct {
		once   sync.Once
		values arrow.Array
	}
	once sync.Once
	made arrow.RecordBatch
}

// lateColumns is how many hidden columns are made when they are asked for.
const lateColumns = 3

// bytes is what the columns take, whether all of them are made or not.
func (r *stampedRecord) bytes() int64 {
	made := len(r.columns) - lateColumns // the columns that there are in any case
	// Each of the others is as long as that of the partitions, and as wide.
	return ColumnsBytes(r.columns[:made]) + lateColumns*ArrayBytes(r.stamps.Partitions)
}

// column makes a hidden column, the offsets being the first one that is made late.
func (r *stampedRecord) column(late int) arrow.Array {
	c := &r.late[late]
	c.once.Do(func() {
		switch late {
		case 0:
			c.values = NewInt64s(r.stepping(int64(r.stamps.First), 1), nil)
		case 1:
			c.values = NewTimestamps(r.stepping(r.stamps.Arrival, 0), nil)
		default:
			c.values = r.stamps.Watermarks()
			r.stamps.Watermarks = nil // it may hold what nobody else needs
		}
	})
	return c.values
}

func (r *stampedRecord) stepping(first, step int64) []int64 {
	out := make([]int64, r.rows)
	for i := range out {
		out[i] = first + int64(i)*step
	}
	return out
}

// all is the record with all of its columns.
func (r *stampedRecord) all() arrow.RecordBatch {
	r.once.Do(func() {
		columns := append([]arrow.Array(nil), r.columns...)
		for late := range lateColumns {
			columns[len(columns)-lateColumns+late] = r.column(late)
		}
		r.made = array.NewRecordBatch(r.fields, columns, int64(r.rows))
	})
	return r.made
}

func (r *stampedRecord) Column(i int) arrow.Array {
	if values := r.columns[i]; values != nil {
		return values
	}
	return r.column(i - len(r.columns) + lateColumns)
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
