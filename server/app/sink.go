package app

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/query/kernel"
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
	chunk, err := chunkOf(columns, values)
	if err != nil {
		return 0, err
	}
	failure := body.FeedChunk(ctx, chunk)
	summary, err := body.Finish(ctx)
	return summary.Accepted, errors.Join(failure, err)
}

// chunkOf is the rows as lines of JSON. Those lines cannot tell a JSON null from NULL, so rows that have one are logged as columns, as rows of
// Arrow and Parquet are.
func chunkOf(columns []event.Column, values []arrow.Array) (*decode.Chunk, error) {
	for i, c := range columns {
		if c.Type.Kind == event.JSONB && holdsNull(values[i]) {
			return columnChunk(columns, values), nil
		}
	}
	lines, err := renderLines(columns, values)
	return &decode.Chunk{Lines: lines}, err
}

// holdsNull reports whether a JSON null is among values of JSONB.
func holdsNull(values arrow.Array) bool {
	documents := kernel.Decode(values).(*array.String)
	for i := range documents.Len() {
		if documents.IsValid(i) && documents.Value(i) == "null" {
			return true
		}
	}
	return false
}

// columnChunk is the rows as columns.
func columnChunk(columns []event.Column, values []arrow.Array) *decode.Chunk {
	out := &decode.Chunk{Rows: values[0].Len()}
	for i, c := range columns {
		out.Columns = append(out.Columns, kernel.Decode(values[i]))
		out.Fields = append(out.Fields, decode.Field{Name: c.Name, Type: c.Shown()})
		out.Types = append(out.Types, c.Type)
	}
	return out
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
