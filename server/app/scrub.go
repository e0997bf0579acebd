package app

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/scrub"
)

// openScrub starts to read the files for damage, if that is asked for.
func (a *App) openScrub(fs vfs.FS) {
	if a.config.ScrubRate <= 0 {
		return
	}
	a.scrub = scrub.New(scrub.Options{
		FS: fs, Rate: int64(a.config.ScrubRate), Segments: a.liveSegments, Segment: a.segments.NoteDamage, Known: a.quarantinedAt, Logger: a.logger,
	})
	a.metrics.WatchScrub(a.scrub, func() int { return len(a.damage()) })
	a.metrics.WatchViews(a.views.Stopped, a.views.HeldForStopped)
}

// quarantinedAt reports whether damage to a log has been met at a start: what it took is told, and accepted, by other means.
func (a *App) quarantinedAt(d scrub.Damage) bool {
	parts := strings.Split(d.File, "/")
	if parts[0] != "log" || len(parts) < 2 {
		return false
	}
	stream, ok := a.catalog.Stream(parts[1])
	return ok && slices.ContainsFunc(stream.Quarantined, func(q catalog.Quarantine) bool { return q.File == d.File && q.Byte == d.From })
}

// damage lists the files that are known to be missing or damaged, a sentence for each.
func (a *App) damage() []string {
	out := a.segments.Damage()
	if a.scrub == nil {
		return out
	}
	for _, d := range a.scrub.Found() {
		if !strings.HasPrefix(d.File, "segments/") { // these are in the list
			out = append(out, d.String())
		}
	}
	return out
}
