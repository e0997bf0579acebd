package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// recordVersion is the newest version of the record's JSON. A reader knows all versions up to its own.
const recordVersion = dropVersion

// The versions: 1 defines a stream, 2 can also drop one. A definition is still written as version 1.
const (
	defineVersion = 1
	dropVersion   = 2
)

// body is a record: the whole definition of one stream, which takes the place of the one before, or the name of one that goes.
type body struct {
	Version int     `json:"v"`
	Stream  *Stream `json:"stream,omitempty"`
	Dropped string  `json:"dropped,omitempty"`
}

func encode(s *Stream) (journal.Record, error) {
	b, err := json.Marshal(body{Version: defineVersion, Stream: s})
	if err != nil {
		return journal.Record{}, fmt.Errorf("encode stream %s: %w", s.Name, err)
	}
	return journal.Record{Kind: journal.KindStream, Body: b}, nil
}

// decode gives a definition, or the name of a stream that is dropped.
func decode(r journal.Record) (defined *Stream, dropped string, err error) {
	var b body
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return nil, "", &event.Error{Code: event.CodeCorrupt, Detail: "a stream's definition cannot be read: " + err.Error(), Cause: err}
	}
	if b.Version > recordVersion {
		return nil, "", event.Errorf(event.CodeNotSupported, "a stream's definition has version %d and this program knows up to %d",
			b.Version, recordVersion)
	}
	if b.Dropped != "" {
		return nil, b.Dropped, nil
	}
	if b.Stream == nil || b.Stream.Schema == nil {
		return nil, "", event.Errorf(event.CodeCorrupt, "a stream's definition is incomplete")
	}
	return b.Stream, "", nil
}
