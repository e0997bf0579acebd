package decode

import (
	"bytes"
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// textCodes numbers the texts of a column of which many rows are expected, for as long as few of them differ. The column then becomes a
// dictionary: the tail holds each text once, and whoever groups by the column, or writes it to a segment, looks at each once. While a column has
// codes, its data and offsets are those of the distinct texts. Every decode numbers anew, so that it stays a function of what it is given.
type textCodes struct {
	codes []int32 // by row; 0 for NULL
	// heads are by number the first bytes of the text as a word, zero behind its end.
	heads [mostCodes]uint64
	// slots are an open-addressing table of numbers plus one, by both ends of the text and its length, in which texts that are alike mostly differ.
	slots [codeSlots]uint16
	// recalled finds the longer ones where they lie.
	recalled recalled
}

const (
	// leastCoded is the least number of rows for which texts are numbered: vectors of fewer are joined to others, and have little to save.
	leastCoded = 512
	// mostCodes is how many texts may differ, in slots that are at most half full. Regions, services, states and browsers have fewer.
	mostCodes, slotBits, codeSlots = 256, 9, 1 << slotBits
	// surveyCodes is the number of distinct texts at which it is seen that nearly every row has another one: identifiers, and most paths.
	surveyCodes = 64
	// mostProbes bounds the search for a text, as a sender could choose texts that fall into one place.
	mostProbes = 8
	// golden is 2 to the power of 64, divided by the golden ratio: the upper bits of a product with it tell similar words apart.
	golden = 0x9e3779b97f4a7c15
	// spareCodeBytes is the room behind the distinct texts.
	spareCodeBytes = 128
)

// codeText gives the row of a column with codes the text that was appended to data, and takes it off again if it is a known one.
func (c *column) codeText() {
	c.roomForCode(len(c.data)) // for words behind the text; an empty one has needed none
	t, start := c.coded, int(c.offsets[len(c.offsets)-1])
	text := c.data[start:]
	head := binary.LittleEndian.Uint64(c.data[start : start+wordBytes])
	tail := uint64(0)
	if n := len(text); n > wordBytes {
		tail = binary.LittleEndian.Uint64(text[n-wordBytes:])
	} else {
		head &^= ^uint64(0) << (8 * n)
	}
	for at, probes := mixText(head, tail, len(text)), 0; probes < mostProbes; at, probes = at+1, probes+1 {
		slot := &t.slots[at%codeSlots]
		if *slot == 0 {
			c.newCode(slot, head, text)
			return
		}
		number := int(*slot) - 1
		from, to := int(c.offsets[number]), int(c.offsets[number+1])
		if t.heads[number] == head && to-from == len(text) && (to-from <= wordBytes || bytes.Equal(text, c.data[from:to])) {
			t.remember(text, number)
			t.codes = append(t.codes, int32(number))
			c.data = c.data[:start]
			c.added()
			return
		}
	}
	c.newCode(nil, head, text)
}

// newCode gives the row a text that has no code yet, to be found in a slot; nil if there is none for it.
func (c *column) newCode(slot *uint16, head uint64, text []byte) {
	if slot == nil || !c.codesPay() {
		c.expand()
		c.room(len(text))
		c.data = append(c.data, text...)
	} else {
		number := len(c.offsets) - 1
		*slot, c.coded.heads[number] = uint16(number+1), head
		c.coded.codes = append(c.coded.codes, int32(number))
		c.roomForCode(len(c.data) + len(text))
	}
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.added()
}

// codesPay reports whether there may be one more distinct text.
func (c *column) codesPay() bool {
	distinct := len(c.offsets) - 1
	if distinct == surveyCodes && len(c.coded.codes) < surveyCodes*5/4 {
		return false
	}
	return distinct < mostCodes
}

// expand gives up the codes: data and offsets become those of the rows up to now. The offsets take the place of the codes, each once the code there is read: in
// new memory they would take as much again, for all the rows that are expected.
func (c *column) expand() {
	codes, ends, data := c.coded.codes, c.offsets, c.data
	c.coded = nil
	size := 0
	for row, code := range codes {
		if c.valid.Valid(row) {
			size += int(ends[code+1] - ends[code])
		}
	}
	c.data = nil
	c.room(size)
	c.offsets = codes
	c.offsets = append(c.offsets, 0)
	code := c.offsets[0]
	c.offsets[0] = 0
	for row := range codes {
		next := c.offsets[row+1]
		if c.valid.Valid(row) {
			c.data = append(c.data, data[ends[code]:ends[code+1]]...)
		}
		c.offsets[row+1], code = int32(len(c.data)), next
	}
}

// roomForCode is room for a column with codes. There is always some more, so that the texts to come, which are about as long, are copied and looked
// up by words.
func (c *column) roomForCode(need int) {
	if need += spareCodeBytes; need <= cap(c.data) {
		return
	}
	grown := make([]byte, len(c.data), max(need, 2*cap(c.data)))
	copy(grown, c.data)
	c.data = grown
}

// finishCodes is finish for a column with codes.
func (c *column) finishCodes() arrow.Array {
	if len(c.offsets) == 1 { // there is no text that the codes could stand for
		return event.NewStrings(make([]int32, len(c.coded.codes)+1), nil, c.valid)
	}
	return event.NewDictionary(c.coded.codes, event.NewStrings(c.offsets, c.data, nil), c.valid)
}
