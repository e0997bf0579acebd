package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// Dir holds the snapshots, one for each stream.
const Dir = "state/dedup"

const (
	suffix = ".snapshot"
	// damagedSuffix ends the name of a snapshot that could not be read.
	damagedSuffix = ".damaged"

	// The kinds of the frames of a snapshot.
	frameHead uint8 = 1
	frameAge  uint8 = 2
	frameRows uint8 = 3
	// frameProducers is there where there are producers that count their batches.
	frameProducers uint8 = 4

	snapshotVersion = 1
	// ageFrame is how much of an age a frame holds.
	ageFrame = 4 << 20
	// rowsFrame is how many keys of rows a frame holds, and rowSize how many bytes each takes.
	rowsFrame = 64 << 10
	rowSize   = 16 + 8
)

func snapshotPath(stream string) string { return path.Join(Dir, stream+suffix) }

// Due reports whether a snapshot is worth its writing: as many bytes of the log were applied since the last one as the state takes. So
// snapshots cost less than the log does, and a restart reads little more of the log than it reads of a snapshot.
func (s *State) Due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := int64(0)
	for _, a := range s.mu.ages {
		total += int64(len(a.slab))
	}
	total += (producerHead + keptBatches*batchSize) * int64(len(s.mu.producers.known))
	return s.mu.unsaved > total+rowSize*int64(len(s.mu.rows.seen))
}

// Save writes a snapshot in the place of the one before and returns the vector that it covers: what lies before is not needed again.
func (s *State) Save(fsys vfs.FS, stream string) (event.Vector, error) {
	s.mu.Lock()
	next, arrival, unsaved := append(event.Vector(nil), s.mu.next...), s.mu.arrival, s.mu.unsaved
	ages := make([]age, len(s.mu.ages))
	for i, a := range s.mu.ages {
		ages[i] = age{hour: a.hour, slab: a.slab} // what lies within the length never changes
	}
	rows, producers := maps.Clone(s.mu.rows.seen), s.appendProducers()
	s.mu.Unlock()
	if err := vfs.MkdirAllSync(fsys, Dir); err != nil {
		return nil, fmt.Errorf("save what is known of requests: %w", err)
	}
	err := record.WriteFile(fsys, snapshotPath(stream), record.Dedup, func(w *record.Writer) error {
		if err := w.Add(frameHead, func(dst []byte) []byte { return appendHead(dst, next, arrival) }); err != nil {
			return err
		}
		for _, a := range ages {
			if err := saveAge(w, a); err != nil {
				return err
			}
		}
		if err := saveProducers(w, producers); err != nil {
			return err
		}
		return saveRows(w, rows)
	})
	if err != nil {
		return nil, fmt.Errorf("save what is known of requests: %w", err)
	}
	s.mu.Lock()
	s.mu.unsaved -= unsaved
	s.mu.Unlock()
	return next, nil
}

func appendHead(dst []byte, next event.Vector, arrival int64) []byte {
	dst = append(dst, snapshotVersion)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(arrival))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(next)))
	for _, offset := range next {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(offset))
	}
	return dst
}

