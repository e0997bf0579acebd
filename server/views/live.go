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
	// rows has no columns where they lie on disk.
	rows
	disk *diskRows
	// gone marks the rows that are not there any more; nil for none. alive counts the others.
	gone  event.Bitmap
	alive int
	// earliest is the least time among the rows.
	earliest int64
}

// load gives all the rows, those that are gone as well.
func (c *chunk) load() (rows, error) {
	if c.disk == nil {
		return c.rows, nil
	}
	return c.disk.read()
}

// loadLeft gives the rows that are not gone.
func (c *chunk) loadLeft() (rows, error) {
	all, err := c.load()
	if err != nil || c.alive == c.count {
		return all, err
	}
	return all.take(c.left()), nil
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
	// size is chunkRows but for tests.
	size int
	// time is the column by which rows become final; -1 for none.
	time   int
	chunks []*slot
	// numbered are the chunks by their number less 1; those in free have none.
	numbered []*slot
	free     []uint32
	index    placeIndex
	// alive and dead count rows over all chunks, held is the bytes of those in memory, stored of those on disk.
	alive, dead  int
	held, stored int64
}

// slot holds the present version of a chunk: a change of a published one makes a copy.
type slot struct {
	*chunk
	number uint32
	size   int64
	// owned tells that the chunk is not published yet.
	owned bool
}

func newLiveRows(seed uint64, time int) *liveRows {
	return &liveRows{hasher: hasher{seed: seed}, size: chunkRows, time: time}
}

// insert adds rows, each once.
func (l *liveRows) insert(r rows) {
	if r.count == 0 {
		return
	}
	s := l.add(r)
	for i := range r.count {
		l.index.add(l.hasher.hash(r.columns, i), place{s.number, int32(i)})
	}
}

// add makes a chunk of rows without looking at each.
func (l *liveRows) add(r rows) *slot {
	s := &slot{chunk: &chunk{rows: r, alive: r.count, earliest: l.earliest(r)}, owned: true, size: r.bytes()}
	if n := len(l.free); n > 0 {
		s.number, l.free = l.free[n-1], l.free[:n-1]
		l.numbered[s.number-1] = s
	} else {
		l.numbered = append(l.numbered, s)
		s.number = uint32(len(l.numbered))
	}
	l.chunks = append(l.chunks, s)
	l.alive += r.count
	l.held += s.size
	return s
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
	p, ok := l.index.take(l.hasher.hash(columns, row))
	if ok {
		l.bury(p)
	}
	return ok
}

// has reports whether there is a row that is equal to the one given.
func (l *liveRows) has(columns []arrow.Array, row int) bool {
	_, ok := l.index.find(l.hasher.hash(columns, row))
	return ok
}

// at gives the row of a hash; ok is false where there is none.
func (l *liveRows) at(hash xxh3.Uint128) (row rows, ok bool, err error) {
	p, ok := l.index.find(hash)
	if !ok {
		return rows{}, false, nil
	}
	all, err := l.numbered[p.chunk-1].load()
	if err != nil {
		return rows{}, false, err
	}
	return all.take([]int32{p.row}), true, nil
}

// bury marks a row as gone. A chunk that readers may hold is replaced by a copy.
func (l *liveRows) bury(p place) {
	s := l.numbered[p.chunk-1]
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
			l.forget(s)
		}
		return s.alive == 0
	})
	if l.dead > l.alive+l.size || len(l.chunks) > 64+4*(l.alive/l.size) {
		if err := l.compact(); err != nil {
			return nil, err
		}
	}
	return l.share(), nil
}

// forget takes a chunk off the accounts. The caller takes it out of chunks.
func (l *liveRows) forget(s *slot) {
	l.dead -= s.count - s.alive
	l.alive -= s.alive
	if s.disk == nil {
		l.held -= s.size
	} else {
		l.stored -= s.disk.at.Stored()
	}
	l.numbered[s.number-1] = nil
	l.free = append(l.free, s.number)
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

// wellFilled tells chunks that compact leaves as they are.
func (l *liveRows) wellFilled(s *slot) bool { return s.count >= l.size/2 && 2*s.alive >= s.count }

// compact copies the rows that are left of small and half empty chunks into chunks of a good size.
func (l *liveRows) compact() error {
	var old []*slot
	var parts []rows
	for _, s := range l.chunks {
		if l.wellFilled(s) {
			continue
		}
		part, err := s.loadLeft()
		if err != nil {
			return err
		}
		old, parts = append(old, s), append(parts, part)
	}
	l.chunks = slices.DeleteFunc(l.chunks, func(s *slot) bool { return !l.wellFilled(s) })
	for len(parts) > 0 {
		n, count := 0, 0
		for n < len(parts) && (n == 0 || count+parts[n].count <= l.size) {
			count += parts[n].count
			n++
		}
		joined, err := concat(parts[:n])
		if err != nil {
			return err
		}
		l.follow(old[:n], l.add(joined))
		old, parts = old[n:], parts[n:]
	}
	return nil
}

// follow notes that the rows left of some chunks are in another one now, in the same order.
func (l *liveRows) follow(old []*slot, into *slot) {
	row := int32(0)
	for _, s := range old {
		for _, was := range s.left() {
			l.index.move(l.hasher.hash(into.columns, int(row)), place{s.number, was}, place{into.number, row})
			row++
		}
	}
	for _, s := range old {
		l.forget(s)
	}
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
		part, err := l.due(s, until)
		if err != nil {
			return rows{}, err
		}
		if part.count == 0 {
			continue
		}
		parts = append(parts, part)
	}
	for _, part := range parts { // only now: of equal rows in two chunks, one is taken out for the other
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

// due gives the rows of a chunk whose time is not after the one given.
func (l *liveRows) due(s *slot, until int64) (rows, error) {
	all, err := s.load()
	if err != nil {
		return rows{}, err
	}
	times := all.columns[l.time].(*array.Timestamp)
	var due []int32
	for _, row := range s.left() {
		if times.IsValid(int(row)) && int64(times.Value(int(row))) <= until {
			due = append(due, row)
		}
	}
	if len(due) == 0 {
		return rows{}, nil
	}
	return all.take(due), nil
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
