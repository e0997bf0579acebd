package continuous

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// tables is a query.Source over rows in memory, by name. The columns of a table have the field ids 1, 2 and so on.
type tables map[string]Delta

// tableScan is a plan that reads a table of these columns.
func tableScan(name string, columns []plan.Column) *plan.Scan {
	out := &plan.Scan{Stream: name, Schema: &event.Schema{Version: 1, NextID: event.FieldID(len(columns) + 1)}}
	for i, c := range columns {
		id := event.FieldID(i + 1)
		out.Schema.Columns = append(out.Schema.Columns, event.Column{ID: id, Name: c.Name, Type: c.Type, Since: 1})
		out.Fields = append(out.Fields, id)
	}
	return out
}

// Open is the tables themselves: they do not change.
func (t tables) Open(context.Context, []string) (query.Snapshot, error) { return t, nil }

// Close does nothing.
func (t tables) Close() error { return nil }

// Scan gives the table as one piece.
func (t tables) Scan(_ context.Context, request query.ScanRequest) (query.Scan, error) {
	table := t[request.Stream]
	piece := &tablePiece{rows: table.Rows}
	for _, id := range request.Columns {
		piece.columns = append(piece.columns, table.Columns[id-1])
	}
	if table.Rows == 0 {
		return query.Scan{}, nil
	}
	return query.Scan{Morsels: []query.Morsel{piece}}, nil
}

type tablePiece struct {
	columns []arrow.Array
	rows    int
}

func (p *tablePiece) Rows() int { return p.rows }

func (p *tablePiece) Bounds(int) (arrow.Array, bool) { return nil, false }

func (p *tablePiece) Read(_ context.Context, wanted []bool, _ *event.Buffers) ([]arrow.Array, int64, error) {
	out := make([]arrow.Array, len(p.columns))
	for i, c := range p.columns {
		if wanted == nil || wanted[i] {
			out[i] = c
		}
	}
	return out, 0, nil
}
