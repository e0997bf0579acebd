package continuous

import (
	"cmp"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/spill"
)

// Frames without PARTITION BY have one partition, which cannot be divided by its key. Of its rows those go to the disk that frames come to last:
// stretches of the list in their order, which come back when the start or the end of a frame reaches them. The rows where frames start and end
// now, and the last one, stay in memory, so that a frame always moves on from a row that is there.

// slideStretch is rows on disk, one after the other in their partition: their columnsOf.
type slideStretch struct {
	first uint32 // the number of the first
	rows  int
	// since is the time of the row before it.
	since int64
	// before and after are the slots, plus one, of the rows next to it where these are in memory.
	before, after uint32
	file          *coldFile
	at            spill.Chunk
}

// end is the number of the row behind it.
func (s *slideStretch) end() uint32 { return s.first + uint32(s.rows) }

// onlyPartition is the slot of the partition of frames without PARTITION BY.
const onlyPartition = 0

// stretches tells whether rows may go to the disk though their partition does not.
func (n *slideNode) stretches() bool { return len(n.types) == 0 }

// following is the slot, plus one, of the next row in memory behind one, and how many rows on disk lie between them.
func (r *slideRows) following(slot uint32) (next uint32, skipped int) {
	if next = r.next[slot]; next != 0 || len(r.stretches) == 0 {
		return next, 0
	}
	at := slices.IndexFunc(r.stretches, func(s slideStretch) bool { return s.before == slot+1 })
	if at < 0 {
		return 0, 0
	}
	for {
		s := &r.stretches[at]
		skipped += s.rows
		if s.after != 0 || at+1 == len(r.stretches) {
			return s.after, skipped
		}
		at++
	}
}

// numbered lists the rows of the only partition that are in memory, with their numbers.
func (r *slideRows) numbered() (slots, numbers []uint32) {
	at, number := r.head[onlyPartition], r.base[onlyPartition]
	for at != 0 {
		slots, numbers = append(slots, at-1), append(numbers, number)
		next, skipped := r.following(at - 1)
		at, number = next, number+1+uint32(skipped)
	}
	return slots, numbers
}

// warmRows brings the rows back that frames come to in a step whose last row has a time, and gives so many rows.
func (o *slideOp) warmRows(last int64, rows int) error {
	for at := 0; at < len(o.rows.stretches); {
		if !o.reaches(&o.rows.stretches[at], last, o.rows.count[onlyPartition]+uint32(rows)-1) {
			at++
			continue
		}
		if err := o.warmStretch(at); err != nil {
			return err
		}
	}
	return nil
}

// reaches tells whether the start or the end of a frame comes to a stretch in a step whose last row has a time and a number. It looks at the row
// behind the last that it passes, too.
func (o *slideOp) reaches(s *slideStretch, last int64, number uint32) bool {
	for i, f := range o.node.frames {
		if f.start != fromStart && int32(s.end()-o.cursors[i].low[onlyPartition].at) > 0 {
			switch {
			case f.start == byTime && s.since < saturated(last, -f.before):
				return true
			case f.start == byRows && int32(number-uint32(f.before)-s.first) >= 0:
				return true
			case f.start == byPeers:
				return true
			}
		}
		if f.lags() && int32(s.end()-o.cursors[i].high[onlyPartition].at) > 0 {
			if f.end == byTime && s.since <= saturated(last, -f.behind) || f.end == byRows && int32(number+1-uint32(f.behind)-s.first) >= 0 {
				return true
			}
		}
	}
	return false
}

// warmStretch brings a stretch back.
func (o *slideOp) warmStretch(at int) error {
	s := o.rows.stretches[at]
	columns, err := s.file.Read(s.at)
	if err != nil {
		return err
	}
	slots := o.rows.insert(&s, arrow.GetValues[int64](columns[0].Data(), 1)[:s.rows])
	o.rows.putArgs(slots, columns)
	if at > 0 && o.rows.stretches[at-1].end() == s.first {
		o.rows.stretches[at-1].after = slots[0] + 1
	}
	if at+1 < len(o.rows.stretches) && o.rows.stretches[at+1].first == s.end() {
		o.rows.stretches[at+1].before = slots[len(slots)-1] + 1
	}
	o.rows.stretches = slices.Delete(o.rows.stretches, at, at+1)
	return s.file.release()
}

