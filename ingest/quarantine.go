package ingest

import (
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

// quarantine notes a range of the log that cannot be read, as far as no segment has its rows. What lies before the offset sealed is only
// of use for consumers and for what is known of duplicates.
func (s *Stream) quarantine(p event.Partition, gap eventlog.Gap, sealed event.Offset) error {
	s.engine.options.Logger.Error("a log is damaged", "stream", s.name, "partition", p, "from", gap.From, "to", gap.To, "sealed", sealed,
		"file", gap.File, "byte", gap.At, "reason", gap.Reason)
	if gap.From = max(gap.From, sealed); gap.From >= gap.To {
		return nil
	}
	return s.engine.catalog.Quarantine(s.name, catalog.Quarantine{
		Partition: p, From: gap.From, To: gap.To, File: gap.File, Byte: gap.At, Reason: gap.Reason, Found: s.engine.options.Now().UTC(),
	})
}

// readmit takes ranges off the list that this start has read after all, as when a disk gave other bytes before: their rows are in the tail again.
// Those before the offset sealed have been passed over by a segment, and stay lost.
func (s *Stream) readmit(p event.Partition, gaps []eventlog.Gap, sealed event.Offset) error {
	found, err := s.engine.catalog.Readmit(s.name, func(q catalog.Quarantine) bool {
		return q.Partition == p && q.From >= sealed &&
			!slices.ContainsFunc(gaps, func(g eventlog.Gap) bool { return g.From < q.To && q.From < g.To })
	})
	for _, q := range found {
		s.engine.options.Logger.Warn("rows that could not be read can be read again", "stream", s.name, "partition", p, "from", q.From, "to", q.To, "file", q.File)
	}
	return err
}
