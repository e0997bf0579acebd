package ingest

import "github.com/tidemarkdb/tidemark/catalog"

// Alter changes the definition of a stream. Every row that is queued after it returns obeys the new one: rows decoded under the one before
// are decoded again.
func (e *Engine) Alter(name string, change catalog.Change) error {
	s, err := e.Stream(name)
	if err != nil {
		return err
	}
	if err := e.room.take(0); err != nil {
		return err
	}
	s.evolving.Lock()
	defer s.evolving.Unlock()
	return e.catalog.Alter(name, change)
}
