package vfs

import (
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes as a whole or not at all.
const sector = 512

// overwritten is what stood in a file's durable state where something else was written since.
type overwritten struct {
	at  int64
	old []byte
}

// overwrite changes bytes that the file has. The caller holds Mem.mu.
func (n *memNode) overwrite(at int64, p []byte) {
	if len(p) == 0 {
		return
	}
	if end := min(at+int64(len(p)), int64(len(n.synced))); end > at && &n.data[0] == &n.synced[0] {
		n.over = append(n.over, overwritten{at, slices.Clone(n.data[at:end])})
	}
	copy(n.data[at:], p)
}

// durable is a copy of what was synced. The caller holds Mem.mu.
func (n *memNode) durable() []byte {
	out := slices.Clone(n.synced)
	for _, o := range slices.Backward(n.over) {
		copy(out[o.at:], o.old)
	}
	return out
}

// mix puts some of the sectors that were overwritten since the last sync back to what they were: none, all, those from some place on, or any.
func (n *memNode) mix(out []byte, rnd *rand.Rand) []byte {
	if len(n.over) == 0 {
		return out
	}
	old, how := n.durable(), rnd.IntN(4)
	from := rnd.IntN(len(out) + 1)
	for at := 0; at < min(len(old), len(out)); at += sector {
		end := min(at+sector, len(old), len(out))
		if slices.Equal(out[at:end], old[at:end]) {
			continue
		}
		if how == 1 || how == 2 && at >= from || how == 3 && rnd.IntN(2) == 0 {
			copy(out[at:end], old[at:end])
		}
	}
	return out
}
