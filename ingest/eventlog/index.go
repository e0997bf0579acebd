package eventlog

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// defaultIndexBytes is how far apart the marks of an index are: what a Read passes over at most before it meets its offset.
const defaultIndexBytes = 256 << 10

// mark is one place in a file: an entry begins at position with offset.
type mark struct {
	offset   event.Offset
	position int64
	// newest is the greatest record timestamp from here to the next mark, in milliseconds since 1970.
	newest int64
}

// place is where an entry lies in the file being written.
type place struct {
	entry    *Entry
	position int64
}

// note extends the index of a file by entries that were written to its end. A file that was recovered has no index until it
// is read whole, as its earlier entries are missing. The log's lock is held.
func (f *file) note(placed []place, apart int64) {
	for _, p := range placed {
		if len(f.index) > 0 || p.entry.First == f.first {
			f.index = addMark(f.index, p.entry, p.position, apart)
		}
	}
}

// addMark extends an index by the entry that begins at position: by a new mark, or by what the last mark covers.
func addMark(index []mark, e *Entry, position, apart int64) []mark {
	newest := slices.Max(e.Times)
	if n := len(index); n > 0 && position-index[n-1].position < apart {
		index[n-1].newest = max(index[n-1].newest, newest)
		return index
	}
	return append(index, mark{offset: e.First, position: position, newest: newest})
}

// start finds the last mark at or before an offset.
func start(index []mark, from event.Offset) (mark, bool) {
	i, exact := slices.BinarySearchFunc(index, from, func(m mark, o event.Offset) int { return int(min(max(m.offset-o, -1), 1)) })
	if !exact {
		i--
	}
	if i < 0 {
		return mark{}, false
	}
	return index[i], true
}
