package ingest

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
)

// loadDedup reads what was known of the stream's requests when it was saved last. The logs tell the rest.
func (s *Stream) loadDedup(partitions int) error {
	state, damaged, err := dedup.Load(s.engine.fs, s.name, dedup.Options{
		Requests: s.engine.dedup, Rows: s.engine.rowKeys, Within: s.opened.DedupWithin,
	})
	if err != nil {
		return err
	}
	if damaged {
		s.engine.options.Logger.Error("the snapshot of requests is damaged and was set aside; what the log no longer has is not known as a duplicate",
			"stream", s.name)
	}
	s.dedup = state
	s.mu.saved = make(event.Vector, partitions)
	for p := range partitions {
		s.mu.saved[p] = state.Next(event.Partition(p))
	}
	return nil
}

// spare saves what is known of requests if it is worth it, and says up to where the logs are not needed for it.
func (s *Stream) spare() (event.Vector, error) {
	if s.dedup.Due() {
		saved, err := s.dedup.Save(s.engine.fs, s.name)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.mu.saved = saved
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.saved, nil
}
