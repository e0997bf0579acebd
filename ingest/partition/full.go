package partition

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
)

// maxTurned bounds how many producers are remembered of which a batch found no space.
const maxTurned = 1 << 16

// turnAway refuses a group for which there was no space. What its producers have sent behind it must not be stored either, or their batches
// would have a hole which the missing one could never fill: it would pass for a duplicate.
func (w *Writer) turnAway(group []*request, err error) {
	for _, r := range group {
		p := r.rows.Producer
		if p == nil {
			continue
		}
		if before, ok := w.turned[p.ID]; !ok || before.Epoch != p.Epoch {
			w.turned[p.ID] = *p
		}
	}
	refuse(group, err)
	if len(w.turned) > maxTurned {
		w.fail(fmt.Errorf("batches of %d producers found no space: %w", len(w.turned), err))
	}
}

// follow refuses the batches of a group that come behind one that found no space, and gives the rest.
func (w *Writer) follow(group []*request) []*request {
	if len(w.turned) == 0 {
		return group
	}
	kept := make([]*request, 0, len(group))
	for i, r := range group {
		if p := r.rows.Producer; p != nil {
			if before, ok := w.turned[p.ID]; ok && before.Epoch == p.Epoch && before.Sequence != p.Sequence {
				refuse(group[i:i+1], dedup.ErrOutOfOrder)
				continue
			}
			delete(w.turned, p.ID) // it is sent again
		}
		kept = append(kept, r)
	}
	return kept
}

// errFull is the answer to rows for which there was no space.
func errFull(err error) error {
	return &event.Error{
		Code: event.CodeDiskFull, Detail: "the disk is full: " + err.Error(), Cause: err,
		Hint: "free some space in the data directory's file system and send the events again; queries go on",
	}
}
