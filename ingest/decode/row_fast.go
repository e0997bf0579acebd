package decode

import (
	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// What lookup finds for names that are no column.
const (
	unknownName = -1
	refusedName = -2
)

// fastRow adds the row if nothing about it is unusual. False says nothing about the row but that the exact reader must look at it;
// it may have stored some of its values.
func (d *decoder) fastRow(raw []byte) bool {
	d.text = raw
	if raw[0] != '{' {
		return false
	}
	i := d.space(1)
	if i+1 == len(raw) && raw[i] == '}' {
		return d.complete() == nil
	}
	name, i := d.fastName(i, 0)
	for previous, members := 0, 0; i >= 0 && members < MaxMembers; members++ {
		if name == unknownName {
			i = d.skipUnknown(i)
		} else {
			d.follow[previous] = name
			previous = name + 1
			i = d.store(&d.columns[name], i)
		}
		if i < 0 {
			return false
		}
		if guess, value := d.expected(i, previous); value > 0 {
			name, i = guess, value
			continue
		}
		if i = d.space(i); i >= len(raw) {
			return false
		}
		if raw[i] == '}' {
			return i+1 == len(raw) && d.complete() == nil
		}
		if raw[i] != ',' {
			return false
		}
		name, i = d.fastName(d.space(i+1), previous)
	}
	return false
}

// expected reads a comma and the name of the column that came after the previous one the last time, where they stand at i without a
// space between them. It gives the column, and where the value starts: 0 if something else is there.
func (d *decoder) expected(i, previous int) (name, value int) {
	guess := d.follow[previous]
	if guess >= len(d.columns) {
		return 0, 0
	}
	end := d.columns[guess].label.end(d.text, i)
	if end >= len(d.text) || end == 0 {
		return 0, 0
	}
	if d.text[end] <= ' ' {
		end = d.space(end)
	}
	return guess, end
}

// fastName reads the name at i and gives its column and where the value starts. The column expected after the previous one is tried
// first, by comparing the name as it most likely stands there.
func (d *decoder) fastName(i, previous int) (name, value int) {
	if guess := d.follow[previous]; guess < len(d.columns) {
		label := d.columns[guess].label.text[1:]
		if end := i + len(label); end <= len(d.text) && string(d.text[i:end]) == label {
			return guess, d.space(end)
		}
	}
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
	if i, ok := d.byName[string(name)]; ok {
		return i
	}
	if checkName(name) != "" {
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
	if first == '"' && c.isText && c.begin(d.out.Count) {
		if n := copyPlain(c.data[len(c.data):cap(c.data)], d.text[i+1:]); n >= 0 {
			c.data = c.data[:len(c.data)+n]
			c.addText()
			return i + n + 2
		}
	}
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
