package api

import (
	"bytes"
	"fmt"

	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/jsonbody"
)

// onlyRow keeps the row of a body of JSON that has but one, and makes a stream: it may be a document around the rows that are meant. Later requests have shown
// what their rows are like, and are not looked at.
type onlyRow struct {
	chunks
	seen int
	text []byte
}

// watchOnlyRow watches the rows of a body, if a hint may be due.
func watchOnlyRow(rows chunks, form format, in *ingest.Body, member string) *onlyRow {
	if in.Schema() != nil || member != "" || form.name != "json" && form.name != "ndjson" {
		return nil
	}
	return &onlyRow{chunks: rows}
}

// Next is the next chunk.
func (o *onlyRow) Next() (*decode.Chunk, error) {
	chunk, err := o.chunks.Next()
	if err != nil {
		return chunk, err
	}
	if o.seen++; o.seen > 1 {
		o.text = nil
		return chunk, nil
	}
	switch lines := bytes.TrimSpace(chunk.Lines); {
	case len(chunk.Texts) == 1:
		o.text = bytes.Clone(chunk.Texts[0]) // their memory is used again
	case len(lines) > 0 && bytes.IndexByte(lines, '\n') < 0:
		o.text = bytes.Clone(lines)
	}
	return chunk, nil
}

// hint says how the rows inside of the document would be taken; "" where it has none.
func (o *onlyRow) hint() string {
	if o == nil || o.text == nil {
		return ""
	}
	if len(o.text) > decode.MaxRowBytes {
		if member := jsonbody.RowsBegun(o.text); member != "" {
			return fmt.Sprintf("the body is a document around an array of objects; sent as application/json with rows=%s (tidemark load --rows=%s) each is a row",
				member, member)
		}
		return ""
	}
	member, rows := jsonbody.RowsInside(o.text)
	if rows == 0 {
		return ""
	}
	return fmt.Sprintf("the only row is a document around an array of %d objects; sent as application/json with rows=%s (tidemark load --rows=%s) each is a row",
		rows, member, member)
}
