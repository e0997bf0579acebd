package continuous

import (
	"cmp"
	"errors"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

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
	// time is the column that says until when a row is of use, -1 where rows are for good, and untimed the time of a row without one. Rows at or
	// before over are of no use any more; soonest is when the first chunk has none that is.
	time          int
	untimed       int64
	over, soonest int64
	// shown is the column that tells rows that do not wait for their time from those that do, -1 where none waits, and waits the earliest time
	// that one waits for.
	shown int
	waits int64
	// combine, if there is one, makes fewer rows of those of a part whenever they are written anew, and hashes these.
	combine func(columns []arrow.Array, rows int) (hashes []uint32, out []arrow.Array, err error)
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

func newColdStore(space *spill.Space) *coldStore {
	return &coldStore{
		space: space, bits: firstBits, parts: make([][]*coldChunk, 1<<firstBits), time: -1, shown: -1, untimed: NoWatermark, over: NoWatermark,
		soonest: endOfTime, waits: endOfTime,
	}
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
	out.last, out.waits = s.times(some)
	return out, nil
}

// times are the latest time of rows, and the earliest of those that wait for theirs.
func (s *coldStore) times(columns []arrow.Array) (last, waits int64) {
	last, waits = NoWatermark, endOfTime
	if s.time < 0 {
		return last, waits
	}
	for i, at := range s.timesOf(columns) {
		last = max(last, at)
		if s.shown >= 0 && !columns[s.shown].(*array.Boolean).Value(i) {
			waits = min(waits, at)
		}
	}
	return last, waits
}

// timesOf are the times of rows.
func (s *coldStore) timesOf(columns []arrow.Array) []int64 {
	column := columns[s.time]
	out := slices.Clone(arrow.GetValues[int64](column.Data(), 1)[:column.Len()])
	for i := range out {
		if column.IsNull(i) {
			out[i] = s.untimed
		}
	}
	return out
}

// useful are the rows that are of use still; nil for all.
func (s *coldStore) useful(columns []arrow.Array) []int32 {
	if s.time < 0 || s.over == NoWatermark {
		return nil
	}
	times := s.timesOf(columns)
	var out []int32
	for i, at := range times {
		if at > s.over {
			out = append(out, int32(i))
		}
	}
	if len(out) == len(times) {
		return nil
	}
	return append([]int32{}, out...)
}

func (s *coldStore) add(c *coldChunk) {
	part := s.part(c.hashes[0])
	s.parts[part] = append(s.parts[part], c)
	if s.time >= 0 {
		s.soonest, s.waits = min(s.soonest, c.last), min(s.waits, c.waits)
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
	hashes, columns, err := s.aliveOf(s.parts[part])
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
	next := newColdStore(s.space)
	next.bits, next.parts = bits, make([][]*coldChunk, 1<<bits)
	next.time, next.untimed, next.over, next.shown, next.combine = s.time, s.untimed, s.over, s.shown, s.combine
	for _, chunks := range s.parts {
		hashes, columns, err := s.aliveOf(chunks)
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

// aliveOf reads what is left of chunks and of use.
func (s *coldStore) aliveOf(chunks []*coldChunk) (hashes []uint32, columns []arrow.Array, err error) {
	var all [][]arrow.Array
	for _, c := range chunks {
		left, some, err := s.readLeft(c)
		if err != nil {
			return nil, nil, err
		}
		if len(left) > 0 {
			all, hashes = append(all, some), append(hashes, chosenHashes(c.hashes, left)...)
		}
	}
	if len(all) == 0 {
		return nil, nil, nil
	}
	if columns, err = endToEnd(all); err != nil || s.combine == nil {
		return hashes, columns, err
	}
	return s.combine(columns, len(hashes))
}

// readLeft reads the rows of a chunk that are left and of use.
func (s *coldStore) readLeft(c *coldChunk) (rows []int32, columns []arrow.Array, err error) {
	if c.alive == 0 {
		return nil, nil, nil
	}
	rows = c.left()
	if columns, err = c.read(rows); err != nil {
		return nil, nil, err
	}
	some := s.useful(columns)
	if some == nil {
		return rows, columns, nil
	}
	return picked(rows, some), taken(columns, some), nil
}

// scan reads the rows of a part, one chunk after the other.
func (s *coldStore) scan(part int, each func(columns []arrow.Array, rows int) error) error {
	for _, c := range s.parts[part] {
		rows, columns, err := s.readLeft(c)
		if err == nil && len(rows) > 0 {
			err = each(columns, len(rows))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// endToEnd puts rows of the same columns behind each other.
func endToEnd(all [][]arrow.Array) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(all[0]))
	for i := range out {
		pieces := make([]arrow.Array, len(all))
		for j, some := range all {
			pieces[j] = some[i]
		}
		var err error
		if out[i], err = kernel.Concat(pieces); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func picked(from, at []int32) []int32 {
	out := make([]int32, len(at))
	for i, row := range at {
		out[i] = from[row]
	}
	return out
}

// taken are some rows of columns.
func taken(columns []arrow.Array, rows []int32) []arrow.Array {
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		out[i] = kernel.Take(c, rows)
	}
	return out
}

// take finds the rows of hashes, which may repeat, and takes them out; those that are of no use any more are not given. They are read one
// chunk after the other; after an error the store is not used again.
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
			s.bury(c, rows)
			if some := s.useful(columns); some != nil {
				rows, columns = some, taken(columns, some)
			}
			if len(rows) == 0 {
				continue
			}
			if err := each(columns, len(rows)); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

func (s *coldStore) bury(c *coldChunk, rows []int32) {
	for _, row := range rows {
		c.gone.Set(int(row))
	}
	c.alive -= len(rows)
	s.alive -= len(rows)
}

// show gives the rows that waited for a time at or before upTo. Those whose time is after over stay, and wait no more. After an error the store
// is not used again.
func (s *coldStore) show(upTo, over int64, each func(columns []arrow.Array, rows int) error) error {
	if s.waits > upTo {
		return nil
	}
	s.waits = endOfTime
	var stay []*coldChunk
	for _, chunks := range s.parts {
		for _, c := range chunks {
			if c.waits <= upTo {
				kept, err := s.showOf(c, upTo, over, each)
				if err != nil {
					return err
				}
				stay = append(stay, kept...)
			}
			s.waits = min(s.waits, c.waits)
		}
	}
	s.commit(stay)
	return s.tidy()
}

// showOf is show for a chunk. It gives the chunks of rows that stay.
func (s *coldStore) showOf(c *coldChunk, upTo, over int64, each func(columns []arrow.Array, rows int) error) ([]*coldChunk, error) {
	rows, columns, err := s.dueOf(c, upTo)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	s.bury(c, rows)
	if err := each(columns, len(rows)); err != nil {
		return nil, err
	}
	var stay []int32
	for i, at := range s.timesOf(columns) {
		if at > over {
			stay = append(stay, int32(i))
		}
	}
	if len(stay) == 0 {
		return nil, nil
	}
	kept, marks := taken(columns, stay), event.NewBitmap(len(stay))
	for i := range stay {
		marks.Set(i)
	}
	kept[s.shown] = event.NewBooleans(marks, len(stay), nil)
	return s.stage(chosenHashes(c.hashes, picked(rows, stay)), kept)
}

// dueOf reads the rows of a chunk that wait for a time at or before one, and notes for which the others do.
func (s *coldStore) dueOf(c *coldChunk, upTo int64) (rows []int32, columns []arrow.Array, err error) {
	if rows, columns, err = s.readLeft(c); err != nil {
		return nil, nil, err
	}
	if c.waits = endOfTime; len(rows) == 0 {
		return nil, nil, nil
	}
	shown, times := columns[s.shown].(*array.Boolean), s.timesOf(columns)
	var due []int32
	for i, at := range times {
		switch {
		case shown.Value(i):
		case at > upTo:
			c.waits = min(c.waits, at)
		default:
			due = append(due, int32(i))
		}
	}
	return picked(rows, due), taken(columns, due), nil
}

// waiting are the hashes of the rows that wait for a time at or before one. They are not to wait for it again: the caller takes them out.
func (s *coldStore) waiting(upTo int64) ([]uint32, error) {
	if s.waits > upTo {
		return nil, nil
	}
	var out []uint32
	s.waits = endOfTime
	for _, chunks := range s.parts {
		for _, c := range chunks {
			if c.waits <= upTo {
				rows, _, err := s.dueOf(c, upTo)
				if err != nil {
					return nil, err
				}
				out = append(out, chosenHashes(c.hashes, rows)...)
			}
			s.waits = min(s.waits, c.waits)
		}
	}
	return out, nil
}

// expire drops the chunks all of whose rows have a time at or before one. Some that are of no use stay with others that are.
func (s *coldStore) expire(upTo int64) error {
	if s.time < 0 {
		return nil
	}
	s.over = max(s.over, upTo)
	if s.file == nil || upTo < s.soonest {
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

// spilled is what the store takes on the disk. A nil store, of an operator that has moved nothing there yet, takes nothing.
func (s *coldStore) spilled() int64 {
	if s == nil {
		return 0
	}
	return s.stored
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

// close gives the disk back; a nil store has none.
func (s *coldStore) close() error {
	if s == nil || s.file == nil {
		return nil
	}
	file := s.file
	s.file, s.parts, s.alive = nil, nil, 0
	return file.release()
}
