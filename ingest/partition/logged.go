package partition

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

// bytes is about what the rows take in the log.
func (rows *Rows) bytes() int {
	n := 0
	if rows.Raw != nil {
		for _, raw := range rows.Raw {
			n += len(raw)
		}
		return n
	}
	for _, values := range rows.Columns {
		n += int(event.ArrayBytes(values))
	}
	return n
}

// enter puts the rows into an entry of the log: as they came, or as columns where they came typed. Rows too narrow for that get texts.
func (rows *Rows) enter(e *eventlog.Entry) {
	e.Values = rows.Raw
	if rows.Raw != nil {
		return
	}
	columns := eventlog.NewColumns(rows.Schema, rows.Columns)
	if columns.Fit(len(rows.Times)) {
		e.Columns = columns
		return
	}
	names, types := make([]string, len(rows.Columns)), make([]event.Type, len(rows.Columns))
	for i, c := range rows.Schema.Columns {
		names[i], types[i] = c.Name, c.Type
	}
	e.Values = decode.RowTexts(names, types, rows.Columns, len(rows.Times))
}
