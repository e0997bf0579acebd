package continuous

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// coldStore keeps rows on disk that are looked up by a hash of theirs. In memory it holds 32 bits of the hash of each row, which say where the
// row lies; rows that share those bits with one that is looked up come along with it. Rows are written in chunks, each of one range of
// hashes, and are never changed: a row that is taken out is marked, and goes when its chunk is written anew.
type coldStore struct {
	space *spill.Space
	file  *coldFile // nil until there is something in it
	// parts are the chunks by the first bits of the hash; there are 1 << bits of them.
	parts [][]*coldChunk
	bits  uint
	alive int
	// stored is the bytes on disk of all chunks.
	stored int64
	// time is the column that says until when a row is of use, -1 where rows are for good, and soonest the time at which the first chunk is
	// of no use any more.
	time    int
	soonest int64
}

// coldChunk is rows of one part, in the order of their hashes.
type coldChunk struct {
	hashes []uint32
	gone   event.Bitmap
	alive  int
	file   *coldFile
	at     spill.Chunk
	last   int64 // the latest time of its rows
}

const (
	// firstBits is log2 of the number of parts at first.
	firstBits = 4
	// partRows is how many rows a part has, about, before there are more parts: what is read for one row that is looked up.
	partRows = 8 << 10
	// partChunks is how many chunks a part may have before they become one.
	partChunks = 8
	// wasteBytes is what is not worth writing a file anew.
	wasteBytes = 16 << 20
)

// coldFile is a file and how many need it: the store, and states that were taken down and are not written yet.
type coldFile struct {
	*spill.File
	users atomic.Int64
	size  int64
}

func (f *coldFile) release() error {
	if f.users.Add(-1) > 0 {
		return nil
	}
	return f.Close()
}

func newColdStore(space *spill.Space) *coldStore {
	return &coldStore{space: space, bits: firstBits, parts: make([][]*coldChunk, 1<<firstBits), time: -1, soonest: endOfTime}
}

func (s *coldStore) part(hash uint32) int { return int(hash >> (32 - s.bits)) }

// shortHash is the part of a hash that a store keeps.
func shortHash(hash uint64) uint32 { return uint32(hash >> 32) }

// put adds rows. After an error the store holds what it held.
func (s *coldStore) put(hashes []uint32, columns []arrow.Array) error {
	fresh, err := s.stage(hashes, columns)
	if err != nil {
		return err
	}
	s.commit(fresh)
	return nil
}

// stage writes rows to the file. They are in the store once they are committed.
func (s *coldStore) stage(hashes []uint32, columns []arrow.Array) ([]*coldChunk, error) {
	if s.file == nil {
		file, err := s.space.Create()
		if err != nil {
			return nil, err
		}
		s.file = &coldFile{File: file}
		s.file.users.Store(1)
	}
	order := byHash(hashes)
	var fresh []*coldChunk
	for from := 0; from < len(order); {
		part := s.part(hashes[order[from]])
		to := from + sort.Search(len(order)-from, func(i int) bool { return s.part(hashes[order[from+i]]) > part })
		c, err := s.write(hashes, columns, order[from:to])
		if err != nil {
			return nil, err
		}
		fresh, from = append(fresh, c), to
	}
	return fresh, nil
}

// commit adds what stage wrote.
func (s *coldStore) commit(fresh []*coldChunk) {
	for _, c := range fresh {
		s.add(c)
	}
}

// byHash lists the places of hashes in ascending order of these.
func byHash(hashes []uint32) []int32 {
	order := make([]int32, len(hashes))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(hashes[a], hashes[b]) })
	return order
}

func chosenHashes(hashes []uint32, rows []int32) []uint32 {
	out := make([]uint32, len(rows))
	for i, row := range rows {
		out[i] = hashes[row]
	}
	return out
}

// write makes a chunk of some rows, which are in the order of their hashes.
func (s *coldStore) write(hashes []uint32, columns []arrow.Array, rows []int32) (*coldChunk, error) {
	some := make([]arrow.Array, len(columns))
	for i, c := range columns {
		some[i] = kernel.Take(c, rows)
	}
	at, err := s.file.Append(some, len(rows))
	if err != nil {
		return nil, err
	}
	s.file.size += at.Stored()
	out := &coldChunk{hashes: chosenHashes(hashes, rows), gone: event.NewBitmap(len(rows)), alive: len(rows), file: s.file, at: at}
	if s.time >= 0 {
		out.last = latest(some[s.time])
	}
	return out, nil
}

// latest is the greatest of some times. One that is NULL is before all others.
func latest(times arrow.Array) int64 {
	out := int64(NoWatermark)
	for i, at := range arrow.GetValues[int64](times.Data(), 1)[:times.Len()] {
		if times.IsValid(i) {
			out = max(out, at)
		}
	}
	return out
}

func (s *coldStore) add(c *coldChunk) {
	part := s.part(c.hashes[0])
	s.parts[part] = append(s.parts[part], c)
	if s.time >= 0 {
		s.soonest = min(s.soonest, c.last)
	}
	s.alive += c.alive
	s.stored += c.at.Stored()
}

// tidy keeps parts small, chunks few and the file full. After an error the store holds what it held.
func (s *coldStore) tidy() error {
	if s.file == nil {
		return nil
	}
	bits := s.bits
	for s.alive > partRows<<bits {
		bits++
	}
	if bits > s.bits || s.file.size > 2*s.stored+wasteBytes {
		return s.rebuild(bits)
	}
	for part, chunks := range s.parts {
		rows, alive := 0, 0
		for _, c := range chunks {
			rows, alive = rows+len(c.hashes), alive+c.alive
		}
		if len(chunks) <= partChunks && 2*alive >= rows {
			continue
		}
		if err := s.rewrite(part); err != nil {
			return err
		}
	}
	return nil
}