// insert makes slots for the rows of a stretch, which are chained to those next to them.
func (r *slideRows) insert(s *slideStretch, times []int64) []uint32 {
	slots := make([]uint32, s.rows)
	for i := range slots {
		slots[i] = r.slot(times[i])
		if i > 0 {
			r.next[slots[i-1]] = slots[i] + 1
		}
	}
	r.next[slots[len(slots)-1]] = s.after
	if s.before != 0 {
		r.next[s.before-1] = slots[0] + 1
	}
	return slots
}

// putArgs gives rows the arguments that columnsOf has of them.
func (r *slideRows) putArgs(slots []uint32, columns []arrow.Array) {
	next := 1
	for _, v := range r.vectors {
		if v != nil {
			v.put(slots, columns[next], nil)
			next++
		}
	}
}

// coolRows moves rows of the only partition to the disk, those that frames come to last, for so many bytes to be free.
func (o *slideOp) coolRows(bytes int64) error {
	o.rows.settle()
	if o.node.spill == nil || !o.node.stretches() || o.keys.count() == 0 || bytes <= 0 {
		return nil
	}
	slots, numbers := o.rows.numbered()
	goes := o.lastReached(numbers, bytes)
	if len(goes) == 0 {
		return nil
	}
	file, err := o.node.spill.Create()
	if err != nil {
		return err
	}
	shared := &coldFile{File: file}
	fresh := make([]slideStretch, 0, 1)
	for from := 0; from < len(goes); {
		to := from + 1
		for to < len(goes) && to-from < runRows && numbers[goes[to]] == numbers[goes[to-1]]+1 {
			to++
		}
		some := slots[goes[from] : goes[to-1]+1]
		at, err := file.Append(o.rows.columnsOf(some), len(some))
		if err != nil {
			return errors.Join(err, file.Close())
		}
		fresh = append(fresh, slideStretch{
			first: numbers[goes[from]], rows: len(some), since: o.rows.times[slots[goes[from]-1]], file: shared, at: at,
		})
		from = to
	}
	shared.users.Store(int64(len(fresh)))
	o.leave(slots, numbers, goes, fresh)
	return nil
}

// lastReached lists the places of the rows to go, in order: those furthest behind a row where a frame starts or ends.
func (o *slideOp) lastReached(numbers []uint32, bytes int64) []int {
	var marks []uint32
	for i, f := range o.node.frames {
		if f.start != fromStart {
			marks = append(marks, o.cursors[i].low[onlyPartition].at)
		}
		if f.lags() {
			marks = append(marks, o.cursors[i].high[onlyPartition].at)
		}
	}
	var places []int
	distances := make([]uint32, len(numbers))
	for i, number := range numbers {
		nearest := uint32(1 << 31)
		for _, mark := range marks {
			if d := number - mark; int32(d) >= 0 {
				nearest = min(nearest, d)
			}
		}
		// The first row and the last one hold the list together.
		if distances[i] = nearest; nearest > 0 && i > 0 && i < len(numbers)-1 {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return nil
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(distances[b], distances[a]) })
	places = places[:toSpill(len(places), bytes, o.rows.bytes())]
	slices.Sort(places)
	return places
}

// leave goes on, in new memory, with the rows that do not go.
func (o *slideOp) leave(slots, numbers []uint32, goes []int, fresh []slideStretch) {
	var stay, kept []uint32
	for i, slot := range slots {
		if len(goes) > 0 && goes[0] == i {
			goes = goes[1:]
			continue
		}
		stay, kept = append(stay, slot), append(kept, numbers[i])
	}
	was := o.rows
	o.rows = newSlideRows(o.node)
	o.rows.reach(len(was.count))
	o.rows.stretches = slices.Concat(was.stretches, fresh)
	slices.SortFunc(o.rows.stretches, func(a, b slideStretch) int { return int(int32(a.first - b.first)) })
	moved := o.rows.chain(kept, pickSlots(was.times, stay))
	o.rows.putArgs(moved, was.columnsOf(stay))
	o.rows.count[onlyPartition] = was.count[onlyPartition]
	to := make(map[uint32]uint32, len(stay))
	for i, slot := range stay {
		to[slot+1] = moved[i] + 1
	}
	for i := range o.cursors {
		c := &o.cursors[i]
		c.low[onlyPartition].slot, c.high[onlyPartition].slot = to[c.low[onlyPartition].slot], to[c.high[onlyPartition].slot]
	}
}

