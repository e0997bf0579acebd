package decode

import (
	"bytes"
	"encoding/binary"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// What lookup finds for names that are no column.
const (
	unknownName = -1
	refusedName = -2
)

// fastRow adds the rest of a row, from i on, if nothing about it is unusual. False says nothing about the row but that the exact reader must look at it;
// some of its values may have been stored then. previous stands for the column before i, as follow has it.
func (d *decoder) fastRow(raw []byte, i, previous int) bool {
	if raw[0] != '{' {
		return false
	}
	if i == 0 {
		if end := d.space(1); end+1 == len(raw) && raw[end] == '}' {
			return d.complete() == nil
		}
		i, previous = d.quick(0, 0)
	}
	for members := 0; i >= 0 && members < MaxMembers; members++ {
		at := d.space(i)
		if at >= len(raw) {
			return false
		}
		if raw[at] == '}' {
			return at+1 == len(raw) && d.complete() == nil
		}
		if raw[at] != ',' && i > 0 {
			return false
		}
		name, value := d.fastName(d.space(at + 1))
		switch {
		case value < 0:
			return false
		case name == unknownName:
			if i = d.skipUnknown(value); i < 0 {
				return false
			}
			continue
		}
		c := &d.columns[name]
		c.label.learn(raw[i:value])
		d.follow[previous] = name
		previous = name + 1
		if i = d.store(c, value); i >= 0 {
			i, previous = d.quick(i, previous)
		}
	}
	return false
}

// quick reads members for as long as they are those that followed one another the last time, and are spelled the same. It begins at i, behind the
// value of the column that previous stands for, or at the start of the row, and gives where it ended, and after which column. The index is -1 if a value was
// none for its column.
//
// It looks beyond the end of the row, but does not get there: rows of one chunk have a line end between them, which is part of no value that it
// reads, and of no label.
func (d *decoder) quick(i, previous int) (end, last int) {
	text, row, lead := d.ahead, d.out.Count, uint64(0)
	if i == 0 {
		lead = firstLead
	}
	for {
		guess := d.follow[previous]
		if guess >= len(d.columns) {
			return i, previous
		}
		c := &d.columns[guess]
		at := c.label.End(text, i, lead)
		if at == 0 || !c.begin(row) {
			return i, previous
		}
		end := -1
		switch c.form {
		case formText:
			if text[at] != '"' {
				break
			}
			if c.coded != nil {
				if end = c.recall(text, at+1); end >= 0 {
					break
				}
			}
			var n int
			if n, end = copyText(c.data[len(c.data):cap(c.data)], text, at+1); end >= 0 {
				c.data = c.data[:len(c.data)+n]
				c.addText()
			}
		case formInteger:
			var v int64
			if v, end = FastInteger(text, at); end >= 0 {
				c.addInt(v)
			}
		case formDouble:
			var v float64
			if v, end = FastDouble(text, at); end >= 0 {
				c.addFloat(v)
			}
		case formTime:
			var micros int64
			if micros, end = d.clock.read(text, at, !c.anySpelling); end >= 0 {
				c.addInt(micros)
			}
		case formBoolean:
			var v bool
			if v, end = fastBoolean(text, at); end >= 0 {
				c.addBool(v)
			}
		case formJSON:
			if text[at] == 'n' {
				break
			}
			if end = compactEnd(text, at, 1); end >= 0 {
				c.room(end - at)
				c.data = append(c.data, text[at:end]...)
				c.addText()
			}
		case formOther:
		}
		if end < 0 {
			if end = d.storeBounded(c, at); end < 0 {
				return -1, previous
			}
		}
		i, previous, lead = end, guess+1, 0
	}
}

// storeBounded is store where the end of the row may not be known yet. It matters to values of JSON type, which may have line ends inside.
func (d *decoder) storeBounded(c *column, i int) int {
	if d.text == nil {
		d.text = d.ahead
		if end := bytes.IndexByte(d.ahead[i:], '\n'); end >= 0 {
			d.text = d.ahead[:i+end]
		}
	}
	return d.store(c, i)
}

// The words null, true and false as numbers, and the bits that they take.
const (
	wordNull, maskNull   = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24, 1<<32 - 1
	wordTrue, maskTrue   = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24, 1<<32 - 1
	wordFalse, maskFalse = 'f' | 'a'<<8 | 'l'<<16 | 's'<<24 | 'e'<<32, 1<<40 - 1
)

// fastBoolean reads a boolean; end is -1 for anything else.
func fastBoolean(text []byte, i int) (v bool, end int) {
	switch word := binary.LittleEndian.Uint64(text[i:]); {
	case word&maskTrue == wordTrue:
		return true, i + len("true")
	case word&maskFalse == wordFalse:
		return false, i + len("false")
	default:
		return false, -1
	}
}

// fastName reads the name at i and gives its column and where the value starts.
func (d *decoder) fastName(i int) (name, value int) {
	if i >= len(d.text) || d.text[i] != '"' {
		return refusedName, -1
	}
	end, escaped := d.string(i)
	if end < 0 {
		return refusedName, -1
	}
	inside := d.text[i+1 : end-1]
	if escaped {
		d.scratch = appendUnescaped(d.scratch[:0], inside)
		inside = d.scratch
	}
	value = d.colon(d.space(end))
	if name = d.lookup(inside); name == refusedName || value < 0 {
		return refusedName, -1
	}
	return name, d.space(value)
}

// lookup finds the column of a name.
func (d *decoder) lookup(name []byte) int {
	if i, ok := d.find(unsafeText(name)); ok {
		return i
	}
	if !d.stored && checkName(name) != "" {
		return refusedName
	}
	return unknownName
}

// skipUnknown passes over the value of a field that has no column: NULL, or anything at all where such fields are left out.
func (d *decoder) skipUnknown(i int) int {
	if d.mode == catalog.Ignore && d.overflow < 0 {
		return d.value(i, 1)
	}
	return d.word(i, "null")
}

// store adds the value at i to its column and returns the index behind it; -1 if the column cannot take it or the row has brought
// it one before, in which case nothing was stored.
func (d *decoder) store(c *column, i int) int {
	if i >= len(d.text) {
		return -1
	}
	first := d.text[i]
	if first == 'n' {
		return d.storeNull(c, i)
	}
	if c.as != nil {
		return d.storeAs(c, i, first)
	}
	switch c.kind {
	case event.BigInt:
		return d.storeInteger(c, i, first)
	case event.Double:
		return d.storeDouble(c, i, first)
	case event.Text:
		return d.storeText(c, i, first)
	case event.TimestampTZ:
		return d.storeTime(c, i)
	case event.Boolean:
		return d.storeBoolean(c, i, first)
	case event.JSONB:
		return d.storeJSON(c, i)
	default:
		return d.storeDeclared(c, i, first)
	}
}
