package exec

import (
	"math/bits"
	"math/rand/v2"
)

// intTable numbers distinct integers densely, in order of first appearance: open addressing with linear probing, at most half
// full. The hash is seeded at random, so that no client can choose keys that collide.
type intTable struct {
	slots []intSlot
	mask  uint64
	used  int
	seed  uint64

	touched uint32 // what touch read, so that the loads stay
}

// intSlot keeps key and number on one cache line.
type intSlot struct {
	key int64
	id  uint32 // the number plus one; 0 marks an empty slot
}

const (
	firstSlots  = 256
	intSlotSize = 16
)

func newIntTable() *intTable {
	seed := rand.Uint64() //nolint:gosec // the runtime seeds it: enough against chosen keys
	return &intTable{slots: make([]intSlot, firstSlots), mask: firstSlots - 1, seed: seed}
}

// hash folds the 128-bit product of the seeded key with an odd constant (the golden ratio's), as wyhash does.
func (t *intTable) hash(key int64) uint64 {
	high, low := bits.Mul64(uint64(key)^t.seed, 0x9e3779b97f4a7c15)
	return high ^ low
}

// insert is the number of key, which is a new one if key is.
func (t *intTable) insert(key int64) uint32 {
	for at := t.hash(key) & t.mask; ; at = (at + 1) & t.mask {
		slot := &t.slots[at]
		if slot.id == 0 {
			return t.add(slot, key)
		}
		if slot.key == key {
			return slot.id - 1
		}
	}
}

// touch loads the slots that the look-ups of keys begin at, where the table is large: see touchAhead.
func (t *intTable) touch(keys []int64) {
	if len(t.slots) < touchSlots {
		return
	}
	var touched uint32
	for _, key := range keys {
		touched += t.slots[t.hash(key)&t.mask].id
	}
	t.touched = touched
}

func (t *intTable) add(slot *intSlot, key int64) uint32 {
	t.used++
	*slot = intSlot{key: key, id: uint32(t.used)}
	id := slot.id - 1
	if 2*t.used > len(t.slots) {
		t.grow()
	}
	return id
}

func (t *intTable) grow() {
	old := t.slots
	t.slots = make([]intSlot, grownSlots(len(old)))
	t.mask = uint64(len(t.slots) - 1)
	for _, slot := range old {
		if slot.id == 0 {
			continue
		}
		at := t.hash(slot.key) & t.mask
		for t.slots[at].id != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = slot
	}
}

// reset forgets all keys and keeps the memory.
func (t *intTable) reset() {
	clear(t.slots)
	t.used = 0
}

func (t *intTable) bytes() int64 { return int64(len(t.slots)) * intSlotSize }
