package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// Drop removes a definition, together with the records of other states that belong to it: either all of it becomes durable or
// nothing. It fails with CodeNotFound for a stream that is not there.
func (c *Catalog) Drop(name string, others ...journal.Record) error {
	err := c.journal.Update(func() ([]journal.Record, error) {
		if _, ok := c.Stream(name); !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
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

func encodeDrop(name string) (journal.Record, error) {
	b, err := json.Marshal(body{Version: dropVersion, Dropped: name})
	if err != nil {
		return journal.Record{}, fmt.Errorf("encode drop of stream %s: %w", name, err)
	}
	return journal.Record{Kind: journal.KindStream, Body: b}, nil
}
