package views

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// chunkRows is how many rows a chunk has at most that was made by joining others: what queries read at a time.
const chunkRows = 32 << 10

// chunk is some live rows, less those that are gone since they came. It never changes once it has been published.
type chunk struct {
	rows
	// gone marks the rows that are not there any more; nil for none. alive counts the others.
	gone  event.Bitmap
	alive int
	// earliest is the least time among the rows.
	earliest int64
}

// left lists the rows that are not gone.
func (c *chunk) left() []int32 {
	out := make([]int32, 0, c.alive)
	for i := range c.count {
		if c.gone == nil || !c.gone.Valid(i) {
			out = append(out, int32(i))
		}
	}
	return out
}

// liveRows are the rows of a view that may still go. One goroutine changes them; what it publishes is shared and never changes.
type liveRows struct {
	hasher hasher
	// time is the column by which rows become final; -1 for none.
	time   int
	chunks []*slot
	index  map[xxh3.Uint128][]place
	// alive and dead count rows over all chunks.
	alive, dead int
}

// slot holds the present version of a chunk: a change of a published one makes a copy.
type slot struct {
	*chunk
	// owned tells that the chunk is not published yet.
	owned bool
}

// place is where a row is.
type place struct {
	in  *slot
	row int32
}

func newLiveRows(seed uint64, time int) *liveRows {
	return &liveRows{hasher: hasher{seed: seed}, time: time, index: map[xxh3.Uint128][]place{}}
}

// insert adds rows, each once.
func (l *liveRows) insert(r rows) {
	if r.count == 0 {
		return
	}
	s := &slot{chunk: &chunk{rows: r, alive: r.count, earliest: l.earliest(r)}, owned: true}
	l.chunks = append(l.chunks, s)
	l.alive += r.count
	for i := range r.count {
		key := l.hasher.hash(r.columns, i)
		l.index[key] = append(l.index[key], place{s, int32(i)})
	}
}

func (l *liveRows) earliest(r rows) int64 {
	least := int64(math.MaxInt64)
	if l.time < 0 {
		return least
	}
	times := r.columns[l.time].(*array.Timestamp)
	for i := range r.count {
		if times.IsValid(i) {
			least = min(least, int64(times.Value(i)))
		}
	}
	return least
}

// remove takes away a row that is equal to the one given; it reports whether there was one.
func (l *liveRows) remove(columns []arrow.Array, row int) bool {
	key := l.hasher.hash(columns, row)
	found := l.index[key]
	if len(found) == 0 {
		return false
	}
	last := found[len(found)-1]
	if len(found) == 1 {
		delete(l.index, key)
	} else {
		l.index[key] = found[:len(found)-1]
	}
	l.bury(last)
	return true
}

// bury marks a row as gone. A chunk that readers may hold is replaced by a copy.
func (l *liveRows) bury(p place) {
	s := p.in
	if !s.owned || s.gone == nil {
		c := *s.chunk
		c.gone = event.NewBitmap(c.count)
		copy(c.gone, s.gone)
		s.chunk, s.owned = &c, true
	}
	s.gone.Set(int(p.row))
	s.alive--
	l.alive--
	l.dead++
}

// publish gives the chunks as they are now. It also tidies up when much of what is held is gone or lies in many small chunks.
func (l *liveRows) publish() ([]*chunk, error) {
	l.chunks = slices.DeleteFunc(l.chunks, func(s *slot) bool {
		if s.alive == 0 {
			l.dead -= s.count
		}
		return s.alive == 0
	})
	if l.dead > l.alive+chunkRows || len(l.chunks) > 64+2*(l.alive/chunkRows) {
		if err := l.compact(); err != nil {
			return nil, err
		}
	}
	return l.share(), nil
}

// share gives the chunks as they are now, to be read from any goroutine.
func (l *liveRows) share() []*chunk {
	out := make([]*chunk, len(l.chunks))
	for i, s := range l.chunks {
		s.owned = false
		out[i] = s.chunk
	}
	return out
}

// compact copies the rows that are left into chunks of a good size.
func (l *liveRows) compact() error {
	var kept []rows
	for _, s := range l.chunks {
		kept = append(kept, s.take(s.left()))
	}
	l.chunks, l.alive, l.dead = nil, 0, 0
	clear(l.index)
	for len(kept) > 0 {
		n, count := 0, 0
		for n < len(kept) && (n == 0 || count+kept[n].count <= chunkRows) {
			count += kept[n].count
			n++
		}
		joined, err := concat(kept[:n])
		if err != nil {
			return err
		}
		l.insert(joined)
		kept = kept[n:]
	}
	return nil
}

// concat lays rows of the same columns end to end.
func concat(parts []rows) (rows, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	out := rows{columns: make([]arrow.Array, len(parts[0].columns))}
	for i := range out.columns {
		arrays := make([]arrow.Array, len(parts))
		for p, part := range parts {
			arrays[p] = part.columns[i]
		}
		var err error
		if out.columns[i], err = kernel.Concat(arrays); err != nil {
			return rows{}, err
		}
	}
	for _, part := range parts {
		out.count += part.count
	}
	return out, nil
}

// settle takes away the rows whose time is not after the one given and returns them in an order that depends on their values alone, so
// that they get the same numbers whenever the same changes are made again.
func (l *liveRows) settle(until int64) (rows, error) {
	var parts []rows
	for _, s := range l.chunks {
		if s.alive == 0 || s.earliest > until {
			continue
		}
		times := s.columns[l.time].(*array.Timestamp)
		var due []int32
		for _, row := range s.left() {
			if times.IsValid(int(row)) && int64(times.Value(int(row))) <= until {
				due = append(due, row)
			}
		}
		if len(due) == 0 {
			continue
		}
		part := s.take(due)
		parts = append(parts, part)
		for i := range part.count {
			l.remove(part.columns, i)
		}
	}
	if len(parts) == 0 {
		return rows{}, nil
	}
	all, err := concat(parts)
	if err != nil {
		return rows{}, err
	}
	return l.sorted(all), nil
}

// sorted orders rows by time and then by their values.
func (l *liveRows) sorted(r rows) rows {
	times := r.columns[l.time].(*array.Timestamp)
	keys, order := make([][]byte, r.count), make([]int32, r.count)
	for i := range r.count {
		order[i] = int32(i)
		for _, c := range r.columns {
			keys[i] = appendValue(keys[i], c, i)
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(times.Value(int(a)), times.Value(int(b))), bytes.Compare(keys[a], keys[b]))
	})
	return r.take(order)
}
