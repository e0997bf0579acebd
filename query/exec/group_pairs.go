package exec

import "math/bits"

// maxDirectPairs bounds the array that a pairTable is looked up in while both sides are small: 256 Ki entries are 1 MiB, about
// what a core's second-level cache holds.
const maxDirectPairs = 256 << 10

// pairTable numbers distinct pairs of dense numbers, in order of first appearance.
type pairTable struct {
	pairs  []uint64 // by id: left in the upper half, right in the lower
	direct []uint32 // id+1 at left<<shift|right; nil once there are too many
	shift  int      // bits for right
	left   uint32   // the greatest left so far
	table  *intTable
}

// combine replaces each left by the number of its pair with right.
func (t *pairTable) combine(lefts, rights []uint32) {
	if len(lefts) == 0 {
		return
	}
	if t.table == nil && !t.fit(maximum(lefts), maximum(rights)) {
		t.spread()
	}
	if t.table != nil {
		t.combineHashed(lefts, rights)
		return
	}
	for i, left := range lefts {
		slot := &t.direct[int(left)<<t.shift|int(rights[i])]
		if *slot == 0 {
			t.pairs = append(t.pairs, uint64(left)<<32|uint64(rights[i]))
			*slot = uint32(len(t.pairs))
		}
		lefts[i] = *slot - 1
	}
}

func (t *pairTable) combineHashed(lefts, rights []uint32) {
	last, lastID := uint64(0), uint32(0)
	for i, left := range lefts {
		pair := uint64(left)<<32 | uint64(rights[i])
		if i == 0 || pair != last {
			last, lastID = pair, t.table.insert(int64(pair))
			if int(lastID) == len(t.pairs) {
				t.pairs = append(t.pairs, pair)
			}
		}
		lefts[i] = lastID
	}
}

// fit makes the direct array large enough, or reports that it would be too large.
func (t *pairTable) fit(maxLeft, maxRight uint32) bool {
	t.left = max(t.left, maxLeft) // with a wider right, the lefts of earlier rows need their places too
	shift := max(t.shift, bits.Len32(maxRight))
	size := (int(t.left) + 1) << shift
	if size > maxDirectPairs {
		return false
	}
	if shift == t.shift && size <= len(t.direct) {
		return true
	}
	grown := make([]uint32, max(size, min(2*len(t.direct), maxDirectPairs)))
	for id, pair := range t.pairs {
		grown[int(pair>>32)<<shift|int(uint32(pair))] = uint32(id) + 1
	}
	t.direct, t.shift = grown, shift
	return true
}

// spread moves the pairs into a hash table.
func (t *pairTable) spread() {
	t.table = newIntTable()
	for _, pair := range t.pairs {
		t.table.insert(int64(pair))
	}
	t.direct = nil
}

// reset forgets all pairs and keeps the memory.
func (t *pairTable) reset() {
	if t.table != nil {
		t.table.reset()
	}
	for _, pair := range t.pairs {
		if t.direct != nil {
			t.direct[int(pair>>32)<<t.shift|int(uint32(pair))] = 0
		}
	}
	t.pairs, t.left = t.pairs[:0], 0
}

func (t *pairTable) count() int { return len(t.pairs) }

// split gives the two sides of pairs.
func (t *pairTable) split(ids []uint32) (lefts, rights []uint32) {
	lefts, rights = make([]uint32, len(ids)), make([]uint32, len(ids))
	for i, id := range ids {
		lefts[i], rights[i] = uint32(t.pairs[id]>>32), uint32(t.pairs[id])
	}
	return lefts, rights
}

func (t *pairTable) bytes() int64 {
	total := int64(8*cap(t.pairs) + 4*len(t.direct))
	if t.table != nil {
		total += t.table.bytes()
	}
	return total
}

func maximum(values []uint32) uint32 {
	var most uint32
	for _, v := range values {
		most = max(most, v)
	}
	return most
}
