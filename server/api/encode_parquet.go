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

// parquetWriter writes a Parquet file. INTERVAL, for which readers know no type of Parquet, is text; of columns with one name the
// later ones get a number behind it, since readers find columns by name.
type parquetWriter struct {
	columns []parquet.Column
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
		if c.Type.Kind == event.Interval || c.Type.Kind == event.Unknown {
			column.Type = event.Type{Kind: event.Text}
		}
		w.columns = append(w.columns, column)
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
			columns[i] = intervalTexts(a)
		case *array.Null:
			columns[i] = event.NewNulls(w.columns[i].Type, a.Len())
		default:
			columns[i] = c
		}
	}
	return w.out.Write(columns)
}

func intervalTexts(intervals *array.MonthDayNanoInterval) arrow.Array {
	offsets := make([]int32, 1, intervals.Len()+1)
	var data []byte
	for i := range intervals.Len() {
		if intervals.IsValid(i) {
			data = append(data, event.FormatInterval(intervals.Value(i))...)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, event.ValidityOf(intervals))
}

// flush does nothing: rows leave by row groups.
func (*parquetWriter) flush() error { return nil }

func (w *parquetWriter) end(resultStats) error { return w.out.Close() }

// fail has no place in Parquet: a file without its footer is none.
func (*parquetWriter) fail(problem) (bool, error) { return false, nil }
