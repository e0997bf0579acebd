package decode

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Most texts of a column with codes have been there before. Those are found where they lie in the row, without a copy: short ones by the words that they
// are, and longer ones by their first words, which say what text it is likely to be.

const (
	// recallBits are those of the number of longer texts that are remembered.
	recallBits, recallSlots = 6, 1 << 6
)

// recalled are numbers plus one of texts of copyBytes and more that hold nothing which JSON would have to escape, by their first words.
type recalled [recallSlots]uint16

func recallSlot(first, second uint64) uint64 {
	return (first ^ bits.RotateLeft64(second, 29)) * golden >> (64 - recallBits)
}

// recall gives the row of a column with codes the text that begins at i, behind a quote, if it is a known one, and gives the index behind the closing quote;
// -1 if it has to be read.
func (c *column) recall(text []byte, i int) (end int) {
	if i < 0 || i > len(text)-copyBytes { // i is never negative, which the compiler learns here
		return -1
	}
	from := text[i : i+copyBytes]
	first, second := binary.LittleEndian.Uint64(from), binary.LittleEndian.Uint64(from[wordBytes:])
	n := plainOf(first, second)
	if n == copyBytes {
		return c.recallLong(text, i, first, second)
	}
	if from[n] != '"' {
		return -1
	}
	t, tail := c.coded, uint64(0)
	if n > wordBytes {
		tail = binary.LittleEndian.Uint64(text[i+n-wordBytes:])
	} else {
		first &^= ^uint64(0) << (8 * n)
	}
	for at, probes := mixText(first, tail, n), 0; probes < mostProbes; at, probes = at+1, probes+1 {
		slot := t.slots[at%codeSlots]
		if slot == 0 {
			return -1
		}
		number := int(slot) - 1
		if t.heads[number] != first {
			continue
		}
		start, stop := int(c.offsets[number]), int(c.offsets[number+1])
		if stop-start == n && (n <= wordBytes || binary.LittleEndian.Uint64(c.data[stop-wordBytes:stop]) == tail) {
			t.codes = append(t.codes, int32(number))
			c.added()
			return i + n + 1
		}
	}
	return -1
}

// recallLong is recall for a text that does not end within its first words.
func (c *column) recallLong(text []byte, i int, first, second uint64) (end int) {
	number := int(c.coded.recalled[recallSlot(first, second)]) - 1
	if number < 0 {
		return -1
	}
	known := c.data[c.offsets[number]:c.offsets[number+1]]
	end = i + len(known)
	if end >= len(text) || text[end] != '"' || !bytes.Equal(text[i:end], known) {
		return -1
	}
	c.coded.codes = append(c.coded.codes, int32(number))
	c.added()
	return end + 1
}

// remember makes a text with a number one that recall finds, where it is long.
func (t *textCodes) remember(text []byte, number int) {
	if len(text) < copyBytes {
		return
	}
	if end, _ := plainEnd(text, 0); end == len(text) {
		t.recalled[recallSlot(binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[wordBytes:]))] = uint16(number + 1)
	}
}

// mixText is where the search for a text begins, by its first word, zero behind its end, its last word if it has more, and its length.
func mixText(head, tail uint64, n int) uint64 {
	return (head ^ bits.RotateLeft64(tail, 29) ^ uint64(n)) * golden >> (64 - slotBits)
}
