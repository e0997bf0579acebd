package decode

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// sumColumns is Sum by the columns: their names, types and buffers.
func (c *Chunk) sumColumns() [16]byte {
	h := xxh3.New128()
	var scratch []byte
	for i, values := range c.Columns {
		t := c.typeOf(i)
		scratch = binary.AppendUvarint(scratch[:0], uint64(len(c.Fields[i].Name)))
		scratch = append(scratch, c.Fields[i].Name...)
		scratch = append(scratch, byte(t.Kind), byte(t.Precision), byte(t.Scale))
		scratch = binary.AppendUvarint(scratch, uint64(values.Len()))
		_, _ = h.Write(scratch) // never fails
		sumValues(h, values)
	}
	_, _ = h.Write(binary.AppendUvarint(scratch[:0], uint64(c.Rows)))
	c.sumRefused(h)
	return h.Sum128().Bytes()
}

// sumValues adds an array that begins at the start of its buffers, each with its length.
func sumValues(h *xxh3.Hasher128, values arrow.Array) {
	for i, buffer := range values.Data().Buffers() {
		var bytes []byte
		if buffer != nil {
			bytes = buffer.Bytes()
		}
		if i == 0 && values.NullN() == 0 {
			bytes = nil
		}
		_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(bytes))))
		_, _ = h.Write(bytes)
	}
}

// typed reports whether the chunk itself says of which types the columns of a new stream are, and one has room for all.
func (c *Chunk) typed() bool {
	if c.Columns == nil || len(c.Fields) >= catalog.MaxColumns {
		return false
	}
	return !slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Type.Kind == event.Unknown })
}

const (
	// valueText is more than any value takes as text that is not of any length, with what stands around it.
	valueText = 64
	// escapeText is how many bytes of a text one byte of a string can become.
	escapeText = 6
)

// shortRows reports whether no row can be longer as text than a row may be. It looks no closer than it has to.
func (c *Chunk) shortRows() bool {
	longest := 0
	for i, values := range c.Columns {
		data := int32(0)
		offsets := offsetsOf(values)
		for row := 1; row < len(offsets); row++ {
			data = max(data, offsets[row]-offsets[row-1])
		}
		longest += valueText + escapeText*(len(c.Fields[i].Name)+int(data))
	}
	return longest <= MaxRowBytes || c.longestRow() <= MaxRowBytes
}

// longestRow is the most that a row can be as text.
func (c *Chunk) longestRow() int {
	rows := make([]int, c.Rows)
	for i, values := range c.Columns {
		fixed, offsets := valueText+escapeText*len(c.Fields[i].Name), offsetsOf(values)
		for row := range rows {
			if values.IsNull(row) {
				continue
			}
			rows[row] += fixed
			if offsets != nil {
				rows[row] += escapeText * int(offsets[row+1]-offsets[row])
			}
		}
	}
	return slices.Max(append(rows, 0))
}

// offsetsOf are where the values of any length of a column begin and end; nil for other columns.
func offsetsOf(values arrow.Array) []int32 {
	switch a := values.(type) {
	case *array.String:
		return a.ValueOffsets()
	case *array.Binary:
		return a.ValueOffsets()
	default:
		return nil
	}
}

// joinColumns joins the columns of chunks that all have the same; nil where they do not.
func joinColumns(chunks []*Chunk) ([]arrow.Array, int) {
	rows := 0
	for _, c := range chunks {
		if c.Columns == nil || len(c.Fields) != len(chunks[0].Fields) {
			return nil, 0
		}
		for i, f := range c.Fields {
			if f.Name != chunks[0].Fields[i].Name || !c.typeOf(i).Equal(chunks[0].typeOf(i)) {
				return nil, 0
			}
		}
		rows += c.Rows
	}
	out := make([]arrow.Array, len(chunks[0].Columns))
	for i := range out {
		parts := make([]arrow.Array, len(chunks))
		for at, c := range chunks {
			parts[at] = c.Columns[i]
		}
		var err error
		if out[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			return nil, 0
		}
	}
	return out, rows
}
