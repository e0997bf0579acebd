package dedup

import (
	"encoding/binary"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

// Part is what one partition holds of a chunk.
type Part struct {
	Partition event.Partition
	First     event.Offset
	Rows      uint32
	// Held is as in eventlog.Request.
	Held []byte
}

// Chunk is what is stored of one chunk of a keyed request.
type Chunk struct {
	Hash [16]byte
	// Lines are the rows that it had, and Accepted those that were to be stored.
	Lines, Accepted uint32
	// Rejected is as in eventlog.Request.
	Rejected []byte
	// Last is true when the body was seen to end with it.
	Last  bool
	Parts []Part
}

// Stored is how many of the accepted rows are stored. It is less than Accepted where a crash came between the partitions.
func (c *Chunk) Stored() uint32 {
	n := uint32(0)
	for _, p := range c.Parts {
		n += p.Rows
	}
	return n
}

// Holds reports whether the chunk's row with this index is stored.
func (c *Chunk) Holds(line int) bool {
	for _, p := range c.Parts {
		held := eventlog.Request{Held: p.Held}
		if p.Held == nil || held.Holds(line) {
			return true
		}
	}
	return false
}

// stored is one entry of a request, as it is remembered.
type stored struct {
	eventlog.Request
	Part
	Arrival int64
}

// age holds the requests that arrived within an hour. They lie encoded in one piece of memory, without pointers: there may be millions of
// them, and the collector should not have to look at each. An age is forgotten as a whole.
type age struct {
	hour int64 // since 1970
	// newest gives the place of the entry of a key that was added last; each entry has the place of the one before it.
	newest map[eventlog.RequestKey]uint32
	slab   []byte
	count  int64
}

const (
	entryHeader = 4 + 2 + 4 + 8 + 4 + 8 // place of the one before, length of the request, partition, first offset, rows, arrival
	// mapEntry is about what an entry of newest takes.
	mapEntry = 40
	// maxSlab keeps places within 32 bits. An hour that outgrows it is continued by another age of the same hour.
	maxSlab = 1 << 30
	noPlace = ^uint32(0)
)

func hourOf(micros int64) int64 { return micros / time.Hour.Microseconds() }

// add remembers an entry, and forgets what is too old or, for want of memory, oldest. The lock is held.
func (s *State) add(e stored) {
	hour := hourOf(e.Arrival)
	var a *age
	if n := len(s.mu.ages); n > 0 && s.mu.ages[n-1].hour >= hour && len(s.mu.ages[n-1].slab) < maxSlab {
		a = s.mu.ages[n-1] // a clock that was set back makes no ages out of order
	} else {
		a = &age{hour: hour, newest: map[eventlog.RequestKey]uint32{}}
		s.mu.ages = append(s.mu.ages, a)
	}
	before := a.bytes()
	a.add(e)
	s.budget.used.Add(a.bytes() - before)
	s.expire()
}

// expire forgets ages. An age is kept until its last moment is older than Keep.
func (s *State) expire() {
	for len(s.mu.ages) > 1 && s.mu.ages[0].hour+1 <= hourOf(s.mu.arrival-Keep.Microseconds()) {
		s.dropOldest()
	}
	for len(s.mu.ages) > 1 && s.budget.used.Load() > s.budget.limit {
		s.budget.forgotten.Add(s.mu.ages[0].count)
		s.dropOldest()
	}
	if s.budget.used.Load() > s.budget.limit && len(s.mu.ages) == 1 && s.mu.ages[0].bytes() > s.budget.limit/2 {
		s.budget.forgotten.Add(s.mu.ages[0].count)
		s.dropOldest()
	}
}

func (s *State) dropOldest() {
	s.budget.used.Add(-s.mu.ages[0].bytes())
	s.mu.ages[0] = nil
	s.mu.ages = s.mu.ages[1:]
}

// Request finds what is stored of a request, by the number of the chunk; nil when nothing is. now is the wall clock.
func (s *State) Request(key eventlog.RequestKey, now time.Time) map[uint32]*Chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out map[uint32]*Chunk
	for _, a := range s.mu.ages {
		if a.hour+1 <= hourOf(now.UnixMicro()-Keep.Microseconds()) {
			continue
		}
		place, ok := a.newest[key]
		for ok && place != noPlace {
			var e stored
			e, place = a.read(place)
			if out == nil {
				out = map[uint32]*Chunk{}
			}
			chunk := out[e.Chunk]
			if chunk == nil {
				chunk = &Chunk{Hash: e.Hash, Lines: e.Lines, Accepted: e.Accepted, Rejected: e.Rejected}
				out[e.Chunk] = chunk
			}
			chunk.Last = chunk.Last || e.Last
			chunk.Parts = append(chunk.Parts, e.Part)
		}
	}
	return out
}

func (a *age) bytes() int64 { return int64(cap(a.slab)) + mapEntry*int64(len(a.newest)) }

func (a *age) add(e stored) {
	before, ok := a.newest[e.Key]
	if !ok {
		before = noPlace
	}
	place := len(a.slab)
	a.slab = binary.LittleEndian.AppendUint32(a.slab, before)
	a.slab = append(a.slab, 0, 0)
	a.slab = binary.LittleEndian.AppendUint32(a.slab, uint32(e.Partition))
	a.slab = binary.LittleEndian.AppendUint64(a.slab, uint64(e.First))
	a.slab = binary.LittleEndian.AppendUint32(a.slab, e.Rows)
	a.slab = binary.LittleEndian.AppendUint64(a.slab, uint64(e.Arrival))
	a.slab = eventlog.AppendRequest(a.slab, &e.Request)
	binary.LittleEndian.PutUint16(a.slab[place+4:], uint16(len(a.slab)-place-entryHeader))
	a.newest[e.Key] = uint32(place)
	a.count++
}

// read decodes the entry at a place, and gives the place of the one of the same key before it.
func (a *age) read(place uint32) (stored, uint32) {
	src := a.slab[place:]
	before, size := binary.LittleEndian.Uint32(src), int(binary.LittleEndian.Uint16(src[4:]))
	request, err := eventlog.ParseRequest(src[entryHeader : entryHeader+size])
	if err != nil {
		panic("dedup: " + err.Error()) // add wrote it
	}
	e := stored{Request: *request, Arrival: int64(binary.LittleEndian.Uint64(src[22:]))}
	e.Part = Part{
		Partition: event.Partition(binary.LittleEndian.Uint32(src[6:])), First: event.Offset(binary.LittleEndian.Uint64(src[10:])),
		Rows: binary.LittleEndian.Uint32(src[18:]), Held: request.Held,
	}
	return e, before
}
