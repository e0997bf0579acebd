package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

const (
	// heartbeat is how often a subscriber hears something, so that both ends notice when the other is gone: more often than proxies end
	// connections that say nothing.
	heartbeat = 15 * time.Second
	// stallTime is how long a subscriber may take to read what it was sent before the connection is ended.
	stallTime = 30 * time.Second
	// reconnectMillis is how long a client is asked to wait before it connects again.
	reconnectMillis = 1000
)

// FeedRequest asks for the changes of a query.
type FeedRequest struct {
	SQL    string
	Params bind.Params
	// After is the token to go on from; Snapshot and Progress take precedence over the statement's own where they are set.
	After              string
	Snapshot, Progress *bool
	// AllowCorrupt lets it go on without rows that damage has taken.
	AllowCorrupt bool
}

// Feed gives the changes of a query one by one.
type Feed interface {
	// Start is a FeedStart, or of kind FeedIdle where the first change tells all that there is to know.
	Start() Change
	// Next waits for a change. It gives one of kind FeedIdle when nothing has come for as long as idle says.
	Next(ctx context.Context, idle time.Duration) (Change, error)
	// Progress tells whether the client asked for FeedProgress.
	Progress() bool
	Close()
}

// ChangeKind says what a Change is.
type ChangeKind string

// The kinds, which are also the names of the events that clients see.
const (
	FeedIdle     ChangeKind = ""
	FeedStart    ChangeKind = "start" // nothing has come yet, and this is where to go on
	FeedBatch    ChangeKind = "batch"
	FeedProgress ChangeKind = "progress"
	FeedReset    ChangeKind = "reset"
)

// Change is one thing that happened to the answer of a query.
type Change struct {
	Kind ChangeKind
	// Columns are the row's, those from Visible on only complete the key. Key names the columns that tell rows apart; HasKey is false where
	// rows may repeat.
	Columns []plan.Column
	Visible int
	Key     []string
	HasKey  bool
	// Ops says of each row of Values whether it is an insert, an update or a delete.
	Ops    []string
	Values []arrow.Array
	// More tells that the next change belongs to this one.
	More  bool
	Token string
	// Watermark is the time up to which the answer is complete, empty for none; Vector how far each stream has been read.
	Watermark string
	Vector    map[string][]int64
	Reason    string
}

func (s *Server) getSubscribe(w http.ResponseWriter, r *http.Request) error {
	request := FeedRequest{SQL: r.URL.Query().Get("q")}
	if request.SQL == "" {
		return event.Errorf(event.CodeBadRequest, "the query parameter q is missing").WithHint("GET /v1/subscribe?q=SELECT+*+FROM+orders")
	}
	return s.subscribe(w, r, request)
}

func (s *Server) postSubscribe(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSQLBytes))
	if err != nil {
		return event.Errorf(event.CodeBadRequest, "the body broke off: %v", err)
	}
	parsed, err := parseSQLBody(r.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	return s.subscribe(w, r, FeedRequest{SQL: parsed.SQL, Params: parsed.Params, AllowCorrupt: parsed.AllowCorrupt})
}

// subscribe streams changes as server-sent events until the client goes, the server stops or the query fails.
func (s *Server) subscribe(w http.ResponseWriter, r *http.Request, request FeedRequest) error {
	if err := readFeedURL(r.URL.Query(), &request); err != nil {
		return err
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		request.After = last
	}
	feed, err := s.Feeds(r.Context(), request)
	if err != nil {
		return err
	}
	defer feed.Close()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-s.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	return sendFeed(ctx, http.NewResponseController(w), w, feed)
}

func readFeedURL(query url.Values, to *FeedRequest) error {
	var allow *bool
	for name, flag := range map[string]**bool{"snapshot": &to.Snapshot, "progress": &to.Progress, "allow_corrupt": &allow} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		value, err := strconv.ParseBool(text)
		if err != nil {
			return event.Errorf(event.CodeBadRequest, "%s is %q; it may be true or false", name, text)
		}
		*flag = &value
	}
	if allow != nil {
		to.AllowCorrupt = *allow
	}
	to.After = query.Get("after")
	return nil
}

