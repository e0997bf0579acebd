package continuous

// slotIndex finds slots by hash: open addressing with linear probing, at most half full. Several slots may have one hash.
type slotIndex struct {
	entries []slotEntry
	used    int
}

type slotEntry struct {
	hash uint64
	slot uint32 // plus one; 0 marks a free entry
}

const firstEntries = 64

func (x *slotIndex) home(hash uint64) uint64 { return hash & uint64(len(x.entries)-1) }

// each calls visit for the slots of a hash until it says to stop.
func (x *slotIndex) each(hash uint64, visit func(slot uint32) (stop bool)) {
	if x.used == 0 {
		return
	}
	mask := uint64(len(x.entries) - 1)
	for at := hash & mask; x.entries[at].slot != 0; at = (at + 1) & mask {
		if x.entries[at].hash == hash && visit(x.entries[at].slot-1) {
			return
		}
	}
}

// first is the first slot of a hash.
func (x *slotIndex) first(hash uint64) (slot uint32, ok bool) {
	if x.used == 0 {
		return 0, false
	}
	mask := uint64(len(x.entries) - 1)
	for at := hash & mask; x.entries[at].slot != 0; at = (at + 1) & mask {
		if x.entries[at].hash == hash {
			return x.entries[at].slot - 1, true
		}
	}
	return 0, false
}

func (x *slotIndex) add(hash uint64, slot uint32) {
	if 2*(x.used+1) > len(x.entries) {
		x.grow()
	}
	x.place(slotEntry{hash, slot + 1})
	x.used++
}

func (x *slotIndex) place(e slotEntry) {
	mask := uint64(len(x.entries) - 1)
	at := x.home(e.hash)
	for x.entries[at].slot != 0 {
		at = (at + 1) & mask
	}
	x.entries[at] = e
}

func (x *slotIndex) grow() {
	old := x.entries
	x.entries = make([]slotEntry, max(firstEntries, 2*len(old)))
	for _, e := range old {
		if e.slot != 0 {
			x.place(e)
		}
	}
}

// remove takes a slot out. The entries behind it move up as far as their places allow, so that no search ends too early.
func (x *slotIndex) remove(hash uint64, slot uint32) {
	mask := uint64(len(x.entries) - 1)
	at := x.home(hash)
	for x.entries[at].slot != slot+1 {
		if x.entries[at].slot == 0 {
			return
		}
		at = (at + 1) & mask
	}
	x.used--
	for next := (at + 1) & mask; x.entries[next].slot != 0; next = (next + 1) & mask {
		if home := x.home(x.entries[next].hash); (next-home)&mask >= (next-at)&mask {
			x.entries[at], at = x.entries[next], next
		}
	}
	x.entries[at] = slotEntry{}
}

func (x *slotIndex) bytes() int64 { return 16 * int64(len(x.entries)) }
