package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash returns what a power cut at this moment would certainly leave: synced contents under synced names, and nothing else.
// The original goes on unchanged, so that one run can be cut at many moments.
func (m *Mem) Crash() *Mem {
	return m.crash(func(n *memNode) *memNode { return &memNode{data: n.durable()} },
		func(n *memNode) map[string]*memNode { return n.kept })
}

// CrashTorn returns what a power cut might leave: beyond Crash, each directory shows its last change or not, and each file a
// random part of its unsynced bytes, and any mixture of old and new sectors where it was overwritten, as rnd decides.
func (m *Mem) CrashTorn(rnd *rand.Rand) *Mem {
	return m.crash(func(n *memNode) *memNode { return &memNode{data: n.mix(tear(n, rnd), rnd)} },
		func(n *memNode) map[string]*memNode {
			if rnd.IntN(2) == 0 {
				return n.kept
			}
			return n.entries
		})
}

// Killed returns what a process leaves that is killed at this moment: all that it wrote, while the system goes on.
func (m *Mem) Killed() *Mem {
	return m.crash(func(n *memNode) *memNode { return &memNode{data: slices.Clone(n.data)} },
		func(n *memNode) map[string]*memNode { return n.entries })
}

// tear keeps a random prefix of what was written after the last sync, at times with zeroes in the place of its last bytes, as
// file systems that extend a file before they fill it leave it.
func tear(n *memNode, rnd *rand.Rand) []byte {
	if len(n.data) <= len(n.synced) {
		if rnd.IntN(2) == 0 {
			return n.durable()
		}
		return slices.Clone(n.data)
	}
	fresh := len(n.data) - len(n.synced)
	out := slices.Clone(n.data[:len(n.synced)+rnd.IntN(fresh+1)])
	if rnd.IntN(4) == 0 {
		clear(out[len(out)-rnd.IntN(len(out)-len(n.synced)+1):])
	}
	return out
}

func (m *Mem) crash(file func(*memNode) *memNode, names func(*memNode) map[string]*memNode) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := NewMem()
	out.mu.free, out.mu.total, out.mu.capacity = m.mu.free, m.mu.total, m.mu.capacity
	seen := map[*memNode]*memNode{}
	var survive func(*memNode) *memNode
	survive = func(n *memNode) *memNode {
		if done := seen[n]; done != nil {
			return done // a rename that only one directory has seen leaves the file under both names
		}
		if !n.isDir() {
			seen[n] = file(n)
			seen[n].synced = seen[n].data[:len(seen[n].data):len(seen[n].data)]
			return seen[n]
		}
		dir := newMemDir()
		seen[n] = dir
		left := names(n)
		for _, name := range slices.Sorted(maps.Keys(left)) { // in order, so that a seed always gives the same result
			dir.entries[name] = survive(left[name])
		}
		dir.kept = maps.Clone(dir.entries)
		return dir
	}
	out.mu.root = survive(m.mu.root)
	return out
}

// forget makes a file show zeroes in the place of what was not synced.
func (m *Mem) forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.find("forget", name)
	if err != nil || node.isDir() {
		return
	}
	shown := make([]byte, len(node.data))
	copy(shown, node.durable())
	node.data = shown
}
