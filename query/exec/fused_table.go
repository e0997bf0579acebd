package exec

import (
	"math/bits"
	"math/rand/v2"
)

// fusedTable numbers distinct pairs of a dense number and an integer, in order of first appearance: open addressing with linear probing,
// at most half full. One look-up numbers what an intTable for the integer and a pairTable would take two for. The hash is
// seeded at random, so that no client can choose keys that collide.
type fusedTable struct {
	slots   []fusedSlot
	mask    uint64
	seeds   [2]uint64
	lefts   []uint32 // by id
	keys    []int64  // by id
	touched uint32   // what touching read, so that the loads stay
}

// fusedSlot keeps pair and number on one cache line.
type fusedSlot struct {
	key  int64
	left uint32
	id   uint32 // the number plus one; 0 marks an empty slot
}

const (
	fusedSlotSize = 16
	// touchAhead is how many keys have their slots loaded before the first of them is looked up: loads that do not depend on each other
	// overlap, while look-ups wait for each other wherever the processor guessed a branch wrong. 64 slots fit any first-level cache.
	touchAhead = 64
	// touchSlots is the least size of a table, 1 MiB, at which touching pays: smaller ones stay in a core's second-level cache.
	touchSlots = 1 << 16
)

func newFusedTable() *fusedTable {
	seeds := [2]uint64{rand.Uint64(), rand.Uint64()} //nolint:gosec // the runtime seeds it: enough against chosen keys
	return &fusedTable{slots: make([]fusedSlot, firstSlots), mask: firstSlots - 1, seeds: seeds}
}

// hash folds the 128-bit product of both seeded halves, as wyhash does.
func (t *fusedTable) hash(left uint32, key int64) uint64 {
	high, low := bits.Mul64(uint64(key)^t.seeds[0], uint64(left)*0x9e3779b97f4a7c15^t.seeds[1])
	return high ^ low
}

// combine replaces each left by the number of its pair with the key.
func (t *fusedTable) combine(lefts []uint32, keys []int64) {
	for len(lefts) > 0 {
		n := min(touchAhead, len(lefts))
		t.combineFew(lefts[:n], keys[:n])
		lefts, keys = lefts[n:], keys[n:]
	}
}

func (t *fusedTable) combineFew(lefts []uint32, keys []int64) {
	var hashes [touchAhead]uint64
	var touched uint32
	for i, left := range lefts {
		h := t.hash(left, keys[i])
		hashes[i] = h
		touched += t.slots[h&t.mask].id
	}
	t.touched = touched
	for i, left := range lefts {
		lefts[i] = t.insert(hashes[i], left, keys[i])
	}
}

func (t *fusedTable) insert(hash uint64, left uint32, key int64) uint32 {
	for at := hash & t.mask; ; at = (at + 1) & t.mask {
		slot := &t.slots[at]
		if slot.id == 0 {
			return t.add(slot, left, key)
		}
		if slot.key == key && slot.left == left {
			return slot.id - 1
		}
	}
}

func (t *fusedTable) add(slot *fusedSlot, left uint32, key int64) uint32 {
	id := uint32(len(t.keys))
	t.lefts, t.keys = append(t.lefts, left), append(t.keys, key)
	*slot = fusedSlot{key: key, left: left, id: id + 1}
	if 2*len(t.keys) > len(t.slots) {
		t.grow()
	}
	return id
}

// grownSlots is the next size of a table: small ones grow in few steps, large ones take no more memory than they must.
func grownSlots(slots int) int {
	if slots < touchSlots {
		return 4 * slots
	}
	return 2 * slots
}

func (t *fusedTable) grow() {
	old := t.slots
	t.slots = make([]fusedSlot, grownSlots(len(old)))
	t.mask = uint64(len(t.slots) - 1)
	for _, slot := range old {
		if slot.id == 0 {
			continue
		}
		at := t.hash(slot.left, slot.key) & t.mask
		for t.slots[at].id != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = slot
	}
}

// reset forgets all pairs and keeps the memory.
func (t *fusedTable) reset() {
	clear(t.slots)
	t.lefts, t.keys = t.lefts[:0], t.keys[:0]
}

func (t *fusedTable) count() int { return len(t.keys) }

func (t *fusedTable) bytes() int64 {
	return int64(len(t.slots))*fusedSlotSize + int64(4*cap(t.lefts)+8*cap(t.keys))
}
