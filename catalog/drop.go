package catalog

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// Drop removes a definition, together with the records of other states that belong to it: either all of it becomes durable or
// nothing. It fails with CodeNotFound for a stream that is not there, and with CodeConflict while views read it.
func (c *Catalog) Drop(name string, others ...journal.Record) error {
	err := c.journal.Update(func() ([]journal.Record, error) {
		if _, ok := c.Stream(name); !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
		}
		if err := c.Unread(name); err != nil {
			return nil, err
		}
		record, err := encodeDrop(name)
		if err != nil {
			return nil, err
		}
		return append([]journal.Record{record}, others...), nil
	})
	if err != nil {
		return fmt.Errorf("drop stream %s: %w", name, err)
	}
	return nil
}

// Dropped reports whether a stream was dropped, has not been made again, and may have left files.
func (c *Catalog) Dropped(name string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.mu.dropped[name]
}

// ForgetDropped is told that dropped streams have left no files any more. Without it snapshots of the journal would name them for ever.
func (c *Catalog) ForgetDropped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.mu.dropped)
}

// appendDropped keeps in a snapshot which streams were dropped: one may be taken between a drop and the removal of the files.
func (c *Catalog) appendDropped(out []journal.Record) ([]journal.Record, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(c.mu.dropped)) {
		record, err := encodeDrop(name)
		if err != nil {
			return nil, err
		}
		out = append(out, record)
	}
	return out, nil
}

func encodeDrop(name string) (journal.Record, error) {
	return encodeBody(body{Version: dropVersion, Dropped: name})
}
