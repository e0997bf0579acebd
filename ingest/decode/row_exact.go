package decode

import (
	"fmt"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// exactRow adds the row, or sets Drift, or says why it must be rejected; it may then have stored some of its values. Only a row that is
// acceptable in all else can drift.
func (d *decoder) exactRow(raw []byte) (reason string) {
	members, reason := d.members.read(raw)
	if reason != "" {
		return reason
	}
	drift, duplicates := false, 0
	d.gathered = d.gathered[:0]
	for i := range members {
		m := &members[i]
		at, known := d.find(m.name)
		switch {
		case m.replaced && known:
			duplicates++
		case m.replaced || !known && m.isNull():
		case !known && d.overflows(m.name):
			d.gather(m)
		case known && d.storeAlone(&d.columns[at], m.value):
		case known && (d.mode != catalog.Evolve || !d.columns[at].canWiden(m.value)):
			return d.columns[at].refusal(m.value)
		case known:
			d.hold(&d.columns[at])
			drift = true
		case d.mode == catalog.Evolve:
			drift = true
		case d.mode != catalog.Ignore:
			return fmt.Sprintf("unknown field %q", shorten([]byte(m.name)))
		}
	}
	d.storeGathered()
	if missing := d.complete(); missing != nil {
		return missing.refusal(nil)
	}
	d.out.Drift = drift
	d.out.DuplicateKeys += duplicates
	return ""
}

// storeAlone stores a checked value that stands by itself.
func (d *decoder) storeAlone(c *column, value []byte) bool {
	d.text, d.ahead = value, value
	return d.store(c, 0) == len(value)
}

// hold keeps the place of a value that the column will hold once it has widened.
func (d *decoder) hold(c *column) {
	c.begin(d.out.Count)
	c.addNull()
}

// canWiden reports whether the column may take a wider type for the sake of a value that it cannot hold.
func (c *column) canWiden(value []byte) bool {
	return !c.eventTime && c.as == nil && (c.inferred || !declaredOnly(c.kind)) && string(value) != "null"
}

// refusal says why the column cannot take a value; nil is a missing one.
func (c *column) refusal(value []byte) string {
	switch {
	case value == nil || string(value) == "null":
		return fmt.Sprintf("field %q must have a value", shorten([]byte(c.name)))
	case c.eventTime:
		if event.AmbiguousDate(strings.Trim(string(value), `"`)) {
			return fmt.Sprintf("field %q: %s may begin with its day or its month; write 2026-12-31", shorten([]byte(c.name)), shorten(value))
		}
		if _, written := event.WrittenTimestamp(strings.Trim(string(value), `"`)); written {
			return fmt.Sprintf("field %q: %s is not of the years 1 to 9999", shorten([]byte(c.name)), shorten(value))
		}
		return fmt.Sprintf("field %q: %s is not a readable time", shorten([]byte(c.name)), shorten(value))
	case c.as != nil:
		return fmt.Sprintf("field %q: %s does not fit %s", shorten([]byte(c.name)), shorten(value), c.as)
	default:
		return fmt.Sprintf("field %q: %s does not fit %s", shorten([]byte(c.name)), shorten(value), c.typ)
	}
}
