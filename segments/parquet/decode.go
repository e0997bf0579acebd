package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// decoder gathers the pages of one column into one array. Errors say what is wrong with the page; the caller adds where it lies.
type decoder interface {
	add(rawPage) error
	array() arrow.Array
}

// newDecoder makes the decoder for a column of so many rows. What it decodes to lies in memory, if that is not nil.
func newDecoder(c *chunk, rows int, memory *event.Buffers) decoder {
	t, dictionary := c.column.Type, c.dictionary.size > 0
	switch t.Kind {
	case event.Boolean:
		return &booleanDecoder{values: event.NewBitmap(rows), validity: validity{rows: rows}}
	case event.BigInt, event.TimestampTZ, event.Double:
		if dictionary {
			return &codeDecoder{codes: make([]int32, rows), validity: validity{rows: rows}}
		}
		return &wordDecoder{kind: t.Kind, memory: memory, validity: validity{rows: rows}}
	case event.SmallInt, event.Integer, event.Date, event.Real, event.Numeric, event.UUID, event.Bytea:
		return newDeclaredDecoder(c, rows)
	default:
		if dictionary {
			return &codeDecoder{codes: memory.Int32s(rows), validity: validity{rows: rows}}
		}
		return &textDecoder{offsets: make([]int32, 1, rows+1), validity: validity{rows: rows}, most: c.plain}
	}
}

// validity gathers which rows have a value.
type validity struct {
	rows  int // of all pages together
	at    int // rows of the pages so far
	valid event.Bitmap
}

// addLevels takes over the NULLs of a page and returns the number of values in it. The bitmap is made when the first NULL is seen.
func (v *validity) addLevels(p rawPage) (values int, err error) {
	if p.nulls == 0 && v.valid == nil {
		return p.rows, nil
	}
	if v.valid == nil {
		v.valid = event.NewBitmap(v.rows)
		setRange(v.valid, 0, v.at)
	}
	if p.nulls == 0 {
		setRange(v.valid, v.at, p.rows)
		return p.rows, nil
	}
	set, err := decodeLevels(v.valid, v.at, p.rows, p.levels)
	if err == nil && set != p.rows-p.nulls {
		err = fmt.Errorf("%d NULLs where the header says %d", p.rows-set, p.nulls)
	}
	return set, err
}

// spread moves the first n values of a page apart, in place, so that each stands in its row; NULLs are zero.
func spread[T any](dst []T, n int, valid event.Bitmap, at int) {
	var zero T
	for i := len(dst) - 1; i >= 0 && n <= i; i-- {
		if valid.Valid(at + i) {
			n--
			dst[i] = dst[n]
		} else {
			dst[i] = zero
		}
	}
}

// wordDecoder gathers values of 8 bytes.
type wordDecoder struct {
	validity
	kind   event.Kind
	memory *event.Buffers
	values []int64
	codec  delta.BinaryPackedEncoding
}

func (d *wordDecoder) add(p rawPage) error {
	n, err := d.addLevels(p)
	if err != nil {
		return err
	}
	if n == d.rows && p.encoding == format.Plain && len(p.values) == 8*n {
		// The page is all there is: its bytes are the array.
		d.values = arrow.GetData[int64](p.values)
		return nil
	}
	if d.values == nil {
		d.values = d.memory.Int64s(d.rows)
	}
	dst := d.values[d.at : d.at+p.rows]
	switch p.encoding {
	case format.Plain:
		err = d.plain(dst[:n], p.values)
	case format.DeltaBinaryPacked:
		err = d.delta(dst[:n:n], p.values)
	default:
		err = fmt.Errorf("unexpected encoding %s", p.encoding)
	}
	if err != nil {
		return err
	}
	spread(dst, n, d.valid, d.at)
	d.at += p.rows
	return nil
}

func (d *wordDecoder) plain(dst []int64, src []byte) error {
	if len(src) != 8*len(dst) {
		return fmt.Errorf("%d bytes for %d values", len(src), len(dst))
	}
	copy(arrow.GetBytes(dst), src)
	return nil
}

func (d *wordDecoder) delta(dst []int64, src []byte) error {
	if err := checkDelta(src, len(dst)); err != nil || len(dst) == 0 {
		return err
	}
	out, err := d.codec.DecodeInt64(dst, src)
	if err != nil {
		return err
	}
	if len(out) != len(dst) {
		return fmt.Errorf("%d values, not %d", len(out), len(dst))
	}
	copy(dst, out) // the same memory, unless the decoder chose its own
	return nil
}

// checkDelta reads the count of values in the head of a DELTA_BINARY_PACKED page, because the decoder allocates by it.
func checkDelta(src []byte, want int) error {
	for range 2 { // block size, mini blocks
		_, n := binary.Uvarint(src)
		if n <= 0 {
			return fmt.Errorf("unreadable head of differences")
		}
		src = src[n:]
	}
	if count, n := binary.Uvarint(src); n <= 0 || count != uint64(want) {
		return fmt.Errorf("%d differences, not %d", count, want)
	}
	return nil
}

