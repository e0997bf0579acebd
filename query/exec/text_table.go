package exec

import (
	"math"
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
	seed  uint64
}

type textSlot struct {
	tag uint32 // bits of the hash that do not choose the slot, to tell most texts apart unseen
	id  uint32 // the number plus one; 0 marks an empty slot
}

const textSlotSize = 8

func newTextTable() *textTable {
	seed := rand.Uint64() //nolint:gosec // the runtime seeds it: enough against chosen keys
	return &textTable{slots: make([]textSlot, firstSlots), mask: firstSlots - 1, seed: seed}
}

// insert is the number of text, which is a new one if text is.
func (t *textTable) insert(text string) uint32 {
	hash := t.hash(text)
	tag := uint32(hash >> 32)
	for at := hash & t.mask; ; at = (at + 1) & t.mask {
		slot := &t.slots[at]
		if slot.id == 0 {
			return t.add(slot, tag, text)
		}
		if slot.tag == tag && string(t.at(slot.id-1)) == text {
			return slot.id - 1
		}
	}
}

func (t *textTable) hash(text string) uint64 { return xxh3.HashStringSeed(text, t.seed) }

func (t *textTable) add(slot *textSlot, tag uint32, text string) uint32 {
	t.data = append(t.data, text...)
	t.ends = append(t.ends, len(t.data))
	*slot = textSlot{tag: tag, id: uint32(len(t.ends))}
	id := slot.id - 1
	if 2*len(t.ends) > len(t.slots) {
		t.grow()
	}
	return id
}

func (t *textTable) grow() {
	t.slots = make([]textSlot, 4*len(t.slots))
	t.mask = uint64(len(t.slots) - 1)
	for i := range t.ends {
		hash := xxh3.HashSeed(t.at(uint32(i)), t.seed)
		at := hash & t.mask
		for t.slots[at].id != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = textSlot{tag: uint32(hash >> 32), id: uint32(i) + 1}
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
