package views

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/tidemarkdb/tidemark/event"
)

// frameVersion is the version of frames and of the header of checkpoints.
const frameVersion = 1

// weightColumn is the name of the last column of the rows of a frame.
const weightColumn = "_weight"

// Mark says how far a view has read one of its inputs.
type Mark struct {
	// Name is that of the stream or view, Generation that of a view's content.
	Name       string `json:"name"`
	Generation uint64 `json:"generation,omitempty"`
	// Vector is up to where it was read: of a view, the number of the frame after the last one.
	Vector event.Vector `json:"vector"`
	// Watermarks are each partition's as of Vector; of a view, its closed and its final one.
	Watermarks []int64 `json:"watermarks,omitempty"`
	// Fault is, of a view, why it had no answer there; empty where it had one.
	Fault string `json:"fault,omitempty"`
	// FaultCode is the kind of the fault.
	FaultCode event.Code `json:"fault_code,omitempty"`
}

// Frame is one step of a view: a change of its content that takes place as a whole.
type Frame struct {
	// Number counts the frames of a view from 1.
	Number uint64
	// Marks are the view's inputs after the step, in the order in which its query names them.
	Marks []Mark
	// Closed and Final are the view's own watermarks after the step.
	Closed, Final int64
	// Late counts the rows left out as late since the view was made.
	Late int64
	// Lost is what the view has missed since it was made.
	Lost []Loss
	// Columns are the rows that come (above 0) and go (below 0), under the schema of the view; a nil Weights means that all come once.
	Columns []arrow.Array
	Weights []int64
	Rows    int
}

// frameHeader is the JSON part of a frame.
type frameHeader struct {
	Version int    `json:"v"`
	Number  uint64 `json:"n"`
	Marks   []Mark `json:"marks"`
	Closed  int64  `json:"closed"`
	Final   int64  `json:"final"`
	Late    int64  `json:"late,omitempty"`
	Lost    []Loss `json:"lost,omitempty"`
	Rows    int    `json:"rows"`
	// Part counts the records of one frame from 0, and More tells that another follows.
	Part int  `json:"part,omitempty"`
	More bool `json:"more,omitempty"`
}

// appendFrame encodes a frame, or a part of its rows: the length of the header, the header, the rows as an Arrow stream.
func appendFrame(dst []byte, schema *arrow.Schema, f *Frame, part, from, to int) ([]byte, error) {
	header, err := json.Marshal(frameHeader{
		Version: frameVersion, Number: f.Number, Marks: f.Marks, Closed: f.Closed, Final: f.Final, Late: f.Late,
		Lost: f.Lost, Rows: to - from, Part: part, More: to < f.Rows,
	})
	if err != nil {
		return nil, fmt.Errorf("encode frame: %w", err)
	}
	dst = binary.AppendUvarint(dst, uint64(len(header)))
	dst = append(dst, header...)
	if to == from {
		return dst, nil
	}
	columns := make([]arrow.Array, 0, len(f.Columns)+1)
	for _, c := range f.Columns {
		columns = append(columns, array.NewSlice(c, int64(from), int64(to)))
	}
	weights := make([]int64, to-from)
	for i := range weights {
		weights[i] = weightOf(f.Weights, from+i)
	}
	return appendArrow(dst, schema, append(columns, event.NewInt64s(weights, nil)), to-from)
}

func appendArrow(dst []byte, schema *arrow.Schema, columns []arrow.Array, count int) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	w := ipc.NewWriter(out, ipc.WithSchema(schema))
	if err := w.Write(array.NewRecordBatch(schema, columns, int64(count))); err != nil {
		return nil, fmt.Errorf("encode rows: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encode rows: %w", err)
	}
	return out.Bytes(), nil
}

// parseFrame is the inverse of appendFrame. The frame shares no memory with src.
func parseFrame(src []byte) (f *Frame, h frameHeader, err error) {
	size, n := binary.Uvarint(src)
	if n <= 0 || size > uint64(len(src)-n) {
		return nil, h, event.Errorf(event.CodeCorrupt, "a frame of a view's changelog has no header")
	}
	if err := json.Unmarshal(src[n:n+int(size)], &h); err != nil {
		return nil, h, &event.Error{Code: event.CodeCorrupt, Detail: "a frame of a view's changelog cannot be read", Cause: err}
	}
	if h.Version != frameVersion {
		return nil, h, event.Errorf(event.CodeNotSupported, "a frame has version %d and this program knows %d", h.Version, frameVersion)
	}
	f = &Frame{Number: h.Number, Marks: h.Marks, Closed: h.Closed, Final: h.Final, Late: h.Late, Lost: h.Lost, Rows: h.Rows}
	if h.Rows == 0 {
		return f, h, nil
	}
	columns, err := parseArrow(src[n+int(size):], h.Rows)
	if err != nil {
		return nil, h, err
	}
	last := len(columns) - 1
	weights, ok := columns[last].(*array.Int64)
	if !ok {
		return nil, h, event.Errorf(event.CodeCorrupt, "the rows of a frame have no weights")
	}
	f.Columns, f.Weights = columns[:last], weights.Int64Values()
	return f, h, nil
}

// parseArrow reads the one batch of an Arrow stream.
func parseArrow(src []byte, count int) ([]arrow.Array, error) {
	corrupt := func(cause error) error {
		return &event.Error{Code: event.CodeCorrupt, Detail: "the rows of a view's file cannot be read", Cause: cause}
	}
	// The reader's arrays lie in its input, which the caller uses again.
	r, err := ipc.NewReader(bytes.NewReader(bytes.Clone(src)))
	if err != nil {
		return nil, corrupt(err)
	}
	if !r.Next() {
		return nil, corrupt(r.Err())
	}
	batch := r.RecordBatch()
	if batch.NumRows() != int64(count) || batch.NumCols() == 0 {
		return nil, corrupt(fmt.Errorf("%d rows instead of %d", batch.NumRows(), count))
	}
	out := make([]arrow.Array, batch.NumCols())
	for i, c := range batch.Columns() {
		c.Retain()
		out[i] = c
	}
	return out, nil
}

// arrowSchema is that of a frame's rows, or without weights of a checkpoint's.
func arrowSchema(schema *event.Schema, weights bool) *arrow.Schema {
	var fields []arrow.Field
	for _, c := range schema.Columns {
		fields = append(fields, arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true})
	}
	if weights {
		fields = append(fields, arrow.Field{Name: weightColumn, Type: arrow.PrimitiveTypes.Int64})
	}
	return arrow.NewSchema(fields, nil)
}
