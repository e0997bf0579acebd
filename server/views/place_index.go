package views

import "github.com/zeebo/xxh3"

// place is where a live row is: the number of its chunk, from 1, and its row there.
type place struct {
	chunk uint32
	row   int32
}

// placeIndex finds rows by 128 bits of their values: open addressing with linear probing, at most three quarters full. It takes 24 bytes a
// row where a map of lists takes about a hundred. Rows that are equal share an entry; all but one of them are in more.
type placeIndex struct {
	entries []placeEntry
	used    int
	more    map[xxh3.Uint128][]place
}

type placeEntry struct {
	hash xxh3.Uint128
	at   place // its chunk is 0 in a free entry
}

const firstPlaces = 64

// seek is where a hash is, or the free entry where it belongs.
func (x *placeIndex) seek(hash xxh3.Uint128) int {
	mask := uint64(len(x.entries) - 1)
	at := hash.Lo & mask
	for x.entries[at].at.chunk != 0 && x.entries[at].hash != hash {
		at = (at + 1) & mask
	}
	return int(at)
}

func (x *placeIndex) add(hash xxh3.Uint128, p place) {
	if 4*(x.used+1) > 3*len(x.entries) {
		x.grow()
	}
	e := &x.entries[x.seek(hash)]
	if e.at.chunk != 0 {
		if x.more == nil {
			x.more = map[xxh3.Uint128][]place{}
		}
		x.more[hash] = append(x.more[hash], p)
		return
	}
	*e = placeEntry{hash, p}
	x.used++
}

func (x *placeIndex) grow() {
	old := x.entries
	x.entries = make([]placeEntry, max(firstPlaces, 2*len(old)))
	for _, e := range old {
		if e.at.chunk != 0 {
			x.entries[x.seek(e.hash)] = e
		}
	}
}

// find gives a row of a hash; ok is false where there is none.
func (x *placeIndex) find(hash xxh3.Uint128) (p place, ok bool) {
	if x.used == 0 {
		return place{}, false
	}
	p = x.entries[x.seek(hash)].at
	return p, p.chunk != 0
}

// take gives a row of a hash and takes it out; ok is false where there is none.
func (x *placeIndex) take(hash xxh3.Uint128) (p place, ok bool) {
	if x.used == 0 {
		return place{}, false
	}
	at := x.seek(hash)
	if x.entries[at].at.chunk == 0 {
		return place{}, false
	}
	if same := x.more[hash]; len(same) > 0 {
		if p = same[len(same)-1]; len(same) == 1 {
			delete(x.more, hash)
		} else {
			x.more[hash] = same[:len(same)-1]
		}
		return p, true
	}
	p = x.entries[at].at
	x.remove(uint64(at))
	return p, true
}

// remove frees an entry. Those behind it move up as far as their hashes allow, so that no search ends too early.
func (x *placeIndex) remove(at uint64) {
	mask := uint64(len(x.entries) - 1)
	x.used--
	for next := (at + 1) & mask; x.entries[next].at.chunk != 0; next = (next + 1) & mask {
		if home := x.entries[next].hash.Lo & mask; (next-home)&mask >= (next-at)&mask {
			x.entries[at], at = x.entries[next], next
		}
	}
	x.entries[at] = placeEntry{}
}

// move notes that a row has another place now.
func (x *placeIndex) move(hash xxh3.Uint128, from, to place) {
	if e := &x.entries[x.seek(hash)]; e.at == from {
		e.at = to
		return
	}
	for i, p := range x.more[hash] {
		if p == from {
			x.more[hash][i] = to
			return
		}
	}
}

func (x *placeIndex) bytes() int64 {
	const perEntry, perMore = 24, 64
	return int64(perEntry*len(x.entries) + perMore*len(x.more))
}