func (d *wordDecoder) array() arrow.Array {
	switch d.kind {
	case event.Double:
		return event.NewFloat64s(arrow.GetData[float64](arrow.GetBytes(d.values)), d.valid)
	case event.TimestampTZ:
		return event.NewTimestamps(d.values, d.valid)
	default:
		return event.NewInt64s(d.values, d.valid)
	}
}

// booleanDecoder gathers bits.
type booleanDecoder struct {
	validity
	values event.Bitmap
}

func (d *booleanDecoder) add(p rawPage) error {
	n, err := d.addLevels(p)
	if err != nil {
		return err
	}
	if p.encoding != format.Plain || len(p.values) != (n+7)/8 {
		return fmt.Errorf("%d bytes of encoding %s for %d booleans", len(p.values), p.encoding, n)
	}
	bits := event.Bitmap(p.values)
	next := 0
	for i := d.at; i < d.at+p.rows; i++ {
		if !d.valid.Valid(i) {
			continue
		}
		if bits.Valid(next) {
			d.values.Set(i)
		}
		next++
	}
	d.at += p.rows
	return nil
}

func (d *booleanDecoder) array() arrow.Array { return event.NewBooleans(d.values, d.rows, d.valid) }

// textDecoder gathers text that has no dictionary.
type textDecoder struct {
	validity
	offsets []int32
	data    []byte
	ends    []uint32 // scratch
	// most is a bound of all text, as far as it is known.
	most int64
}

func (d *textDecoder) add(p rawPage) error {
	n, err := d.addLevels(p)
	if err != nil {
		return err
	}
	if d.data == nil && p.rows > 0 {
		// The pages to come are taken to be like the first one, which may have ended early for being long.
		d.data = make([]byte, 0, min(int64(len(p.values))*int64((d.rows+p.rows-1)/p.rows), d.most))
	}
	switch p.encoding {
	case format.Plain:
		err = d.plain(p)
	case format.DeltaLengthByteArray:
		err = d.lengths(p, n)
	default:
		err = fmt.Errorf("unexpected encoding %s", p.encoding)
	}
	d.at += p.rows
	return err
}

// plain adds texts that each have their length before them.
func (d *textDecoder) plain(p rawPage) error {
	src := p.values
	for i := d.at; i < d.at+p.rows; i++ {
		if d.valid.Valid(i) {
			if len(src) < 4 || int64(binary.LittleEndian.Uint32(src)) > int64(len(src)-4) {
				return fmt.Errorf("text ends early")
			}
			n := 4 + int(binary.LittleEndian.Uint32(src))
			d.data = append(d.data, src[4:n]...)
			src = src[n:]
		}
		d.offsets = append(d.offsets, int32(len(d.data)))
	}
	if len(src) != 0 {
		return fmt.Errorf("%d bytes left over", len(src))
	}
	return nil
}

// lengths adds n texts that stand end to end behind the lengths of all.
func (d *textDecoder) lengths(p rawPage, n int) error {
	if n == 0 {
		for range p.rows {
			d.offsets = append(d.offsets, int32(len(d.data)))
		}
		return nil
	}
	if err := checkDelta(p.values, n); err != nil {
		return err
	}
	data, ends, err := new(delta.LengthByteArrayEncoding).DecodeByteArray(d.data[len(d.data):], p.values, d.ends)
	if err != nil {
		return err
	}
	if len(ends) != n+1 {
		return fmt.Errorf("%d texts, not %d", len(ends)-1, n)
	}
	base, next := int32(len(d.data)), 0
	for i := d.at; i < d.at+p.rows; i++ {
		if d.valid.Valid(i) {
			next++
		}
		d.offsets = append(d.offsets, base+int32(ends[next]))
	}
	d.data, d.ends = append(d.data, data...), ends
	return nil
}

func (d *textDecoder) array() arrow.Array { return event.NewStrings(d.offsets, d.data, d.valid) }

// codeDecoder gathers codes into a dictionary.
type codeDecoder struct {
	validity
	codes []int32
	bound uint32 // no code exceeds it
	used  bool   // some row has a value
}

func (d *codeDecoder) add(p rawPage) error {
	n, err := d.addLevels(p)
	if err != nil {
		return err
	}
	if p.encoding != format.RLEDictionary || len(p.values) == 0 || p.values[0] > 32 {
		return fmt.Errorf("unexpected encoding %s", p.encoding)
	}
	dst := d.codes[d.at : d.at+p.rows]
	bound, err := decodeHybrid(dst[:n], p.values[1:], uint(p.values[0]))
	if err != nil {
		return err
	}
	d.bound, d.used = d.bound|bound, d.used || n > 0
	spread(dst, n, d.valid, d.at)
	d.at += p.rows
	return nil
}

func (d *codeDecoder) array() arrow.Array { panic("parquet: codes without their dictionary") }
