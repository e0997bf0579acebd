package app

import (
	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// planOf gives the plan of a statement that reads streams; nil for others.
func planOf(bound bind.Bound) plan.Node {
	switch b := bound.(type) {
	case bind.Query:
		return b.Plan
	case bind.Insert:
		return b.Plan
	case bind.CreateView:
		return b.Plan
	case bind.Explain:
		if b.Analyze {
			return b.Query.Plan
		}
	}
	return nil
}

// checkWhole refuses a statement that reads a stream of which damage has taken rows, unless it is to go on without them. It gives how many
// offsets it goes without.
func (r *runner) checkWhole(bound bind.Bound, allowCorrupt bool) (skipped int64, err error) {
	node := planOf(bound)
	if node == nil {
		return 0, nil
	}
	for _, name := range plan.Streams(node) {
		stream, ok := r.app.catalog.Stream(name)
		if !ok {
			continue
		}
		for _, q := range stream.Lost() {
			if !allowCorrupt {
				return 0, errQuarantined(name, q)
			}
			skipped += q.Offsets()
		}
	}
	return skipped, nil
}

// quarantined is how many offsets damage has taken, in all streams.
func (a *App) quarantined() (offsets int64) {
	for _, stream := range a.catalog.Streams() {
		for _, q := range stream.Lost() {
			offsets += q.Offsets()
		}
	}
	return offsets
}

func errQuarantined(stream string, q catalog.Quarantine) error {
	return event.Errorf(event.CodeCorrupt, "stream %s: %s", stream, q).
		WithHint("allow_corrupt=true answers from the other rows; stats.offsets_skipped then says how many offsets are missing")
}

// skippingRows are the rows of a statement that goes without some offsets.
type skippingRows struct {
	api.Rows
	skipped int64
}

// Stats are those of the rows, with what was left out.
func (r skippingRows) Stats() exec.Stats {
	stats := r.Rows.Stats()
	stats.OffsetsSkipped = r.skipped
	return stats
}
