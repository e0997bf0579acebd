package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Column is a result column: its name and the SQL name of its type.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Result is a whole answer. A value is nil, bool, string, json.Number, or a json.RawMessage of what JSON nests, as the server wrote it.
type Result struct {
	Columns  []Column `json:"columns"`
	Rows     Rows     `json:"rows"`
	RowCount int64    `json:"row_count"`
	Stats    Stats    `json:"stats"`
}

// Rows are the rows of a Result.
type Rows [][]any

// UnmarshalJSON reads values, and leaves arrays and objects as they are: the order of their members is the server's.
func (r *Rows) UnmarshalJSON(data []byte) error {
	var raw [][]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*r = make(Rows, len(raw))
	for i, values := range raw {
		(*r)[i] = make([]any, len(values))
		for c, value := range values {
			var err error
			if (*r)[i][c], err = parseValue(value); err != nil {
				return err
			}
		}
	}
	return nil
}

func parseValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case '{', '[':
		return raw, nil
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case 'n':
		return nil, nil
	case 't', 'f':
		return raw[0] == 't', nil
	default:
		return json.Number(raw), nil
	}
}

// Stats is what the server says about the work behind an answer.
type Stats struct {
	ElapsedMS       float64 `json:"elapsed_ms"`
	RowsScanned     int64   `json:"rows_scanned"`
	BytesScanned    int64   `json:"bytes_scanned"`
	SegmentsScanned int64   `json:"segments_scanned"`
	SegmentsPruned  int64   `json:"segments_pruned"`
	PeakMemoryBytes int64   `json:"peak_memory_bytes"`
	// Truncated says that the answer was cut at the most rows allowed.
	Truncated bool `json:"truncated"`
}

// QueryOptions changes how SQL is run; the zero value leaves everything to the server.
type QueryOptions struct {
	// Params are bound to $1, $2 and so on.
	Params []any
	// MaxRows cuts the answer.
	MaxRows int64
	// Timeout ends the query on the server.
	Timeout time.Duration
	// Wait lets the query wait until the views that it reads have taken what was acknowledged before.
	Wait bool
}

type queryRequest struct {
	SQL     string `json:"sql"`
	Params  []any  `json:"params,omitempty"`
	MaxRows int64  `json:"max_rows,omitempty"`
	Timeout string `json:"timeout,omitempty"`
	Wait    bool   `json:"wait,omitempty"`
}

// Query runs the statements in sql and returns the last one's result.
func (c *Client) Query(ctx context.Context, sql string, opts QueryOptions) (*Result, error) {
	res, err := c.postSQL(ctx, sql, opts, "json")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	decoder := json.NewDecoder(res.Body)
	decoder.UseNumber()
	var answer struct {
		Result
		Failure *Error `json:"error"`
	}
	if err := decoder.Decode(&answer); err != nil {
		return nil, c.answerError(ctx, err)
	}
	if answer.Failure != nil {
		return nil, answer.Failure
	}
	return &answer.Result, nil
}

// Stream runs sql and copies the answer to w as the server formats it: json, ndjson, csv, arrow or parquet. A failure in the
// midst of a json or ndjson answer is part of what is copied and is also returned. truncated says that the answer was cut at the most rows allowed.
func (c *Client) Stream(ctx context.Context, sql string, opts QueryOptions, format string, w io.Writer) (truncated bool, err error) {
	res, err := c.postSQL(ctx, sql, opts, format)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	var last lastBytes
	if _, err := io.Copy(io.MultiWriter(w, &last), res.Body); err != nil {
		return false, c.answerError(ctx, err)
	}
	if format == "json" || format == "ndjson" {
		err = last.failure()
	}
	return res.Trailer.Get("X-Truncated") == "true", err
}

func (c *Client) postSQL(ctx context.Context, sql string, opts QueryOptions, format string) (*http.Response, error) {
	request := queryRequest{SQL: sql, Params: opts.Params, MaxRows: opts.MaxRows, Wait: opts.Wait}
	if opts.Timeout > 0 {
		request.Timeout = opts.Timeout.String()
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode query: %w", err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return c.do(ctx, http.MethodPost, "/v1/sql?format="+format, bytes.NewReader(text), header)
}

func (c *Client) answerError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the answer from %s broke off before its end", c.base)
	}
	return fmt.Errorf("read the answer from %s: %w", c.base, err)
}

// lastBytes keeps the end of a stream, where an answer says that it failed midway.
type lastBytes struct{ tail []byte }

// keptBytes is far more than any error member takes.
const keptBytes = 8 << 10

// Write keeps the last keptBytes of everything written.
func (l *lastBytes) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p[max(0, len(p)-keptBytes):]...)
	if over := len(l.tail) - keptBytes; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
	return len(p), nil
}

// failure reads a trailing {"error":{...}}: the last line of ndjson or the last member of json. A column may be called error
// too, so only an object with a code counts, and nothing may follow it but closing braces.
func (l *lastBytes) failure() error {
	at := bytes.LastIndex(l.tail, []byte(`"error":`))
	if at < 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(l.tail[at+len(`"error":`):]))
	failure := &Error{}
	if decoder.Decode(failure) != nil || failure.Code == "" || failure.Detail == "" {
		return nil //nolint:nilerr // data, not a failure's last member
	}
	rest, _ := io.ReadAll(decoder.Buffered())
	if strings.Trim(string(rest), " \r\n\t}") != "" {
		return nil
	}
	return failure
}

// Float reads a numeric value of a result; false for NULL and for what is not a number. The strings NaN, Infinity and
// -Infinity, which JSON has no numbers for, count as numbers.
func Float(value any) (float64, bool) {
	switch v := value.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		if v != "NaN" && v != "Infinity" && v != "-Infinity" {
			return 0, false
		}
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	default:
		return 0, false
	}
}
