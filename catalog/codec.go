package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// recordVersion is the newest version of the record's JSON. A reader knows all versions up to its own.
const recordVersion = plainViewVersion

// The versions: 1 defines a stream, 2 can also drop one, 3 defines and drops materialized views, 4 views that are not
// materialized, and what materialized views over these have kept of them. A record is written as the least that it needs.
const (
	defineVersion = 1
	dropVersion   = 2
	viewVersion   = 3

	plainViewVersion = 4
)

// body is a record: the whole definition of one stream or view, which takes the place of the one before, or the name of one that goes.
type body struct {
	Version          int        `json:"v"`
	Stream           *Stream    `json:"stream,omitempty"`
	Dropped          string     `json:"dropped,omitempty"`
	View             *View      `json:"view,omitempty"`
	DroppedView      string     `json:"dropped_view,omitempty"`
	PlainView        *PlainView `json:"plain_view,omitempty"`
	DroppedPlainView string     `json:"dropped_plain_view,omitempty"`
	// LastGeneration is set in snapshots only: dropped views must not give their generations away.
	LastGeneration uint64 `json:"last_generation,omitempty"`
}

func encode(s *Stream) (journal.Record, error) {
	return encodeBody(body{Version: defineVersion, Stream: s})
}

// ofView is the record of a materialized view.
func ofView(v *View) body {
	b := body{Version: viewVersion, View: v}
	if len(v.PlainViews) > 0 {
		b.Version = plainViewVersion
	}
	return b
}

func encodeBody(b body) (journal.Record, error) {
	data, err := json.Marshal(b)
	if err != nil {
		return journal.Record{}, fmt.Errorf("encode definition: %w", err)
	}
	return journal.Record{Kind: journal.KindStream, Body: data}, nil
}

// decode reads a record and makes sure that it says something.
func decode(r journal.Record) (body, error) {
	var b body
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return b, &event.Error{Code: event.CodeCorrupt, Detail: "a definition cannot be read: " + err.Error(), Cause: err}
	}
	if b.Version > recordVersion {
		return b, event.Errorf(event.CodeNotSupported, "a definition has version %d and this program knows up to %d",
			b.Version, recordVersion)
	}
	if b.PlainView != nil && b.PlainView.Query != "" || b.DroppedPlainView != "" {
		return b, nil
	}
	stream, view := b.Stream != nil && b.Stream.Schema != nil, b.View != nil && b.View.Schema != nil
	if !stream && !view && b.Dropped == "" && b.DroppedView == "" && b.LastGeneration == 0 {
		return b, event.Errorf(event.CodeCorrupt, "a definition is incomplete")
	}
	return b, nil
}
