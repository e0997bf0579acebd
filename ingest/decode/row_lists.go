package decode

import "sync"

// rowLists is memory for what a decode notes of each row: its text and its line. The rows are stored soon after, and then nobody asks for either
// any more, while their columns stay: so the lists of a large chunk are used again.
type rowLists struct {
	raw   [][]byte
	lines []int
}

const (
	// leastListed is the least number of rows whose lists are used again: new ones for fewer cost less than finding them.
	leastListed = 64
	// mostListed bounds what is kept: a chunk of rows like the narrowest of real ones has fewer.
	mostListed = 32 << 10
)

var freeLists sync.Pool // of *rowLists

// newRowLists gives empty lists with room for so many rows.
func newRowLists(rows int) *rowLists {
	if rows >= leastListed && rows <= mostListed {
		if l, ok := freeLists.Get().(*rowLists); ok && cap(l.raw) >= rows && cap(l.lines) >= rows {
			return l
		}
	}
	return &rowLists{raw: make([][]byte, 0, rows), lines: make([]int, 0, rows)}
}

// Recycle takes back the memory of Raw and Lines, to which nothing may refer any more. It need not be called, and counts once.
func (r *Rows) Recycle() {
	l := r.lists
	if r.lists = nil; l == nil || cap(r.Raw) < leastListed || cap(r.Raw) > mostListed {
		return
	}
	clear(r.Raw) // it keeps the chunk from being collected
	l.raw, l.lines = r.Raw[:0], r.Lines[:0]
	r.Raw, r.Lines = nil, nil
	freeLists.Put(l)
}
