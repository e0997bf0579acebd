package api

import (
	"io"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// parquetWriter writes a Parquet file. INTERVAL, for which readers know no type of Parquet, and TIME are text, and arrays JSON; of columns with one name the
// later ones get a number behind it, since readers find columns by name.
type parquetWriter struct {
	columns []parquet.Column
	types   []event.Type // of the answer
	out     *parquet.Writer
}

func (*parquetWriter) contentType() string { return "application/vnd.apache.parquet" }

func (w *parquetWriter) begin(to io.Writer, columns []plan.Column) error {
	taken := map[string]bool{}
	for i, c := range columns {
		name := c.Name
		for n := 2; taken[name]; n++ {
			name = c.Name + "_" + strconv.Itoa(n)
		}
		taken[name] = true
		column := parquet.Column{ID: event.FieldID(i + 1), Name: name, Type: c.Type}
		switch c.Type.Kind {
		case event.Interval, event.Time, event.Unknown:
			column.Type = event.Type{Kind: event.Text}
		case event.Array:
			column.Type = event.Type{Kind: event.JSONB}
		default:
		}
		w.columns, w.types = append(w.columns, column), append(w.types, c.Type)
	}
	var err error
	w.out, err = parquet.NewWriter(to, w.columns)
	return err
}

func (w *parquetWriter) write(batch *exec.Batch) error {
	columns := make([]arrow.Array, len(batch.Columns))
	for i, c := range batch.Columns {
		switch a := c.(type) {
		case *array.MonthDayNanoInterval:
			columns[i] = asTexts(a, func(dst []byte, row int) []byte { return append(dst, event.FormatInterval(a.Value(row))...) })
		case *array.Time64:
			columns[i] = asTexts(a, func(dst []byte, row int) []byte { return event.AppendTimeOfDay(dst, int64(a.Value(row))) })
		case *array.List:
			columns[i] = asTexts(a, jsonValues{}.renderList(*w.types[i].Elem, a))
		case *array.Null:
			columns[i] = event.NewNulls(w.columns[i].Type, a.Len())
		default:
			columns[i] = c
		}
	}
	return w.out.Write(columns)
}

func asTexts(values arrow.Array, render appender) arrow.Array {
	offsets := make([]int32, 1, values.Len()+1)
	var data []byte
	for i := range values.Len() {
		if values.IsValid(i) {
			data = render(data, i)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, event.ValidityOf(values))
}

// flush does nothing: rows leave by row groups.
func (*parquetWriter) flush() error { return nil }

func (w *parquetWriter) end(resultStats) error { return w.out.Close() }

// fail has no place in Parquet: a file without its footer is none.
func (*parquetWriter) fail(problem) (bool, error) { return false, nil }
