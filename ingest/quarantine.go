package ingest

import (
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
