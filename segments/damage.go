package segments

import (
	"maps"
	"slices"

	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// noteDamage remembers that a file turned out to be missing or damaged.
func (s *Store) noteDamage(segment *manifest.Segment, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.mu.damaged[segment.ID]; !ok {
		s.mu.damaged[segment.ID] = err.Error()
	}
}

// NoteDamage remembers that a file was found to be missing or damaged by someone else.
func (s *Store) NoteDamage(segment *manifest.Segment, err error) { s.noteDamage(segment, err) }

// Damage lists what is known to be missing or damaged of the segments that count, a sentence for each. Queries that need one of them
// fail, all others are answered.
func (s *Store) Damage() []string {
	s.mu.Lock()
	damaged := maps.Clone(s.mu.damaged)
	s.mu.Unlock()
	if len(damaged) == 0 {
		return nil
	}
	live := map[uint64]bool{}
	for _, stream := range s.manifest.Streams() {
		for _, segment := range s.manifest.View(stream).Segments {
			live[segment.ID] = true
		}
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(damaged)) {
		if live[id] {
			out = append(out, damaged[id])
		}
	}
	return out
}

// IsDamaged reports whether a segment is known to be missing or damaged: merging it would fail again.
func (s *Store) IsDamaged(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.mu.damaged[id]
	return ok
}