// sendFeed writes changes until one fails. What has begun ends with an event of its own, so that a client can tell it from a connection
// that broke.
func sendFeed(ctx context.Context, control *http.ResponseController, w io.Writer, feed Feed) error {
	buffer := append([]byte("retry: "), strconv.Itoa(reconnectMillis)+"\n\n"...)
	if start := feed.Start(); start.Kind == FeedStart {
		buffer = appendChange(buffer, start)
	}
	for {
		if err := sendEvent(control, w, buffer); err != nil {
			return err
		}
		change, err := feed.Next(ctx, heartbeat)
		gone := ctx.Err() != nil // the client, or the server stops and the client connects again
		switch {
		case gone:
			return nil //nolint:nilerr // there is nobody left to tell
		case err != nil:
			return sendEvent(control, w, appendEvent(buffer[:0], "error", "", appendJSON(nil, newProblem(asFault(err)))))
		case change.Kind == FeedProgress && !feed.Progress():
			buffer = buffer[:0]
		default:
			buffer = appendChange(buffer[:0], change)
		}
	}
}

func sendEvent(control *http.ResponseController, w io.Writer, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if err := control.SetWriteDeadline(time.Now().Add(stallTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// appendEvent writes one server-sent event. data has no line breaks.
func appendEvent(dst []byte, name, id string, data []byte) []byte {
	dst = append(append(dst, "event: "...), name...)
	if id != "" {
		dst = append(append(dst, "\nid: "...), id...)
	}
	dst = append(append(dst, "\ndata: "...), data...)
	return append(dst, "\n\n"...)
}

func appendChange(dst []byte, c Change) []byte {
	switch c.Kind {
	case FeedIdle:
		return append(dst, ": heartbeat\n\n"...)
	case FeedReset:
		return appendEvent(dst, string(c.Kind), "", appendJSON(nil, map[string]string{"reason": c.Reason}))
	case FeedStart:
		data := appendJSON(nil, struct {
			Vector map[string][]int64 `json:"vector"`
		}{c.Vector})
		return appendEvent(dst, string(c.Kind), c.Token, data)
	case FeedProgress:
		data := appendJSON(nil, struct {
			Watermark *string            `json:"watermark"`
			Vector    map[string][]int64 `json:"vector"`
		}{optional(c.Watermark), c.Vector})
		return appendEvent(dst, string(c.Kind), c.Token, data)
	default:
		return appendEvent(dst, string(c.Kind), c.Token, appendBatch(nil, c))
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// appendBatch writes {"columns": [...], "key": [...], "rows": [[op, ...], ...]}.
func appendBatch(dst []byte, c Change) []byte {
	dst = append(dst, `{"columns":[`...)
	for i, column := range c.Columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendJSONString(append(dst, `{"name":`...), column.Name)
		dst = event.AppendJSONString(append(dst, `,"type":`...), typeName(column.Type))
		if i >= c.Visible {
			dst = append(dst, `,"hidden":true`...)
		}
		dst = append(dst, '}')
	}
	key := []byte("null")
	if c.HasKey {
		key = appendJSON(nil, append([]string{}, c.Key...))
	}
	dst = append(append(append(dst, `],"key":`...), key...), `,"rows":[`...)
	appenders := make([]appender, len(c.Columns))
	for i, column := range c.Columns {
		appenders[i] = jsonValues{}.appender(column.Type, c.Values[i])
	}
	for row, op := range c.Ops {
		if row > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendJSONString(append(dst, '['), op)
		for _, a := range appenders {
			dst = a(append(dst, ','), row)
		}
		dst = append(dst, ']')
	}
	dst = append(dst, ']')
	if c.More {
		dst = append(dst, `,"more":true`...)
	}
	return append(dst, '}')
}