// chain makes slots for rows of the only partition with numbers, in order, and joins them with each other and with the stretches between them.
func (r *slideRows) chain(numbers []uint32, times []int64) []uint32 {
	slots := make([]uint32, len(numbers))
	for i, number := range numbers {
		slots[i] = r.take(onlyPartition, number, times[i])
		if i > 0 && numbers[i-1]+1 != number {
			r.next[slots[i-1]] = 0 // what lies between them is on disk
		}
	}
	place := 0
	for i := range r.stretches {
		s := &r.stretches[i]
		for place < len(numbers) && int32(numbers[place]-s.first) < 0 {
			place++
		}
		s.before, s.after = 0, 0
		if place > 0 && numbers[place-1]+1 == s.first {
			s.before = slots[place-1] + 1
		}
		if place < len(numbers) && numbers[place] == s.end() {
			s.after = slots[place] + 1
		}
	}
	return slots
}

// dropStretches forgets the rows on disk.
func (r *slideRows) dropStretches() error {
	var errs []error
	for _, s := range r.stretches {
		errs = append(errs, s.file.release())
	}
	r.stretches = nil
	return errors.Join(errs...)
}

// stretched is the bytes on disk.
func (r *slideRows) stretched() (total int64) {
	for _, s := range r.stretches {
		total += s.at.Stored()
	}
	return total
}

// saveStretches writes the rows on disk, each stretch behind its place among the rows that are kept.
func (o *slideOp) saveStretches(w *stateWriter) {
	if !o.node.stretches() {
		return
	}
	w.number(int64(len(o.rows.stretches)))
	for _, s := range o.rows.stretches {
		w.number(int64(s.first - o.rows.base[onlyPartition]))
		s.file.users.Add(1)
		w.later(s.rows, func() ([]arrow.Array, error) { return s.file.Read(s.at) }, s.file.release)
	}
}

// loadStretches reads what saveStretches wrote: to the disk again, or where there is none among the rows, which it gives. Those in memory are rows, in
// their order.
func (o *slideOp) loadStretches(r *stateReader, rows []arrow.Array) ([]arrow.Array, error) {
	if !o.node.stretches() || r.form < 3 {
		return rows, nil
	}
	count, err := r.size()
	if err != nil || count == 0 {
		return rows, err
	}
	in := stretchReader{node: o.node, rows: rows, times: arrow.GetValues[int64](rows[0].Data(), 1)[:rows[0].Len()]}
	for range count {
		if err := in.next(r); err != nil {
			return nil, errors.Join(err, in.close())
		}
	}
	if in.file == nil {
		return endToEnd(append(in.pieces, in.upTo(rows[0].Len())))
	}
	if in.taken == rows[0].Len() {
		return nil, errors.Join(errState("the last row is on disk"), in.close())
	}
	in.file.users.Store(int64(len(in.stretches)))
	o.rows.stretches = in.stretches
	return rows, nil
}

// stretchReader reads the stretches of a snapshot.
type stretchReader struct {
	node  *slideNode
	rows  []arrow.Array // in memory
	times []int64
	taken int // of rows
	end   int64
	last  int64 // time of the last row so far
	// file and stretches are what went to the disk, pieces what did not, with the rows between.
	file      *coldFile
	stretches []slideStretch
	pieces    [][]arrow.Array
}

