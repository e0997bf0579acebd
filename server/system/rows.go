package system

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

// The types that columns of tables have.
var (
	Text        = event.Type{Kind: event.Text}
	BigInt      = event.Type{Kind: event.BigInt}
	Double      = event.Type{Kind: event.Double}
	Boolean     = event.Type{Kind: event.Boolean}
	TimestampTZ = event.Type{Kind: event.TimestampTZ}
	Interval    = event.Type{Kind: event.Interval}
	JSONB       = event.Type{Kind: event.JSONB}
)

// Rows takes a table's rows, value after value: each call writes the next column, and after the last column the next row begins. A value
// of another type than its column's is an error, which Read returns.
type Rows struct {
	columns  []Column
	builders []array.Builder
	values   int // written so far
	err      error
}

func newRows(columns []Column) *Rows {
	r := &Rows{columns: columns}
	for _, c := range columns {
		r.builders = append(r.builders, array.NewBuilder(memory.DefaultAllocator, c.Type.Arrow()))
	}
	return r
}

// put hands the next column to write, if it has the type.
func put[B array.Builder](r *Rows, write func(B)) {
	at := r.values % len(r.columns)
	r.values++
	builder, ok := r.builders[at].(B)
	if !ok {
		if r.err == nil {
			r.err = fmt.Errorf("column %q is %s, which the value written is not", r.columns[at].Name, r.columns[at].Type)
		}
		r.builders[at].AppendNull()
		return
	}
	write(builder)
}

// Text writes a value of TEXT.
func (r *Rows) Text(v string) { put(r, func(b *array.StringBuilder) { b.Append(v) }) }

// OptionalText writes a value of TEXT, or NULL if it is empty.
func (r *Rows) OptionalText(v string) {
	if v == "" {
		r.Null()
		return
	}
	r.Text(v)
}

// BigInt writes a value of BIGINT.
func (r *Rows) BigInt(v int64) { put(r, func(b *array.Int64Builder) { b.Append(v) }) }

// Double writes a value of DOUBLE PRECISION.
func (r *Rows) Double(v float64) { put(r, func(b *array.Float64Builder) { b.Append(v) }) }

// Boolean writes a value of BOOLEAN.
func (r *Rows) Boolean(v bool) { put(r, func(b *array.BooleanBuilder) { b.Append(v) }) }

// Time writes a value of TIMESTAMPTZ, or NULL for the zero time.
func (r *Rows) Time(v time.Time) {
	if v.IsZero() {
		r.Null()
		return
	}
	r.Micros(v.UnixMicro())
}

// Micros writes a value of TIMESTAMPTZ in microseconds since 1970.
func (r *Rows) Micros(v int64) {
	put(r, func(b *array.TimestampBuilder) { b.Append(arrow.Timestamp(v)) })
}

// Interval writes a value of INTERVAL: in days where they are whole.
func (r *Rows) Interval(v time.Duration) {
	const day = 24 * time.Hour
	interval := arrow.MonthDayNanoInterval{Nanoseconds: int64(v)}
	if v%day == 0 {
		interval = arrow.MonthDayNanoInterval{Days: int32(v / day)}
	}
	put(r, func(b *array.MonthDayNanoIntervalBuilder) { b.Append(interval) })
}

// JSON writes a value of JSONB.
func (r *Rows) JSON(v any) {
	encoded, err := json.Marshal(v)
	if err != nil && r.err == nil {
		r.err = err
	}
	r.Text(string(encoded))
}

// Null writes NULL.
func (r *Rows) Null() {
	r.builders[r.values%len(r.columns)].AppendNull()
	r.values++
}

// content ends the writing.
func (r *Rows) content() (*Content, error) {
	if r.err == nil && r.values%len(r.columns) != 0 {
		r.err = fmt.Errorf("%d values do not fill rows of %d", r.values, len(r.columns))
	}
	if r.err != nil {
		return nil, r.err
	}
	out := &Content{rows: r.values / len(r.columns)}
	for _, b := range r.builders {
		out.columns = append(out.columns, b.NewArray())
	}
	return out, nil
}