func saveAge(w *record.Writer, a age) error {
	for rest := a.slab; len(rest) > 0; {
		part := rest[:min(len(rest), ageFrame)]
		rest = rest[len(part):]
		err := w.Add(frameAge, func(dst []byte) []byte {
			return append(binary.LittleEndian.AppendUint64(dst, uint64(a.hour)), part...)
		})
		if err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func saveRows(w *record.Writer, rows map[RowKey]int64) error {
	body := make([]byte, 0, min(len(rows), rowsFrame)*rowSize)
	add := func() error {
		if err := w.Add(frameRows, func(dst []byte) []byte { return append(dst, body...) }); err != nil {
			return err
		}
		body = body[:0]
		return w.Flush()
	}
	for key, t := range rows {
		body = binary.LittleEndian.AppendUint64(append(body, key[:]...), uint64(t))
		if len(body) == rowsFrame*rowSize {
			if err := add(); err != nil {
				return err
			}
		}
	}
	if len(body) == 0 {
		return nil
	}
	return add()
}

// Load reads the snapshot of a stream. Without one, the state is empty. A damaged one is renamed and damaged is true: the state is
// then empty too, and what the log still has is all that can be known.
func Load(fsys vfs.FS, stream string, options Options) (s *State, damaged bool, err error) {
	name := snapshotPath(stream)
	s = New(options)
	switch err := s.read(fsys, name); {
	case err == nil:
		return s, false, nil
	case errors.Is(err, fs.ErrNotExist):
		return New(options), false, nil
	case !isDamage(err):
		return nil, false, fmt.Errorf("read what is known of requests: %w", err)
	}
	if err := fsys.Rename(name, name+damagedSuffix); err != nil {
		return nil, false, fmt.Errorf("set a damaged snapshot aside: %w", err)
	}
	return New(options), true, nil
}

// Look is Load that changes nothing. It gives nil for a snapshot that is damaged, which stays where it is, and an error with fs.ErrNotExist where
// there is none.
func Look(fsys vfs.FS, stream string, options Options) (*State, error) {
	s := New(options)
	err := s.read(fsys, snapshotPath(stream))
	if err == nil {
		return s, nil
	}
	if s.Close(); isDamage(err) {
		return nil, nil
	}
	return nil, fmt.Errorf("read what is known of requests: %w", err)
}

func isDamage(err error) bool {
	var fault *event.Error
	return errors.Is(err, record.ErrTorn) || errors.As(err, &fault) && fault.Code == event.CodeCorrupt
}

func (s *State) read(fsys vfs.FS, name string) error {
	head := false
	_, err := record.Scan(fsys, name, record.Dedup, record.ScanOptions{Whole: true}, func(f record.Frame) error {
		var problem string
		switch {
		case f.Kind == frameHead && !head:
			head = true
			problem = s.readHead(f.Body)
		case f.Kind == frameAge && head:
			problem = s.readAge(f.Body)
		case f.Kind == frameRows && head:
			problem = s.readRows(f.Body)
		case f.Kind == frameProducers && head:
			problem = s.readProducers(f.Body)
		default:
			problem = fmt.Sprintf("a frame of kind %d in a place where none belongs", f.Kind)
		}
		if problem != "" {
			return record.Corrupt(name, f.Offset, "%s", problem)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !head {
		return record.Corrupt(name, 0, "the snapshot is empty")
	}
	for _, a := range s.mu.ages {
		if !a.index() {
			return record.Corrupt(name, 0, "the requests of hour %d cannot be read", a.hour)
		}
	}
	for _, a := range s.mu.ages { // only now: a state that cannot be read takes nothing
		s.budget.used.Add(a.bytes())
	}
	s.budget.used.Add(int64(len(s.mu.producers.known)) * producerBytes)
	s.mu.rows.budget.used.Add(int64(len(s.mu.rows.seen)) * rowKeyBytes)
	return nil
}

func (s *State) readHead(src []byte) (problem string) {
	if len(src) < 13 || src[0] != snapshotVersion {
		return "a snapshot of a version that this program does not know"
	}
	s.mu.arrival = int64(binary.LittleEndian.Uint64(src[1:]))
	count := int(binary.LittleEndian.Uint32(src[9:]))
	if src = src[13:]; len(src) != 8*count {
		return "the vector of offsets is cut short"
	}
	for i := range count {
		s.mu.next = append(s.mu.next, event.Offset(binary.LittleEndian.Uint64(src[8*i:])))
	}
	return ""
}

func (s *State) readAge(src []byte) (problem string) {
	if len(src) < 8 {
		return "an age without an hour"
	}
	hour := int64(binary.LittleEndian.Uint64(src))
	n := len(s.mu.ages)
	if n == 0 || s.mu.ages[n-1].hour != hour || len(s.mu.ages[n-1].slab) >= maxSlab {
		s.mu.ages = append(s.mu.ages, &age{hour: hour})
		n++
	}
	s.mu.ages[n-1].slab = append(s.mu.ages[n-1].slab, src[8:]...)
	return ""
}

func (s *State) readRows(src []byte) (problem string) {
	if len(src)%rowSize != 0 {
		return "the keys of rows are cut short"
	}
	for ; len(src) > 0; src = src[rowSize:] {
		s.mu.rows.seen[RowKey(src)] = int64(binary.LittleEndian.Uint64(src[16:]))
	}
	return ""
}

// index finds the entries of an age that was read, and reports whether all of it makes sense.
func (a *age) index() bool {
	a.newest = map[eventlog.RequestKey]uint32{}
	for place := 0; place < len(a.slab); {
		rest := a.slab[place:]
		if len(rest) < entryHeader {
			return false
		}
		before, size := binary.LittleEndian.Uint32(rest), int(binary.LittleEndian.Uint16(rest[4:]))
		if size > len(rest)-entryHeader || before != noPlace && int(before) >= place {
			return false
		}
		request, err := eventlog.ParseRequest(rest[entryHeader : entryHeader+size])
		if err != nil {
			return false
		}
		a.newest[request.Key] = uint32(place)
		a.count++
		place += entryHeader + size
	}
	return true
}

// Remove forgets the snapshot of a stream that is no more, durably.
func Remove(fsys vfs.FS, stream string) error {
	removed := false
	for _, name := range []string{snapshotPath(stream), snapshotPath(stream) + damagedSuffix} {
		err := fsys.Remove(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what is known of requests: %w", err)
		}
		removed = removed || err == nil
	}
	if !removed {
		return nil
	}
	if err := fsys.SyncDir(Dir); err != nil {
		return fmt.Errorf("remove what is known of requests: %w", err)
	}
	return nil
}
