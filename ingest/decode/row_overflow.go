package decode

import (
	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// overflows reports whether a field without a column of its own goes to the overflow column. It does so whatever the schema's mode, unless that
// would reject it: a row is read again under the schema that it was stored with, and not under the mode. The overflow column's own
// name always stands for it.
func (d *decoder) overflows(name string) bool {
	return d.overflow >= 0 && (d.mode != catalog.Strict || name == d.columns[d.overflow].name)
}

// gather adds a member to the object that the overflow column will hold. An object that comes under the column's own name, as queries give
// it away, is taken apart again.
func (d *decoder) gather(m *member) {
	start := len(d.gathered)
	d.gathered = append(d.gathered, ',')
	if m.name == d.columns[d.overflow].name && m.value[0] == '{' {
		d.gathered = appendCompact(d.gathered, m.value)
		inside := d.gathered[start+2 : len(d.gathered)-1] // without the brackets
		copy(d.gathered[start+1:], inside)
		if d.gathered = d.gathered[:start+1+len(inside)]; len(inside) == 0 {
			d.gathered = d.gathered[:start]
		}
	} else {
		d.gathered = append(event.AppendJSONString(d.gathered, m.name), ':')
		d.gathered = appendCompact(d.gathered, m.value)
	}
	if start == 0 && len(d.gathered) > 0 {
		d.gathered[0] = '{'
	}
}

// storeGathered gives the row's object to the overflow column. A row that gathered nothing has NULL there.
func (d *decoder) storeGathered() {
	if len(d.gathered) == 0 {
		return
	}
	c := &d.columns[d.overflow]
	c.begin(d.out.Count)
	c.room(len(d.gathered) + 1)
	c.data = append(append(c.data, d.gathered...), '}')
	c.addText()
}
