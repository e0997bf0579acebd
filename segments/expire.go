package segments

import (
	"context"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// Expire drops the segments of a stream whose newest event time is before a time, in microseconds since 1970, and returns them, but
// for those that spare, unless it is nil, asks to keep. Views that are open go on reading what is dropped. Where only the moving of
// files failed, the error comes with the segments that were dropped.
func (s *Store) Expire(ctx context.Context, stream string, before int64, spare func(*manifest.Segment) bool) ([]*manifest.Segment, error) {
	if s.isClosed() {
		return nil, errClosed()
	}
	s.replacing.Lock() // held during I/O on purpose: see Store
	defer s.replacing.Unlock()
	edit := manifest.Replacement{Stream: stream, ExpiredBefore: before}
	var dropped []*manifest.Segment
	for _, segment := range s.manifest.View(stream).Segments {
		if segment.MaxTime < before && (spare == nil || !spare(segment)) {
			dropped = append(dropped, segment)
			edit.Remove = append(edit.Remove, segment.ID)
			edit.ExpiredTo = edit.ExpiredTo.Max(reaches(segment))
		}
	}
	if len(dropped) == 0 || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var err error
	if edit.Settled, err = s.settle(stream); err == nil {
		err = s.manifest.Replace(s.journal, edit)
	}
	if err != nil {
		return nil, fmt.Errorf("expire segments of stream %s: %w", stream, err)
	}
	if err := s.retire(stream, edit.Remove); err != nil {
		return dropped, fmt.Errorf("expire segments of stream %s: %w", stream, err)
	}
	return dropped, nil
}

// reaches is the offset after a segment's last row of each partition; 0 for partitions of which it has none.
func reaches(segment *manifest.Segment) event.Vector {
	out := make(event.Vector, len(segment.To))
	for p, to := range segment.To {
		if to > segment.From.At(event.Partition(p)) {
			out[p] = to
		}
	}
	return out
}

// HoldRetention stops or resumes the dropping of expired segments, durably: a clock that cannot be trusted is not trusted either by the
// process that starts next.
func (s *Store) HoldRetention(held bool) error { return s.manifest.HoldRetention(s.journal, held) }

// RetentionHeld reports whether the dropping of expired segments is stopped.
func (s *Store) RetentionHeld() bool { return s.manifest.RetentionHeld() }
