package api

import (
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// extensionKey marks fields whose values are of one of Arrow's canonical extension types.
const extensionKey = "ARROW:extension:name"

// arrowWriter writes an Arrow IPC stream, a record batch for each batch of rows. Text is never a dictionary, so that the schema says
// what every batch has.
type arrowWriter struct {
	zone   *time.Location // of times; nil for UTC
	schema *arrow.Schema
	out    *ipc.Writer
}

func (*arrowWriter) contentType() string { return "application/vnd.apache.arrow.stream" }

func (w *arrowWriter) begin(to io.Writer, columns []plan.Column) error {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = w.field(c)
	}
	w.schema = arrow.NewSchema(fields, nil)
	w.out = ipc.NewWriter(to, ipc.WithSchema(w.schema))
	return nil
}

func (w *arrowWriter) field(c plan.Column) arrow.Field {
	out := arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true}
	switch c.Type.Kind {
	case event.Unknown:
		out.Type = arrow.BinaryTypes.String
	case event.JSONB:
		out.Metadata = arrow.NewMetadata([]string{extensionKey}, []string{"arrow.json"})
	case event.UUID:
		out.Metadata = arrow.NewMetadata([]string{extensionKey}, []string{"arrow.uuid"})
	case event.TimestampTZ:
		if w.zone != nil {
			out.Type = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: w.zone.String()}
		}
	default:
	}
	return out
}

func (w *arrowWriter) write(batch *exec.Batch) error {
	columns := make([]arrow.Array, len(batch.Columns))
	for i, c := range batch.Columns {
		columns[i] = as(event.PlainText(c), w.schema.Field(i).Type)
	}
	record := array.NewRecordBatch(w.schema, columns, int64(batch.Rows))
	defer record.Release()
	if err := w.out.Write(record); err != nil {
		return fmt.Errorf("write Arrow: %w", err)
	}
	return nil
}

// flush does nothing: a record batch is written as a whole.
func (*arrowWriter) flush() error { return nil }

func (w *arrowWriter) end(resultStats) error { return w.out.Close() }

// fail has no place in Arrow: a stream without its end mark is one that broke off.
func (*arrowWriter) fail(problem) (bool, error) { return false, nil }

// as gives an array the type of its field: NULLs without a type are text, times take the zone of the answer.
func as(values arrow.Array, to arrow.DataType) arrow.Array {
	switch {
	case arrow.TypeEqual(values.DataType(), to):
		return values
	case values.DataType().ID() == arrow.NULL:
		return array.MakeArrayOfNull(memory.DefaultAllocator, to, values.Len())
	default:
		data := values.Data()
		return array.MakeFromData(array.NewData(to, data.Len(), data.Buffers(), data.Children(), data.NullN(), data.Offset()))
	}
}