// rewrite makes one chunk of a part.
func (s *coldStore) rewrite(part int) error {
	hashes, columns, err := aliveOf(s.parts[part])
	if err != nil {
		return err
	}
	var fresh *coldChunk
	if len(hashes) > 0 {
		if fresh, err = s.write(hashes, columns, byHash(hashes)); err != nil {
			return err
		}
	}
	for _, c := range s.parts[part] {
		s.alive -= c.alive
		s.stored -= c.at.Stored()
	}
	if s.parts[part] = nil; fresh != nil {
		s.add(fresh)
	}
	return nil
}

// rebuild writes everything anew, into 1 << bits parts and a file that has nothing else.
func (s *coldStore) rebuild(bits uint) error {
	next := &coldStore{space: s.space, bits: bits, parts: make([][]*coldChunk, 1<<bits), time: s.time, soonest: endOfTime}
	for _, chunks := range s.parts {
		hashes, columns, err := aliveOf(chunks)
		if err == nil && len(hashes) > 0 {
			err = next.put(hashes, columns)
		}
		if err != nil {
			return errors.Join(err, next.close())
		}
	}
	old := s.file
	*s = *next
	return old.release()
}

// aliveOf reads what is left of chunks.
func aliveOf(chunks []*coldChunk) (hashes []uint32, columns []arrow.Array, err error) {
	var all [][]arrow.Array
	for _, c := range chunks {
		if c.alive == 0 {
			continue
		}
		left := c.left()
		some, err := c.read(left)
		if err != nil {
			return nil, nil, err
		}
		all, hashes = append(all, some), append(hashes, chosenHashes(c.hashes, left)...)
	}
	if len(all) == 0 {
		return nil, nil, nil
	}
	columns = make([]arrow.Array, len(all[0]))
	for i := range columns {
		pieces := make([]arrow.Array, len(all))
		for j, some := range all {
			pieces[j] = some[i]
		}
		if columns[i], err = kernel.Concat(pieces); err != nil {
			return nil, nil, err
		}
	}
	return hashes, columns, nil
}

// take finds the rows of hashes, which may repeat, and takes them out. They are read one chunk after the other; after an error the store is
// not used again.
func (s *coldStore) take(hashes []uint32, each func(columns []arrow.Array, rows int) error) error {
	if s.alive == 0 || len(hashes) == 0 {
		return nil
	}
	wanted := slices.Clone(hashes)
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	for from := 0; from < len(wanted); {
		part := s.part(wanted[from])
		to := from
		for to < len(wanted) && s.part(wanted[to]) == part {
			to++
		}
		for _, c := range s.parts[part] {
			rows := c.find(wanted[from:to])
			if len(rows) == 0 {
				continue
			}
			columns, err := c.read(rows)
			if err != nil {
				return err
			}
			for _, row := range rows {
				c.gone.Set(int(row))
			}
			c.alive -= len(rows)
			s.alive -= len(rows)
			if err := each(columns, len(rows)); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

// expire drops the chunks all of whose rows have a time at or before one. Some that are of no use stay with others that are.
func (s *coldStore) expire(upTo int64) error {
	if s.file == nil || s.time < 0 || upTo < s.soonest {
		return nil
	}
	s.soonest = endOfTime
	for part, chunks := range s.parts {
		kept := chunks[:0]
		for _, c := range chunks {
			if c.last <= upTo {
				s.alive -= c.alive
				s.stored -= c.at.Stored()
				continue
			}
			kept = append(kept, c)
			s.soonest = min(s.soonest, c.last)
		}
		clear(chunks[len(kept):])
		s.parts[part] = kept
	}
	return s.tidy()
}

// find gives the rows that are left of hashes in ascending order.
func (c *coldChunk) find(hashes []uint32) []int32 {
	if c.alive == 0 {
		return nil
	}
	var out []int32
	at := 0
	for _, h := range hashes {
		at += sort.Search(len(c.hashes)-at, func(i int) bool { return c.hashes[at+i] >= h })
		for ; at < len(c.hashes) && c.hashes[at] == h; at++ {
			if !c.gone.Valid(at) {
				out = append(out, int32(at))
			}
		}
	}
	return out
}

// left lists the rows that were not taken out.
func (c *coldChunk) left() []int32 {
	out := make([]int32, 0, c.alive)
	for i := range c.hashes {
		if !c.gone.Valid(i) {
			out = append(out, int32(i))
		}
	}
	return out
}

func (c *coldChunk) read(rows []int32) ([]arrow.Array, error) {
	columns, err := c.file.Read(c.at)
	if err != nil || len(rows) == len(c.hashes) {
		return columns, err
	}
	for i, column := range columns {
		columns[i] = kernel.Take(column, rows)
	}
	return columns, nil
}

// capture has a state hold what is in the store now, chunk by chunk.
func (s *coldStore) capture(w *stateWriter) {
	var chunks []*coldChunk
	for _, part := range s.parts {
		for _, c := range part {
			if c.alive > 0 {
				chunks = append(chunks, c)
			}
		}
	}
	w.number(int64(len(chunks)))
	for _, c := range chunks {
		then := *c
		then.gone = slices.Clone(c.gone)
		c.file.users.Add(1)
		w.later(c.alive, func() ([]arrow.Array, error) { return then.read(then.left()) }, c.file.release)
	}
}

// bytes is the memory that the store takes.
func (s *coldStore) bytes() int64 {
	const perChunk = 256
	total := int64(0)
	for _, part := range s.parts {
		for _, c := range part {
			total += perChunk + int64(4*len(c.hashes)+len(c.gone))
		}
	}
	return total
}

func (s *coldStore) close() error {
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file, s.parts, s.alive = nil, nil, 0
	return file.release()
}
