package exec

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
)

// textTable numbers distinct texts densely, in order of first appearance. It keeps one copy of each, end to end. Like intTable
// it is seeded at random and at most half full.
type textTable struct {
	slots []textSlot
	mask  uint64
	ends  []int // by number: where the text ends in data
	data  []byte
	seeds [2]uint64
}

// textSlot holds a text of up to 11 bytes itself, so that looking it up costs one cache miss and not one for each of slot, end
// and text.
type textSlot struct {
	word uint64 // the first 8 bytes; of a longer text its hash
	rest uint32 // the next 3 bytes, and above them the length; of a longer text longText
	id   uint32 // the number plus one; 0 marks an empty slot
}

const (
	textSlotSize = 16
	inlineText   = 11
	longText     = math.MaxUint32
)

func newTextTable() *textTable {
	seeds := [2]uint64{rand.Uint64(), rand.Uint64()} //nolint:gosec // the runtime seeds it: enough against chosen keys
	return &textTable{slots: make([]textSlot, firstSlots), mask: firstSlots - 1, seeds: seeds}
}

// slotOf is the slot that a text belongs in, without a number. Of two texts that are short it is the same only if they are.
func (t *textTable) slotOf(text string) textSlot {
	n := len(text)
	slot := textSlot{rest: uint32(n) << 24}
	switch {
	case n > inlineText:
		return textSlot{word: xxh3.HashStringSeed(text, t.seeds[0]), rest: longText}
	case n >= 8:
		// Two loads that may overlap; what overlaps is shifted out.
		slot.word = uint64(load32(text)) | uint64(load32(text[4:]))<<32
		slot.rest |= load32(text[n-4:]) >> (8 * (12 - n))
	case n >= 4:
		slot.word = uint64(load32(text)) | uint64(load32(text[n-4:])>>(8*(8-n)))<<32
	case n > 0:
		slot.word = uint64(text[0]) | uint64(text[n/2])<<8 | uint64(text[n-1])<<16
	}
	return slot
}

// load32 is the first 4 bytes of a text; the compiler makes one load of it.
func load32(text string) uint32 {
	_ = text[3]
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24
}

// hash folds the 128-bit product of both seeded halves, as wyhash does.
func (t *textTable) hash(s textSlot) uint64 {
	if s.rest == longText {
		return s.word
	}
	high, low := bits.Mul64(s.word^t.seeds[0], uint64(s.rest)^t.seeds[1])
	return high ^ low
}

// insert is the number of text, which is a new one if text is.
func (t *textTable) insert(text string) uint32 {
	wanted := t.slotOf(text)
	slot := t.locate(wanted, text)
	if slot.id != 0 {
		return slot.id - 1
	}
	t.data = append(t.data, text...)
	t.ends = append(t.ends, len(t.data))
	wanted.id = uint32(len(t.ends))
	*slot = wanted
	if 2*len(t.ends) > len(t.slots) {
		t.grow()
	}
	return wanted.id - 1
}

// locate is the slot that holds text, or the empty one where it would be put.
func (t *textTable) locate(wanted textSlot, text string) *textSlot {
	for at := t.hash(wanted) & t.mask; ; at = (at + 1) & t.mask {
		slot := &t.slots[at]
		if slot.id == 0 {
			return slot
		}
		if slot.word == wanted.word && slot.rest == wanted.rest && (slot.rest != longText || string(t.at(slot.id-1)) == text) {
			return slot
		}
	}
}

func (t *textTable) grow() {
	old := t.slots
	t.slots = make([]textSlot, 4*len(old))
	t.mask = uint64(len(t.slots) - 1)
	for _, slot := range old {
		if slot.id == 0 {
			continue
		}
		at := t.hash(slot) & t.mask
		for t.slots[at].id != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = slot
	}
}

// at is the text with a number.
func (t *textTable) at(number uint32) []byte {
	start := 0
	if number > 0 {
		start = t.ends[number-1]
	}
	return t.data[start:t.ends[number]]
}

// count is how many distinct texts there are.
func (t *textTable) count() int { return len(t.ends) }

// column lays out all texts by number.
func (t *textTable) column() (arrow.Array, error) {
	if len(t.data) > math.MaxInt32 {
		return nil, event.Errorf(event.CodeTooLarge, "the distinct texts of one GROUP BY column exceed 2 GiB")
	}
	offsets := make([]int32, 1, len(t.ends)+1)
	for _, end := range t.ends {
		offsets = append(offsets, int32(end))
	}
	return event.NewStrings(offsets, t.data, nil), nil
}

func (t *textTable) bytes() int64 {
	return int64(textSlotSize*len(t.slots) + 8*cap(t.ends) + cap(t.data))
}
