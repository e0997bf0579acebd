package app

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

var (
	text    = event.Type{Kind: event.Text}
	bigint  = event.Type{Kind: event.BigInt}
	boolean = event.Type{Kind: event.Boolean}
)

// column is one finished column of an answer that describes the server, such as SHOW STREAMS.
type column struct {
	name   string
	typ    event.Type
	values arrow.Array
}

func texts(name string, values []string) column { return column{name, text, textColumn(values, nil)} }

// optionalTexts makes NULLs of empty strings.
func optionalTexts(name string, values []string) column {
	valid := event.NewBitmap(len(values))
	for i, v := range values {
		if v != "" {
			valid.Set(i)
		}
	}
	return column{name, text, textColumn(values, valid)}
}

func bigints(name string, values []int64) column {
	return column{name, bigint, event.NewInt64s(values, nil)}
}

// bigintsThen are values of which those from some row on are NULL.
func bigintsThen(name string, values []int64, from int) column {
	valid := event.NewBitmap(len(values))
	for i := range from {
		valid.Set(i)
	}
	return column{name, bigint, event.NewInt64s(values, valid)}
}

func booleans(name string, values []bool) column { return column{name, boolean, booleanColumn(values)} }

// newRows makes an answer of columns of one length.
func newRows(columns ...column) *staticRows {
	out := &staticRows{batch: &exec.Batch{Rows: columns[0].values.Len()}}
	for _, c := range columns {
		out.columns = append(out.columns, plan.Column{Name: c.name, Type: c.typ})
		out.batch.Columns = append(out.batch.Columns, c.values)
	}
	return out
}

func booleanColumn(values []bool) arrow.Array {
	bits := event.NewBitmap(len(values))
	for i, v := range values {
		if v {
			bits.Set(i)
		}
	}
	return event.NewBooleans(bits, len(values), nil)
}

func textColumn(values []string, valid event.Bitmap) arrow.Array {
	offsets := make([]int32, 1, len(values)+1)
	var data []byte
	for _, v := range values {
		data = append(data, v...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid)
}

// staticRows is an answer that is there as a whole.
type staticRows struct {
	columns []plan.Column
	batch   *exec.Batch
	read    bool
}

// Columns are the table's.
func (r *staticRows) Columns() []plan.Column { return r.columns }

// Next returns the one batch, then io.EOF.
func (r *staticRows) Next() (*exec.Batch, error) {
	if r.read || r.batch.Rows == 0 {
		return nil, io.EOF
	}
	r.read = true
	return r.batch, nil
}

// Stats is empty: nothing was scanned.
func (r *staticRows) Stats() exec.Stats { return exec.Stats{} }

// Close does nothing.
func (r *staticRows) Close() error { return nil }

func endOfRows(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
