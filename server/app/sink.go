package app

import (
	"context"
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

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
	types, err := s.types(stream, names)
	if err != nil {
		return 0, err
	}
	lines, err := renderLines(names, types, columns)
	if err != nil {
		return 0, err
	}
	failure := body.Feed(ctx, lines)
	summary, err := body.Finish()
	return summary.Accepted, errors.Join(failure, err)
}

// types are those of the stream's columns that rows go to.
func (s *sink) types(stream string, names []string) ([]event.Type, error) {
	open, err := s.engine.Stream(stream)
	if err != nil {
		return nil, err
	}
	types := make([]event.Type, len(names))
	for i, name := range names {
		column, err := open.Definition().Schema.Resolve(name)
		if err != nil {
			return nil, event.Errorf(event.CodeUnknownColumn, "stream %q: %v", stream, err)
		}
		types[i] = column.Type
	}
	return types, nil
}

// renderLines renders rows as JSON objects, a line each. NULL members are left out.
func renderLines(names []string, types []event.Type, columns []arrow.Array) ([]byte, error) {
	keys := make([][]byte, len(names))
	for i, name := range names {
		keys[i] = append(event.AppendJSONString(nil, name), ':')
	}
	var out []byte
	for row := range columns[0].Len() {
		out = append(out, '{')
		start := len(out)
		for i, c := range columns {
			if c.IsNull(row) {
				continue
			}
			if d, ok := c.(*array.Float64); ok && (math.IsNaN(d.Value(row)) || math.IsInf(d.Value(row), 0)) {
				return nil, event.Errorf(event.CodeInvalidValue, "column %q: NaN and infinities cannot be stored", names[i])
			}
			if len(out) > start {
				out = append(out, ',')
			}
			var err error
			if out, err = event.AppendJSONValue(append(out, keys[i]...), c, row, types[i]); err != nil {
				return nil, err
			}
		}
		out = append(out, '}', '\n')
	}
	return out, nil
}
