package decode

import (
	"encoding/binary"

	"github.com/tidemarkdb/tidemark/event"
)

// label is a column's name as it usually stands in a row: after a comma, quoted and followed by a colon.
type label struct {
	text string
	// Its first and its last eight bytes, as numbers; of a shorter one all, under a mask.
	head, tail, mask uint64
}

func newLabel(text string) label {
	var padded [wordBytes]byte
	n := copy(padded[:], text)
	l := label{text: text, head: binary.LittleEndian.Uint64(padded[:]), mask: ^uint64(0) >> (8 * (wordBytes - n))}
	if len(text) > wordBytes {
		copy(padded[:], text[len(text)-wordBytes:])
		l.tail = binary.LittleEndian.Uint64(padded[:])
	}
	return l
}

// end is the index behind the label, if it stands at i; else 0.
func (l *label) end(text []byte, i int) int {
	n := len(l.text)
	end := i + n
	if i+wordBytes > len(text) || end > len(text) {
		if end <= len(text) && string(text[i:end]) == l.text {
			return end
		}
		return 0
	}
	if binary.LittleEndian.Uint64(text[i:])&l.mask != l.head {
		return 0
	}
	if n > wordBytes && binary.LittleEndian.Uint64(text[end-wordBytes:]) != l.tail {
		return 0
	}
	if n > 2*wordBytes && string(text[i+wordBytes:end-wordBytes]) != l.text[wordBytes:n-wordBytes] {
		return 0
	}
	return end
}

// labelsOf gives the label of each column.
func labelsOf(schema *event.Schema) []label {
	var text []byte
	ends := make([]int, len(schema.Columns))
	for i := range schema.Columns {
		text = append(event.AppendJSONString(append(text, ','), schema.Columns[i].Name), ':')
		ends[i] = len(text)
	}
	all, start := string(text), 0
	labels := make([]label, len(ends))
	for i, end := range ends {
		labels[i], start = newLabel(all[start:end]), end
	}
	return labels
}
