package manifest

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/internal/journal"
)

// HoldRetention makes durable whether segments may be dropped by age. Nothing is written where that does not change.
func (m *Manifest) HoldRetention(j Journal, held bool) error {
	err := j.Update(func() ([]journal.Record, error) {
		if m.RetentionHeld() == held {
			return nil, nil
		}
		record, err := encode(storedEdit{Version: holdVersion, Held: &held})
		return []journal.Record{record}, err
	})
	if err != nil {
		return fmt.Errorf("hold retention: %w", err)
	}
	return nil
}

// RetentionHeld reports that segments must not be dropped by age.
func (m *Manifest) RetentionHeld() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.held
}

func (m *Manifest) hold(held bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.held = held
}
