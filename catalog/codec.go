package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// recordVersion is the newest version of the record's JSON. A reader knows all versions up to its own.
const recordVersion = 1

// body is a record: the whole definition of one stream, which takes the place of the one before.
type body struct {
	Version int     `json:"v"`
	Stream  *Stream `json:"stream"`
}

func encode(s *Stream) (journal.Record, error) {
	b, err := json.Marshal(body{Version: recordVersion, Stream: s})
	if err != nil {
		return journal.Record{}, fmt.Errorf("encode stream %s: %w", s.Name, err)
	}
	return journal.Record{Kind: journal.KindStream, Body: b}, nil
}

func decode(r journal.Record) (*Stream, error) {
	var b body
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return nil, &event.Error{Code: event.CodeCorrupt, Detail: "a stream's definition cannot be read: " + err.Error(), Cause: err}
	}
	if b.Version > recordVersion {
		return nil, event.Errorf(event.CodeNotSupported, "a stream's definition has version %d and this program knows up to %d",
			b.Version, recordVersion)
	}
	if b.Stream == nil || b.Stream.Schema == nil {
		return nil, event.Errorf(event.CodeCorrupt, "a stream's definition is incomplete")
	}
	return b.Stream, nil
}