func (in *stretchReader) next(r *stateReader) error {
	place, err := r.number()
	if err != nil {
		return err
	}
	columns, n, err := r.columns(in.node.rowTypes())
	if err != nil {
		return err
	}
	between := place - in.end
	if n == 0 || place <= 0 || between < 0 || between > int64(len(in.times)-in.taken) || place+int64(n) > 1<<31 {
		return errState("%d rows on disk at row %d", n, place)
	}
	if between > 0 {
		in.last = in.times[in.taken+int(between)-1]
	}
	if in.node.spill != nil {
		err = in.keep(uint32(place), columns, n)
	} else {
		in.pieces = append(in.pieces, in.upTo(in.taken+int(between)), columns)
	}
	in.taken, in.end = in.taken+int(between), place+int64(n)
	in.last = arrow.GetValues[int64](columns[0].Data(), 1)[n-1]
	return err
}

// upTo are the rows in memory that were not taken yet, up to a place.
func (in *stretchReader) upTo(to int) []arrow.Array { return taken(in.rows, upTo32(to)[in.taken:]) }

// keep writes rows to the disk.
func (in *stretchReader) keep(first uint32, columns []arrow.Array, rows int) error {
	if in.file == nil {
		file, err := in.node.spill.Create()
		if err != nil {
			return err
		}
		in.file = &coldFile{File: file}
	}
	at, err := in.file.Append(columns, rows)
	in.stretches = append(in.stretches, slideStretch{first: first, rows: rows, since: in.last, file: in.file, at: at})
	return err
}

func (in *stretchReader) close() error {
	if in.file == nil {
		return nil
	}
	return in.file.Close()
}

// between are the numbers of the rows in memory, of so many.
func (r *slideRows) between(count uint32) []uint32 {
	var out []uint32
	from := uint32(0)
	for _, s := range r.stretches {
		for ; from < s.first; from++ {
			out = append(out, from)
		}
		from = s.end()
	}
	for ; from < count; from++ {
		out = append(out, from)
	}
	return out
}

// onDisk stands for the slot of a row that has none.
const onDisk = 1<<32 - 1

// listPlaces appends the slots of a partition's rows, in order, also of those on disk.
func (r *slideRows) listPlaces(key uint32, into []uint32) []uint32 {
	for at := r.head[key]; at != 0; {
		into = append(into, at-1)
		next, skipped := r.following(at - 1)
		into = append(into, slices.Repeat([]uint32{onDisk}, skipped)...)
		at = next
	}
	return into
}

// argsOf are the arguments among what columnsOf has of rows.
func (r *slideRows) argsOf(columns []arrow.Array) []arrow.Array {
	args, next := make([]arrow.Array, len(r.vectors)), 1
	for i, v := range r.vectors {
		if v != nil {
			args[i] = columns[next]
			next++
		}
	}
	return args
}

// refillStretched is refill for the only partition, of whose rows some are on disk; args are those of the others.
func (o *slideOp) refillStretched(call int, args []arrow.Array) error {
	c := o.node.calls[call]
	low, high := o.cursors[c.frame].low[onlyPartition].at, o.cursors[c.frame].high[onlyPartition].at
	number := o.rows.base[onlyPartition]
	inMemory := int32(0)
	part := func(rows int, args []arrow.Array, from int32) error {
		m := &frameMoves{op: o, moves: make([]frameMove, len(o.node.frames)), keys: []uint32{onlyPartition}, place: []int32{0}}
		f := &m.moves[c.frame]
		for i := range int32(rows) {
			if int32(number-low) >= 0 && int32(number-high) < 0 {
				f.added = append(f.added, from+i)
			}
			number++
		}
		f.addedTo, f.removedTo = []int32{int32(len(f.added))}, []int32{0}
		_, err := m.roll(c, o.rollers[call], args)
		return err
	}
	for _, s := range o.rows.stretches {
		if before := int32(s.first - number); before > 0 {
			if err := part(int(before), args, inMemory); err != nil {
				return err
			}
			inMemory += before
		}
		columns, err := s.file.Read(s.at)
		if err == nil {
			err = part(s.rows, o.rows.argsOf(columns), 0)
		}
		if err != nil {
			return err
		}
	}
	return part(int(o.rows.count[onlyPartition]-number), args, inMemory)
}
