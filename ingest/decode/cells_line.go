package decode

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// CellForm says how the cells of a line are written.
type CellForm struct {
	// Delimiter stands between cells.
	Delimiter byte
	// Nulls are the texts that mean NULL.
	Nulls []string
	// AsJSON are what Add is called with, for each field.
	AsJSON []func(dst, text []byte) []byte
}

// cellForm is a form, and how it is looked up.
type cellForm struct {
	CellForm
	delimiters uint64    // the delimiter in each byte
	begins     [256]bool // the first bytes of the texts that mean NULL, but for the empty one
	empty      bool      // the empty text means NULL
}

// Written says how the lines are written that ReadLine is to take, and whether it can: not where the delimiter is a character that numbers, times or words
// are made of.
func (c *Cells) Written(form CellForm) bool {
	if isDigit(form.Delimiter) || form.Delimiter|0x20 >= 'a' && form.Delimiter|0x20 <= 'z' || bytes.IndexByte([]byte("+-.:"), form.Delimiter) >= 0 {
		return false
	}
	c.form = &cellForm{CellForm: form, delimiters: eachLow * uint64(form.Delimiter)}
	for _, null := range form.Nulls {
		if null == "" {
			c.form.empty = true
			continue
		}
		c.form.begins[null[0]] = true
	}
	return true
}

// ReadLine adds the row of the line that text begins with, if nothing about it is unusual: it has a cell for each field, quotes around texts alone and nothing
// in those that would have to be escaped, its values are those of its columns, and its end is there. It gives the index behind the line break. 0 says nothing
// about the line but that somebody else must look at it, and then no row is added. A line may end with CR and LF.
func (c *Cells) ReadLine(text []byte) (end int) {
	if len(text) == 0 || text[0] == '\n' || text[0] == '\r' {
		return 0 // there may be one field only
	}
	i, row, last := 0, c.decoder.out.Count, len(c.columns)-1
	for at, to := range c.columns {
		if i = c.readCell(to, at, text, i, row); i < 0 || i >= len(text) {
			return c.undo()
		}
		switch {
		case at == last:
		case text[i] != c.form.Delimiter:
			return c.undo()
		default:
			if i++; i == len(text) {
				return c.undo()
			}
		}
	}
	if text[i] == '\r' && i+1 < len(text) {
		i++
	}
	if text[i] != '\n' || i >= MaxRowBytes {
		return c.undo()
	}
	c.decoder.out.Count++
	return i + 1
}

// undo takes back what of the present row was added. It returns 0.
func (c *Cells) undo() int {
	for _, to := range c.columns {
		to.truncate(c.decoder.out.Count)
	}
	return 0
}

// readCell adds the cell at i to its column, and gives the index behind it; -1 where it is unusual.
func (c *Cells) readCell(to *column, field int, text []byte, i, row int) (end int) {
	first := text[i]
	if first == c.form.Delimiter || first == '\n' || first == '\r' {
		if !c.form.empty {
			return c.readOther(field, text, i)
		}
		return i
	}
	if c.form.begins[first] {
		return c.readOther(field, text, i)
	}
	if !to.begin(row) {
		return -1
	}
	switch to.form {
	case formText:
		var n int
		room := to.data[len(to.data):cap(to.data)]
		if first == '"' {
			n, end = copyQuoted(room, text, i+1)
		} else {
			n, end = copyCell(room, text, i, c.form.delimiters)
		}
		if end >= 0 {
			to.data = to.data[:len(to.data)+n]
			to.addText()
			return end
		}
	case formInteger:
		if v, end := FastInteger(text, i); end >= 0 && c.ends(text[end]) {
			to.addInt(v)
			return end
		}
	case formDouble:
		if v, end := FastDouble(text, i); end >= 0 && c.ends(text[end]) {
			to.addFloat(v)
			return end
		}
	case formTime:
		if micros, end := c.decoder.clock.bare(text, i, !to.anySpelling); end >= 0 && c.ends(text[end]) {
			to.addInt(micros)
			return end
		}
	case formBoolean:
		if i+wordBytes <= len(text) {
			if v, end := fastBoolean(text, i); end >= 0 && c.ends(text[end]) {
				to.addBool(v)
				return end
			}
		}
	case formJSON, formOther:
	}
	return c.readOther(field, text, i)
}

// ends reports whether a cell may end before a byte.
func (c *Cells) ends(next byte) bool { return next == c.form.Delimiter || next == '\n' || next == '\r' }

// readOther is readCell for a cell whose end has to be found first.
func (c *Cells) readOther(field int, text []byte, i int) (end int) {
	if end = cellEnd(text, i, c.form.delimiters); end < 0 {
		return -1
	}
	cell := text[i:end]
	for _, null := range c.form.Nulls {
		if string(cell) == null {
			return end
		}
	}
	if !utf8.Valid(cell) || !c.Add(field, cell, c.form.AsJSON[field]) {
		return -1
	}
	return end
}

// cellStops marks the bytes of a word that are a delimiter, a quote or a control character; above the first that is, others may be marked too.
func cellStops(word, delimiters uint64) uint64 {
	return (((word ^ delimiters) - eachLow) | ((word ^ '"'*eachLow) - eachLow) | (word - ' '*eachLow)) &^ word & eachHigh // see stops
}

// copyCell copies a cell without quotes, and gives its length and where it ends; that is -1, and dst holds anything, where a quote or another unusual byte
// comes first, or there is not room for the words that it copies.
func copyCell(dst, text []byte, i int, delimiters uint64) (n, end int) {
	var beyondASCII uint64
	for n+wordBytes <= len(dst) && i+wordBytes <= len(text) {
		word := binary.LittleEndian.Uint64(text[i:])
		binary.LittleEndian.PutUint64(dst[n:], word)
		stop := cellStops(word, delimiters)
		if stop == 0 {
			n, i, beyondASCII = n+wordBytes, i+wordBytes, beyondASCII|word
			continue
		}
		plain := bits.TrailingZeros64(stop) >> 3
		n, i, beyondASCII = n+plain, i+plain, beyondASCII|word&(stop&-stop-1)
		if c := text[i]; c != byte(delimiters) && c != '\n' && c != '\r' || beyondASCII&eachHigh != 0 && !utf8.Valid(dst[:n]) {
			return 0, -1
		}
		return n, i
	}
	return 0, -1
}

// cellEnd is copyCell without the copy, up to the end of the text.
func cellEnd(text []byte, i int, delimiters uint64) int {
	for ; i+wordBytes <= len(text); i += wordBytes {
		if stop := cellStops(binary.LittleEndian.Uint64(text[i:]), delimiters); stop != 0 {
			i += bits.TrailingZeros64(stop) >> 3
			break
		}
	}
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == byte(delimiters) || c == '\n' || c == '\r':
			return i
		case c == '"' || c < ' ':
			return -1
		}
	}
	return -1
}

// copyQuoted is copyCell for the inside of a cell in quotes, which begins at i; the end is behind the closing one. There must be no other quote, and no line
// break.
func copyQuoted(dst, text []byte, i int) (n, end int) {
	n, end = copyCell(dst, text, i, '"'*eachLow)
	if end < 0 || text[end] != '"' || end+1 == len(text) || text[end+1] == '"' {
		return 0, -1
	}
	return n, end + 1
}
