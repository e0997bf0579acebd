package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// longestProblem bounds what is read of an error's body.
const longestProblem = 1 << 20

// Error is a refusal by the server.
type Error struct {
	// Status is the HTTP status, 0 for a failure reported inside an answer that had begun well.
	Status int `json:"status"`
	// Code is from the API's documented list, or "http_error" when the answer did not come from a Tidemark server.
	Code event.Code `json:"code"`
	// Title is the name of the problem, Detail what is wrong this time.
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Hint says what would help; it may be empty.
	Hint string `json:"hint"`
	// Position is where in the SQL text the fault lies, if it does.
	Position *event.Position `json:"position"`
	// RetryAfter is the server's Retry-After header, as sent.
	RetryAfter string `json:"-"`
	// Ingest says what became of the rows that a request had sent before it failed, or of all when all were rejected; it is
	// nil if none had been judged.
	Ingest *IngestResult `json:"-"`
}

// Error is one line: detail, position and hint.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Detail != "":
		b.WriteString(e.Detail)
	case e.Title != "":
		b.WriteString(e.Title)
	default:
		b.WriteString(string(e.Code))
	}
	if e.Position != nil {
		fmt.Fprintf(&b, " at line %d, column %d", e.Position.Line, e.Position.Column)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// UnreachableError says that no server answered at the address.
type UnreachableError struct {
	URL   string
	Cause error
}

// Error names the address and the likeliest remedy.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach %s: is `tidemark serve` running? (%v)", e.URL, e.Cause)
}

// Unwrap is the network's error.
func (e *UnreachableError) Unwrap() error { return e.Cause }

func (c *Client) transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// The URL is in our own message; the layers in front of the cause only repeat it.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return &UnreachableError{URL: c.base, Cause: dial.Err}
	}
	return fmt.Errorf("request to %s: %w", c.base, err)
}

// readProblem reads an error's body: a problem document, or whatever else answered.
func readProblem(res *http.Response) error {
	out := &Error{}
	body, err := io.ReadAll(io.LimitReader(res.Body, longestProblem))
	if err != nil {
		return fmt.Errorf("read the server's error (%s): %w", res.Status, err)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/problem+json" || json.Unmarshal(body, out) != nil {
		*out = Error{Code: "http_error", Detail: "the server answered " + res.Status}
		if text := firstLine(body); text != "" {
			out.Detail += ": " + text
		}
	}
	if judged := new(IngestResult); json.Unmarshal(body, judged) == nil && judged.Accepted+judged.Rejected > 0 {
		if out.Ingest = judged; out.Code == event.CodeRejected {
			judged.Hint = out.Hint
		}
	}
	out.Status = res.StatusCode
	out.RetryAfter = res.Header.Get("Retry-After")
	return out
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if len(line) > 200 {
		line = line[:200] + "..."
	}
	return line
}

// IsCancelled reports whether the call ended because its context did.
func IsCancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
