package segments

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// stretchRows is how many rows share an entry of textSums.
const stretchRows = 64

// textSums tells how much text a column has in any range of rows, which are added in order.
type textSums struct {
	// base is the first row of which something is known, the first of a stretch; rows counts those known from there on.
	base, rows int
	// total is the text before each stretch, the first element that before base, and last that before the end.
	total []int64
	last  int64
}

// add tells of the next rows, by the length of their texts.
func (s *textSums) add(lengths []uint32) {
	for len(lengths) > 0 {
		if s.rows%stretchRows == 0 {
			s.total = append(s.total, s.last)
		}
		n := min(len(lengths), stretchRows-s.rows%stretchRows)
		for _, length := range lengths[:n] {
			s.last += int64(length)
		}
		s.rows, lengths = s.rows+n, lengths[n:]
	}
}

// addPlaces tells of the next rows, by where they come from and the lengths there.
func (s *textSums) addPlaces(order []place, lengths [][]uint32) {
	var next [stretchRows]uint32
	for places := range slices.Chunk(order, stretchRows) {
		for i, p := range places {
			next[i] = lengths[p.batch][p.row]
		}
		s.add(next[:len(places)])
	}
}

// forget drops what is known of the stretches before a row.
func (s *textSums) forget(before int) {
	if n := min((before-s.base)/stretchRows, len(s.total)); n > 0 {
		s.total = append(s.total[:0], s.total[n:]...)
		s.base, s.rows = s.base+n*stretchRows, s.rows-n*stretchRows
	}
}

// between is how much text rows from..to have, or a bound above it: what stands in the stretches at both ends counts too.
func (s *textSums) between(from, to int) int {
	end := s.last
	if high := (to - s.base + stretchRows - 1) / stretchRows; high < len(s.total) {
		end = s.total[high]
	}
	return int(end - s.total[(from-s.base)/stretchRows])
}

// hasText reports whether values of a type are of any length.
func hasText(t event.Type) bool {
	return t.Kind == event.Text || t.Kind == event.JSONB || t.Kind == event.Bytea
}

// textViews gives access to the texts of a column's parts.
func textViews(parts []arrow.Array) []textView {
	views := make([]textView, len(parts))
	for i, part := range parts {
		if binary, ok := part.(*array.Binary); ok {
			part = event.AsText(binary)
		}
		views[i] = newTextView(part)
	}
	return views
}

// textLengths appends the length of each text of a column; that of a NULL is 0, or what its place takes.
func textLengths(out []uint32, part arrow.Array) []uint32 {
	if part.NullN() == part.Len() {
		return append(out, make([]uint32, part.Len())...)
	}
	v := textViews([]arrow.Array{part})[0]
	if v.codes == nil {
		for row := range part.Len() {
			out = append(out, uint32(v.offsets[row+1]-v.offsets[row]))
		}
		return out
	}
	valid := event.ValidityOf(part)
	for row, code := range v.codes {
		length := uint32(0)
		if valid.Valid(row) { // the code of a NULL may be anything
			length = uint32(v.offsets[code+1] - v.offsets[code])
		}
		out = append(out, length)
	}
	return out
}
