package otlp

import (
	"iter"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// chunkRows is how many rows a chunk has at most, and chunkBytes about how much of text and JSON.
	chunkRows  = 1000
	chunkBytes = 1 << 20
)

// shape is the columns of a stream, and where each is.
type shape struct {
	fields []decode.Field
	at     map[string]int
}

func newShape(fields []decode.Field) *shape {
	s := &shape{fields: fields, at: make(map[string]int, len(fields))}
	for i, f := range fields {
		s.at[f.Name] = i
	}
	return s
}

// batch gathers rows of one stream, and gives them away chunk by chunk.
type batch struct {
	shape   *shape
	yield   func(*decode.Chunk) bool
	stopped bool
	number  int64 // of the next row
	columns []column
	rows    int
	bytes   int
	numbers []int64
	refused []decode.Rejected
}

// column is the values of one column.
type column struct {
	valid   event.Bitmap
	nulls   bool
	offsets []int32
	data    []byte
	ints    []int64
	floats  []float64
	bits    event.Bitmap
}

// chunks are those of the rows that add adds.
func chunks(s *shape, add func(*batch)) iter.Seq[*decode.Chunk] {
	return func(yield func(*decode.Chunk) bool) {
		b := &batch{shape: s, yield: yield}
		b.begin()
		add(b)
		b.flush()
	}
}

func (b *batch) begin() {
	b.columns, b.rows, b.bytes = make([]column, len(b.shape.fields)), 0, 0
	b.numbers, b.refused = []int64{}, nil
	for i := range b.columns {
		c := &b.columns[i]
		if c.valid = event.NewBitmap(chunkRows); b.isText(i) {
			c.offsets = make([]int32, 1, chunkRows+1)
		}
	}
}

func (b *batch) isText(i int) bool {
	kind := b.shape.fields[i].Type.Kind
	return kind == event.Text || kind == event.JSONB
}

// flush gives away what there is.
func (b *batch) flush() {
	if b.stopped || b.rows == 0 && len(b.refused) == 0 {
		return
	}
	out := &decode.Chunk{Fields: b.shape.fields, Rows: b.rows, Numbers: b.numbers, Refused: b.refused}
	for i := range b.columns {
		out.Columns = append(out.Columns, b.columns[i].array(b.shape.fields[i].Type, b.rows))
	}
	b.stopped = !b.yield(out)
	b.begin()
}

func (c *column) array(t event.Type, rows int) arrow.Array {
	var valid event.Bitmap
	if c.nulls {
		valid = c.valid
	}
	switch t.Kind {
	case event.Text, event.JSONB:
		return event.NewStrings(c.offsets, c.data, valid)
	case event.Double:
		return event.NewFloat64s(c.floats, valid)
	case event.Boolean:
		return event.NewBooleans(c.bits, rows, valid)
	case event.TimestampTZ:
		return event.NewTimestamps(c.ints, valid)
	default:
		return event.NewInt64s(c.ints, valid)
	}
}

// row is a row in the making: its cells by the columns of its shape, with their bytes in dst. One that was refused has a fault.
type row struct {
	shape *shape
	cells []cell
	dst   []byte
	fault string
	// beyond is set where a number does not fit its column.
	beyond bool
}

// cell is a value: a number, or where its text lies.
type cell struct {
	set        bool
	start, end int
	number     int64
	count      uint64 // of a number beyond BIGINT
	float      float64
}

func newRow(s *shape) *row { return &row{shape: s, cells: make([]cell, len(s.fields))} }

// begin makes the row a copy of another.
func (r *row) begin(from *row) {
	copy(r.cells, from.cells)
	r.dst, r.fault, r.beyond = append(r.dst[:0], from.dst...), from.fault, false
}

// cell is the place of a column's value, which then is set.
func (r *row) cell(name string) *cell {
	c := &r.cells[r.shape.at[name]]
	c.set = true
	return c
}

// written makes what was appended since start a column's value.
func (r *row) written(name string, start int) {
	c := r.cell(name)
	c.start, c.end = start, len(r.dst)
}

// add ends a row.
func (b *batch) add(r *row) {
	if b.stopped {
		return
	}
	number := b.number
	b.number++
	switch {
	case r.fault != "":
		b.refused = append(b.refused, decode.Rejected{Line: int(number), Reason: r.fault, Raw: r.json()})
		b.bytes += len(r.dst)
	case r.beyond: // the column has to become what holds it, which is found in a text
		b.flush()
		b.stopped = b.stopped || !b.yield(&decode.Chunk{Fields: b.shape.fields, Texts: [][]byte{r.json()}, Numbers: []int64{number}})
		return
	default:
		b.store(r)
		b.numbers = append(b.numbers, number)
		b.rows++
	}
	if b.rows+len(b.refused) == chunkRows || b.bytes > chunkBytes {
		b.flush()
	}
}

// store adds the cells to the columns.
func (b *batch) store(r *row) {
	for i := range r.cells {
		v, c := &r.cells[i], &b.columns[i]
		if v.set {
			c.valid.Set(b.rows)
		} else {
			c.nulls = true
		}
		switch b.shape.fields[i].Type.Kind {
		case event.Text, event.JSONB:
			if v.set {
				c.data = append(c.data, r.dst[v.start:v.end]...)
				b.bytes += v.end - v.start
			}
			c.offsets = append(c.offsets, int32(len(c.data)))
		case event.Double:
			c.floats = append(c.floats, v.float)
		case event.Boolean:
			if b.rows>>3 == len(c.bits) {
				c.bits = append(c.bits, 0)
			}
			if v.number != 0 {
				c.bits.Set(b.rows)
			}
		default:
			c.ints = append(c.ints, v.number)
		}
	}
}

// json writes the row as an object.
func (r *row) json() []byte {
	out := []byte{'{'}
	for i := range r.cells {
		v := &r.cells[i]
		if !v.set {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		f := &r.shape.fields[i]
		out = append(event.AppendJSONString(out, f.Name), ':')
		switch f.Type.Kind {
		case event.Text:
			out = event.AppendJSONString(out, string(r.dst[v.start:v.end]))
		case event.JSONB:
			out = append(out, r.dst[v.start:v.end]...)
		case event.Double:
			out = decode.AppendDouble(out, v.float)
		case event.Boolean:
			out = strconv.AppendBool(out, v.number != 0)
		case event.TimestampTZ:
			out = append(event.AppendTimestamp(append(out, '"'), v.number), '"')
		default:
			if v.count > 0 {
				out = strconv.AppendUint(out, v.count, 10)
			} else {
				out = strconv.AppendInt(out, v.number, 10)
			}
		}
	}
	return append(out, '}')
}
