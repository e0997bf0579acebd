package app

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
)

// sink is query.Sink over ingest. Rows take the form they would have had in a request, so that the log holds the same
// records whichever way rows came.
type sink struct{ engine *ingest.Engine }

// Append stores rows; a row that cannot be stored fails its batch as a whole.
func (s *sink) Append(ctx context.Context, stream string, names []string, columns []arrow.Array) (int64, error) {
	body, err := s.engine.Begin(stream, ingest.BodyOptions{Insert: true})
	if err != nil {
		return 0, err
	}
	targets, err := s.targets(stream, names)
	if err != nil {
		return 0, err
	}
	return feedRows(ctx, body, targets, columns)
}

// insert is views.Options.Insert.
func (s *sink) insert(ctx context.Context, stream string, columns []event.Column, values []arrow.Array) error {
	body, err := s.engine.Begin(stream, ingest.BodyOptions{Insert: true, Evolve: true})
	if err == nil {
		_, err = feedRows(ctx, body, columns, values)
	}
	return err
}

func feedRows(ctx context.Context, body *ingest.Body, columns []event.Column, values []arrow.Array) (int64, error) {
	lines, err := renderLines(columns, values)
	if err != nil {
		return 0, err
	}
	failure := body.Feed(ctx, lines)
	summary, err := body.Finish(ctx)
	return summary.Accepted, errors.Join(failure, err)
}

// targets are the stream's columns that rows go to.
func (s *sink) targets(stream string, names []string) ([]event.Column, error) {
	open, err := s.engine.Stream(stream)
	if err != nil {
		return nil, err
	}
	targets := make([]event.Column, len(names))
	for i, name := range names {
		if targets[i], err = open.Definition().Schema.Resolve(name); err != nil {
			return nil, event.Errorf(event.CodeUnknownColumn, "stream %q: %v", stream, err)
		}
	}
	return targets, nil
}

// renderLines renders rows as JSON objects, a line each.
func renderLines(targets []event.Column, columns []arrow.Array) ([]byte, error) {
	var out []byte
	for row := range columns[0].Len() {
		var err error
		if out, err = event.AppendJSONRow(out, targets, columns, row); err != nil {
			return nil, err
		}
		out = append(out, '\n')
	}
	return out, nil
}
