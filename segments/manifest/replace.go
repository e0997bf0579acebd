package manifest

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// Replacement takes segments out of a stream's list and puts others, which hold the same rows or fewer, in their place. It does not
// move the sealed vector.
type Replacement struct {
	Stream string
	Add    []*Segment
	Remove []uint64
	// Settled, ExpiredBefore and ExpiredTo are as in an Edit.
	Settled       []uint64
	ExpiredBefore int64
	ExpiredTo     event.Vector
}

// Replace makes a replacement durable and visible, or returns ErrConflict and changes nothing where a segment to remove is no longer
// listed. Unlike a Commit it does not mind what is sealed meanwhile: it takes over the sealed state that it finds. After any other
// error the outcome is unknown: the journal decides at the next start.
func (m *Manifest) Replace(j Journal, r Replacement) error {
	err := j.Update(func() ([]journal.Record, error) {
		sealed := m.View(r.Stream).Sealed
		edit := Edit{
			Stream: r.Stream, ExpectedNext: sealed.Next, Sealed: sealed, Add: r.Add, Remove: r.Remove, Settled: r.Settled,
			ExpiredBefore: r.ExpiredBefore, ExpiredTo: r.ExpiredTo,
		}
		if len(r.Remove) == 0 {
			return nil, fmt.Errorf("a replacement of nothing: %w", ErrConflict)
		}
		if err := m.check(edit); err != nil {
			return nil, err
		}
		record, err := encodeEdit(edit)
		return []journal.Record{record}, err
	})
	if err != nil {
		return fmt.Errorf("replace segments of stream %s: %w", r.Stream, err)
	}
	return nil
}
