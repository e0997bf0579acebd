package catalog

import (
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// Quarantine notes durably that a range of a stream's offsets cannot be read. What is noted already stays as it is.
func (c *Catalog) Quarantine(name string, lost Quarantine) error {
	err := c.journal.Update(func() ([]journal.Record, error) {
		present, ok := c.Stream(name)
		if !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
		}
		if slices.ContainsFunc(present.Quarantined, lost.within) {
			return nil, nil
		}
		next := *present
		next.Quarantined = append(slices.Clip(next.Quarantined), lost)
		r, err := encode(&next)
		return []journal.Record{r}, err
	})
	if err != nil {
		return fmt.Errorf("quarantine a range of stream %s: %w", name, err)
	}
	return nil
}

// Readmit takes ranges off the list that can be read again after all, and gives them.
func (c *Catalog) Readmit(name string, readable func(Quarantine) bool) (found []Quarantine, err error) {
	if present, ok := c.Stream(name); !ok || !slices.ContainsFunc(present.Quarantined, readable) {
		return nil, nil
	}
	err = c.update(func() (*Stream, error) {
		present, ok := c.Stream(name)
		if !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
		}
		next := *present
		next.Quarantined, found = nil, nil
		for _, q := range present.Quarantined {
			if readable(q) {
				found = append(found, q)
			} else {
				next.Quarantined = append(next.Quarantined, q)
			}
		}
		return &next, nil
	})
	if err != nil {
		return nil, fmt.Errorf("readmit ranges of stream %s: %w", name, err)
	}
	return found, nil
}

// AcceptLoss notes durably that what damage has taken of a stream is known to be lost, and gives the ranges that were not accepted before.
func (c *Catalog) AcceptLoss(name string) (accepted []Quarantine, err error) {
	err = c.journal.Update(func() ([]journal.Record, error) {
		present, ok := c.Stream(name)
		if !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
		}
		if accepted = present.Lost(); len(accepted) == 0 {
			return nil, nil
		}
		next := *present
		next.Quarantined = slices.Clone(next.Quarantined)
		for i := range next.Quarantined {
			next.Quarantined[i].Accepted = true
		}
		r, err := encode(&next)
		return []journal.Record{r}, err
	})
	if err != nil {
		return nil, fmt.Errorf("accept the loss of stream %s: %w", name, err)
	}
	return accepted, nil
}

// Lost are the ranges that damage has taken and nobody has accepted as lost.
func (s *Stream) Lost() []Quarantine {
	return slices.DeleteFunc(slices.Clone(s.Quarantined), func(q Quarantine) bool { return q.Accepted })
}

// within reports whether another range covers this one.
func (q Quarantine) within(other Quarantine) bool {
	return q.Partition == other.Partition && other.From <= q.From && q.To <= other.To
}

// Offsets is how many offsets are lost.
func (q Quarantine) Offsets() int64 { return int64(q.To - q.From) }

// String says what is lost and why.
func (q Quarantine) String() string {
	return fmt.Sprintf("offsets %d to %d of partition %d are lost: %s is damaged at byte %d: %s", q.From, q.To-1, q.Partition, q.File, q.Byte, q.Reason)
}
