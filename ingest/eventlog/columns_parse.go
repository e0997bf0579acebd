package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

var errColumns = errors.New("malformed columns")

// parseColumns decodes rows as columns, which take up all of src. They are copied once, as a whole, and the arrays lie over the copy.
func parseColumns(src []byte, e *Entry) error {
	if len(src) < columnsHeader {
		return errColumns
	}
	p := &columnsParser{src: alignedCopy(src), at: columnsHeader, rows: int(binary.LittleEndian.Uint32(src[atColumnsRows:]))}
	e.First = event.Offset(binary.LittleEndian.Uint64(src[atColumnsFirst:]))
	if p.rows < 1 || p.rows > min(maxRecords, len(src)/leastRecord) {
		return fmt.Errorf("%d rows cannot be in %d bytes", p.rows, len(src))
	}
	if e.First < 0 || e.First > math.MaxInt64-event.Offset(p.rows) {
		return fmt.Errorf("rows cannot begin at offset %d", e.First)
	}
	c := &Columns{Time: -1}
	sizes, err := p.fields(c, int(binary.LittleEndian.Uint16(src[atColumnsCount:])))
	if err != nil {
		return err
	}
	for i := range c.Fields {
		values, err := p.values(c.Fields[i], sizes[i])
		if err != nil {
			return fmt.Errorf("column %q: %w", c.Fields[i].Name, err)
		}
		c.Values = append(c.Values, values)
	}
	if p.at != len(p.src) {
		return errors.New("bytes after the last column")
	}
	if time := binary.LittleEndian.Uint16(src[atColumnsTime:]); time != noTimeColumn {
		c.Time = int(time)
		if err := c.checkTime(); err != nil {
			return err
		}
	}
	e.Columns, e.Times = c, milliseconds(c.Times(p.rows, e.Meta.Arrival))
	return nil
}

func (c *Columns) checkTime() error {
	if c.Time >= len(c.Fields) || c.Fields[c.Time].Type.Kind != event.TimestampTZ || c.Values[c.Time].NullN() > 0 {
		return errors.New("the event time is no column of times")
	}
	return nil
}

// milliseconds rounds times in microseconds down, in place.
func milliseconds(times []int64) []int64 {
	for i, t := range times {
		times[i] = t / 1000
		if t%1000 < 0 {
			times[i]--
		}
	}
	return times
}

// alignedCopy copies bytes to memory that begins where any value may.
func alignedCopy(src []byte) []byte {
	words := make([]uint64, (len(src)+7)/8)
	out := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))[:len(src):len(src)]
	copy(out, src)
	return out
}

// columnsParser takes buffers off the front of src.
type columnsParser struct {
	src  []byte
	at   int
	rows int
}

// fieldSizes say which buffers a field has.
type fieldSizes struct {
	nullable bool
	data     int
}

func (p *columnsParser) fields(c *Columns, count int) ([]fieldSizes, error) {
	if count > (len(p.src)-p.at)/fieldHeader {
		return nil, errColumns
	}
	c.Fields, c.Values = make([]Field, 0, count), make([]arrow.Array, 0, count)
	sizes := make([]fieldSizes, 0, count)
	for range count {
		b := p.src[p.at:]
		if len(b) < fieldHeader || len(b) < fieldHeader+int(b[12]) {
			return nil, errColumns
		}
		f := Field{ID: event.FieldID(binary.LittleEndian.Uint32(b)), Name: string(b[fieldHeader : fieldHeader+int(b[12])])}
		if int(b[4]) >= len(typeCodes) || typeCodes[b[4]] == event.Unknown {
			return nil, fmt.Errorf("column %q is of a type %d that this program does not know", f.Name, b[4])
		}
		f.Type = event.Type{Kind: typeCodes[b[4]], Precision: int32(b[5]), Scale: int32(b[6])}
		isNumeric := f.Type.Kind == event.Numeric
		if isNumeric && (f.Type.Precision < 1 || f.Type.Precision > event.MaxPrecision || f.Type.Scale > f.Type.Precision) ||
			!isNumeric && (b[5] != 0 || b[6] != 0) || f.ID <= 0 {
			return nil, fmt.Errorf("column %q cannot be number %d of type %s", f.Name, f.ID, f.Type)
		}
		c.Fields = append(c.Fields, f)
		sizes = append(sizes, fieldSizes{nullable: b[7]&flagNullable != 0, data: int(binary.LittleEndian.Uint32(b[8:]))})
		p.at += fieldHeader + len(f.Name)
	}
	return sizes, p.align()
}

// take gives the next n bytes.
func (p *columnsParser) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.src)-p.at {
		return nil, errors.New("its values end too early")
	}
	out := p.src[p.at : p.at+n : p.at+n]
	p.at += n
	return out, p.align()
}

// align passes over what fills up the last word.
func (p *columnsParser) align() error {
	if p.at = aligned(p.at); p.at > len(p.src) {
		return errors.New("its values end too early")
	}
	return nil
}

// values lays an array over the next field's buffers.
func (p *columnsParser) values(f Field, sizes fieldSizes) (arrow.Array, error) {
	var valid event.Bitmap
	if sizes.nullable {
		var err error
		if valid, err = p.take(bitmapBytes(p.rows)); err != nil {
			return nil, err
		}
	}
	buffers := make([]*memory.Buffer, 1, 3)
	nulls := valid.Nulls(p.rows)
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	w := width(f.Type.Kind)
	switch {
	case w > 0:
		w *= p.rows
	case f.Type.Kind == event.Boolean:
		w = bitmapBytes(p.rows)
	default:
		w = 4 * (p.rows + 1)
	}
	first, err := p.take(w)
	if err != nil {
		return nil, err
	}
	buffers = append(buffers, memory.NewBufferBytes(first))
	switch f.Type.Kind {
	case event.Text, event.JSONB, event.Bytea:
		data, err := p.take(sizes.data)
		if err == nil {
			err = checkOffsets(arrow.GetData[int32](first), len(data))
		}
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, memory.NewBufferBytes(data))
	default:
	}
	return array.MakeFromData(array.NewData(f.Type.Arrow(), p.rows, buffers, nil, nulls, 0)), nil
}

// checkOffsets refuses offsets that do not cut up so many bytes from their first to their last.
func checkOffsets(offsets []int32, size int) error {
	before := int32(0)
	if offsets[0] != 0 || int(offsets[len(offsets)-1]) != size {
		return errors.New("its values are not where their data is")
	}
	for _, o := range offsets {
		if o < before {
			return errors.New("its values overlap")
		}
		before = o
	}
	return nil
}
