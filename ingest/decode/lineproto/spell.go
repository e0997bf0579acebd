package lineproto

import (
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// speller writes lines as JSON: the time, the measurement where it is a column, the tags and the fields, each number as it stands in the line if
// JSON has that spelling.
type speller struct {
	unit                    Unit
	timeColumn, measurement string
}

// texts writes lines that were taken apart before, and so are points.
func (s speller) texts(lines []lineRef, blocks [][]byte) [][]byte {
	p := parser{unit: s.unit, series: map[string]*series{}}
	out := make([][]byte, len(lines))
	var text []byte
	for i, line := range lines {
		_, _ = p.parse(blocks[line.block][line.start:line.end])
		start := len(text)
		text = s.row(text, &p.point)
		out[i] = text[start:len(text):len(text)]
	}
	return out
}

func (s speller) row(dst []byte, p *point) []byte {
	start := len(dst)
	dst = append(dst, '{')
	if p.hasTime {
		dst = append(event.AppendTimestamp(append(member(dst, start, s.timeColumn), '"'), p.micros), '"')
	}
	if s.measurement != "" {
		dst = event.AppendJSONString(member(dst, start, measurementColumn), s.measurement)
	}
	for _, t := range p.series.tags {
		dst = event.AppendJSONString(member(dst, start, t.key), t.value)
	}
	for i := range p.fields {
		f := &p.fields[i]
		dst = f.appendJSON(member(dst, start, text(f.key)))
	}
	return append(dst, '}')
}

// member begins a member of the object that begins at start.
func member(dst []byte, start int, name string) []byte {
	if len(dst) > start+1 {
		dst = append(dst, ',')
	}
	return append(event.AppendJSONString(dst, name), ':')
}

// appendJSON writes the field's value.
func (f *field) appendJSON(dst []byte) []byte {
	switch f.kind {
	case event.Text:
		return event.AppendJSONString(dst, text(f.text))
	case event.Boolean:
		return strconv.AppendBool(dst, f.integer == 1)
	case event.Double:
		if _, asJSON, ok := decode.ParseDouble(f.text); ok && asJSON {
			return append(dst, f.text...)
		}
		return decode.AppendDouble(dst, f.float)
	default:
		digits, unsigned := f.text[:len(f.text)-1], f.text[len(f.text)-1] == 'u'
		switch _, ok := decode.ParseInteger(digits); {
		case ok:
			return append(dst, digits...)
		case unsigned:
			return strconv.AppendUint(dst, uint64(f.integer), 10)
		default:
			return strconv.AppendInt(dst, f.integer, 10)
		}
	}
}
