package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// recordVersion is the version of the records below. A reader refuses what is newer than itself.
const recordVersion = 1

// dropVersion is the version of the record that drops a stream; most others are still of version 1.
const dropVersion = 2

// holdVersion is the version of the record that stops or resumes retention.
const holdVersion = 3

// storedEdit is the JSON of an edit in the journal.
type storedEdit struct {
	Version int        `json:"v"`
	Stream  string     `json:"stream,omitempty"`
	Add     []*Segment `json:"add,omitempty"`
	Remove  []uint64   `json:"remove,omitempty"`
	Sealed  *Sealed    `json:"sealed,omitempty"`
	// Settled, ExpiredBefore and ExpiredTo are those of the Edit.
	Settled       []uint64     `json:"settled,omitempty"`
	ExpiredBefore int64        `json:"expired_before,omitempty"`
	ExpiredTo     event.Vector `json:"expired_to,omitempty"`
	// Dropped says that the stream is gone.
	Dropped bool `json:"dropped,omitempty"`
	// Held says whether retention is stopped.
	Held *bool `json:"retention_held,omitempty"`
	// LastID is set in snapshots only: removed segments must not give their ids away.
	LastID uint64 `json:"last_id,omitempty"`
}

func encodeEdit(edit Edit) (journal.Record, error) {
	return encode(storedEdit{
		Version: recordVersion, Stream: edit.Stream, Add: edit.Add, Remove: edit.Remove, Sealed: &edit.Sealed, Settled: edit.Settled,
		ExpiredBefore: edit.ExpiredBefore, ExpiredTo: edit.ExpiredTo,
	})
}

func encode(stored storedEdit) (journal.Record, error) {
	body, err := json.Marshal(stored)
	if err != nil {
		return journal.Record{}, fmt.Errorf("encode manifest record: %w", err)
	}
	return journal.Record{Kind: journal.KindSegment, Body: body}, nil
}

// Apply folds one record in; the journal calls it.
func (m *Manifest) Apply(record journal.Record) error {
	var stored storedEdit
	if err := json.Unmarshal(record.Body, &stored); err != nil {
		return &event.Error{Code: event.CodeCorrupt, Detail: "unreadable manifest record", Cause: err}
	}
	if stored.Version < recordVersion || stored.Version > holdVersion {
		return event.Errorf(event.CodeNotSupported, "manifest record of version %d, this program reads %d to %d",
			stored.Version, recordVersion, holdVersion)
	}
	if stored.Dropped && stored.Stream != "" {
		m.forget(stored.Stream)
		return nil
	}
	if stored.Held != nil {
		m.hold(*stored.Held)
		return nil
	}
	if stored.LastID > 0 {
		m.mu.Lock()
		m.mu.lastID = max(m.mu.lastID, stored.LastID)
		m.mu.Unlock()
		return nil
	}
	if stored.Stream == "" || stored.Sealed == nil || slices.Contains(stored.Add, nil) {
		return event.Errorf(event.CodeCorrupt, "manifest record without stream, sealed vector or segment")
	}
	m.publish(Edit{
		Stream: stored.Stream, Add: stored.Add, Remove: stored.Remove, Sealed: *stored.Sealed, Settled: stored.Settled,
		ExpiredBefore: stored.ExpiredBefore, ExpiredTo: stored.ExpiredTo,
	})
	return nil
}

// Snapshot gives one record for each stream and one for the ids given away; the journal calls it.
func (m *Manifest) Snapshot() ([]journal.Record, error) {
	m.mu.Lock()
	streams, lastID, held := maps.Clone(m.mu.streams), m.mu.lastID, m.mu.held
	m.mu.Unlock()
	var out []journal.Record
	if held {
		record, err := encode(storedEdit{Version: holdVersion, Held: &held})
		if err != nil {
			return nil, err
		}
		out = append(out, record)
	}
	if lastID > 0 {
		record, err := encode(storedEdit{Version: recordVersion, LastID: lastID})
		if err != nil {
			return nil, err
		}
		out = append(out, record)
	}
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		v := streams[name]
		edit := Edit{Stream: name, Add: v.Segments, Sealed: v.Sealed, Remove: v.Retired, ExpiredTo: v.ExpiredTo}
		if v.ExpiredBefore != NoTime {
			edit.ExpiredBefore = v.ExpiredBefore
		}
		record, err := encodeEdit(edit)
		if err != nil {
			return nil, err
		}
		out = append(out, record)
	}
	return out, nil
}
