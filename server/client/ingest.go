package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/tidemarkdb/tidemark/event"
)

// NDJSON is the media type of events when no other is named: a JSON object a line.
const NDJSON = "application/x-ndjson"

// IngestOptions says how a body of events is written; the zero value means plain NDJSON.
type IngestOptions struct {
	// ContentType is the body's media type.
	ContentType string
	// Format names the format, where the media type does not.
	Format string
	// Rows names the member of JSON documents whose array has the rows; empty where they are rows themselves.
	Rows string
	// DateOrder is dmy or mdy, for CSV with dates such as 03/01/2026; empty leaves those texts.
	DateOrder string
	// Delimiter separates the cells of CSV; empty lets the header tell. Nulls are the texts that mean NULL in it; none is the empty text.
	Delimiter string
	// Escape takes its meaning from a quote in quoted cells of CSV; empty leaves it to a second quote.
	Escape string
	Nulls  []string
	// Header is true where the first line of CSV names the columns, false where it is a row; empty leaves it to the line. Columns are their names, with commas
	// between them; empty where the line has them.
	Header  string
	Columns string
	// ContentEncoding is gzip or zstd, or empty for a plain body.
	ContentEncoding string
	// TimeColumn names the event-time column when the request makes the stream.
	TimeColumn string
	// Key lets the same body be sent again without storing its rows twice; empty for none.
	Key string
	// OnError is "batch" to have all rows stored or none; empty to have bad ones set aside.
	OnError string
	// Replay says that the rows were rejected before, which a metric of the server counts.
	Replay bool
	// Ack is "write" to be answered when the rows are written; empty for when they are synced.
	Ack string
}

// IngestResult says what became of the rows of one request.
type IngestResult struct {
	Stream     string        `json:"stream"`
	Accepted   int64         `json:"accepted"`
	Rejected   int64         `json:"rejected"`
	Duplicates int64         `json:"duplicates"`
	Duplicate  bool          `json:"duplicate"`
	Offsets    []OffsetRange `json:"offsets"`
	// Errors holds the first few rejections.
	Errors []RowError `json:"errors"`
	// Hint says what would help where every row was rejected, or what would have been better; it may be empty.
	Hint string `json:"hint"`
}

// OffsetRange is where accepted rows lie in one partition; both ends belong to it.
type OffsetRange struct {
	Partition event.Partition `json:"partition"`
	First     event.Offset    `json:"first"`
	Last      event.Offset    `json:"last"`
}

// RowError says why a row was rejected. Row counts the request's lines that are not blank, from 0.
type RowError struct {
	Row    int64  `json:"row"`
	Reason string `json:"reason"`
}

// Ingest sends a body of events to a stream and returns when the accepted ones are durable. When every row was rejected the
// error is an *Error with event.CodeRejected, whose Ingest has the counts and reasons.
func (c *Client) Ingest(ctx context.Context, stream string, body io.Reader, opts IngestOptions) (*IngestResult, error) {
	header := http.Header{"Content-Type": {NDJSON}}
	if opts.ContentType != "" {
		header.Set("Content-Type", opts.ContentType)
	}
	if opts.ContentEncoding != "" {
		header.Set("Content-Encoding", opts.ContentEncoding)
	}
	if opts.Key != "" {
		header.Set("Idempotency-Key", opts.Key)
	}
	path := "/v1/streams/" + url.PathEscape(stream) + "/events"
	query := url.Values{}
	if opts.TimeColumn != "" {
		query.Set("time", opts.TimeColumn)
	}
	if opts.Format != "" {
		query.Set("format", opts.Format)
	}
	if opts.Rows != "" {
		query.Set("rows", opts.Rows)
	}
	if opts.DateOrder != "" {
		query.Set("date_order", opts.DateOrder)
	}
	if opts.Delimiter != "" {
		query.Set("delimiter", opts.Delimiter)
	}
	if opts.Escape != "" {
		query.Set("escape", opts.Escape)
	}
	if len(opts.Nulls) > 0 {
		query["null"] = opts.Nulls
	}
	if opts.Header != "" {
		query.Set("header", opts.Header)
	}
	if opts.Columns != "" {
		query.Set("columns", opts.Columns)
	}
	if opts.Replay {
		query.Set("replay", "rejected")
	}
	if opts.Ack != "" {
		query.Set("ack", opts.Ack)
	}
	if opts.OnError != "" {
		query.Set("on_error", opts.OnError)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	res, err := c.do(ctx, http.MethodPost, path, body, header)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	result := &IngestResult{}
	if err := json.NewDecoder(res.Body).Decode(result); err != nil {
		return nil, c.answerError(ctx, err)
	}
	return result, nil
}
