package app

import (
	"errors"

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

// checkWhole refuses a statement that reads a stream of which damage has taken rows, or a view that lacks such rows, unless it is to go on without
// them. It gives how many offsets it goes without. Damage is met when a server starts, so the answer cannot come to lack more after this.
func (r *runner) checkWhole(bound bind.Bound, allowCorrupt bool) (skipped int64, err error) {
	node := planOf(bound)
	if node == nil {
		return 0, nil
	}
	for _, name := range plan.Streams(node) {
		stream, ok := r.app.catalog.Stream(name)
		if !ok {
			offsets, err := r.checkView(name, allowCorrupt)
			if _, makes := bound.(bind.CreateView); makes && isNotReady(err) {
				continue // it is read when it is
			}
			if skipped += offsets; err != nil {
				return 0, err
			}
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

// isNotReady tells that a view cannot be read yet.
func isNotReady(err error) bool {
	var fault *event.Error
	return errors.As(err, &fault) && fault.Code != event.CodeCorrupt
}

// checkView is checkWhole for one view. Tables of the server's own lack nothing.
func (r *runner) checkView(name string, allowCorrupt bool) (skipped int64, err error) {
	if _, ok := r.app.catalog.View(name); !ok {
		return 0, nil
	}
	lacks, err := r.app.views.Lacks(name)
	if err != nil {
		return 0, err
	}
	for _, lack := range lacks {
		if !allowCorrupt {
			return 0, lack.Fault()
		}
		skipped += lack.Offsets
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
