package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// maxSQLBytes bounds the body of a SQL request.
const maxSQLBytes = 4 << 20

// queryIDHeader names the query in an answer.
const queryIDHeader = "X-Query-Id"

// sqlRequest is what a request for SQL says, wherever it says it.
type sqlRequest struct {
	Request
	format  string
	maxRows int64
	timeout time.Duration
	// bigintAsText renders BIGINT as JSON strings, for readers whose numbers are doubles.
	bigintAsText bool
	// zone is that in which times are shown; nil for UTC.
	zone *time.Location
}

// sqlBody is the JSON form of a request.
type sqlBody struct {
	SQL      string          `json:"sql"`
	Params   json.RawMessage `json:"params"`
	From     *string         `json:"from"`
	To       *string         `json:"to"`
	Interval *string         `json:"interval"`
	Timezone string          `json:"timezone"`
	Format   string          `json:"format"`
	MaxRows  *int64          `json:"max_rows"`
	Timeout  string          `json:"timeout"`
	Wait     bool            `json:"wait"`
	// AllowCorrupt is as in Request.
	AllowCorrupt bool `json:"allow_corrupt"`
}

func (s *Server) getSQL(w http.ResponseWriter, r *http.Request) error {
	request := sqlRequest{Request: Request{SQL: r.URL.Query().Get("q"), ReadOnly: true}}
	if request.SQL == "" {
		return event.Errorf(event.CodeBadRequest, "the query parameter q is missing").WithHint("GET /v1/sql?q=SELECT+1")
	}
	return s.answerSQL(w, r, request)
}

func (s *Server) postSQL(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSQLBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return event.Errorf(event.CodeTooLarge, "a SQL request has at most %d bytes", maxSQLBytes)
		}
		return event.Errorf(event.CodeBadRequest, "the body broke off: %v", err)
	}
	request, err := parseSQLBody(r.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	return s.answerSQL(w, r, request)
}

// parseSQLBody takes SQL text, or the JSON form. A body that says that it is form data is SQL too: that is what curl -d says unasked.
func parseSQLBody(contentType string, body []byte) (sqlRequest, error) {
	media := ""
	if contentType != "" {
		var err error
		if media, _, err = mime.ParseMediaType(contentType); err != nil {
			return sqlRequest{}, event.Errorf(event.CodeMediaType, "Content-Type %q cannot be read", contentType)
		}
	}
	switch media {
	case "application/json":
		return parseSQLJSON(body)
	case "", "text/plain", "application/sql", "application/x-www-form-urlencoded":
		return sqlRequest{Request: Request{SQL: string(body)}}, nil
	default:
		return sqlRequest{}, event.Errorf(event.CodeMediaType, "SQL cannot be read from %q", contentType).
			WithHint("send SQL as text/plain, or application/json with a member sql")
	}
}

func parseSQLJSON(body []byte) (sqlRequest, error) {
	var in sqlBody
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return sqlRequest{}, event.Errorf(event.CodeBadRequest, "the request is not the JSON expected: %v", err).
			WithHint(`as in {"sql": "SELECT 1", "params": []}`)
	}
	params, err := in.params()
	if err != nil {
		return sqlRequest{}, err
	}
	request := sqlRequest{Request: Request{SQL: in.SQL, Params: params, Wait: in.Wait, AllowCorrupt: in.AllowCorrupt}, format: in.Format}
	if in.MaxRows != nil {
		if request.maxRows = *in.MaxRows; request.maxRows < 1 {
			return sqlRequest{}, event.Errorf(event.CodeBadRequest, "max_rows is %d; it must be at least 1", request.maxRows)
		}
	}
	if err := request.setTimeout(in.Timeout); err != nil {
		return sqlRequest{}, err
	}
	if err := request.setZone(in.Timezone); err != nil {
		return sqlRequest{}, err
	}
	return request, nil
}

// params gathers $1, :name, and :from, :to and :interval.
func (in *sqlBody) params() (bind.Params, error) {
	params := bind.Params{Named: map[string]bind.Param{}}
	var positional []json.RawMessage
	var named map[string]json.RawMessage
	if len(in.Params) > 0 && json.Unmarshal(in.Params, &positional) != nil && json.Unmarshal(in.Params, &named) != nil {
		return params, event.Errorf(event.CodeBadRequest, "params is neither an array nor an object")
	}
	for i, raw := range positional {
		p, ok := parseParam(raw)
		if !ok {
			return params, errParam("$" + strconv.Itoa(i+1))
		}
		params.Positional = append(params.Positional, p)
	}
	for name, raw := range named {
		p, ok := parseParam(raw)
		if !ok {
			return params, errParam(":" + name)
		}
		params.Named[name] = p
	}
	for name, text := range map[string]*string{"from": in.From, "to": in.To, "interval": in.Interval} {
		if text != nil {
			params.Named[name] = bind.String(*text)
		}
	}
	return params, nil
}

func errParam(name string) error {
	return event.Errorf(event.CodeBadRequest, "parameter %s must be null, true, false, a number or a string", name)
}

func parseParam(raw json.RawMessage) (bind.Param, bool) {
	switch text := string(bytes.TrimSpace(raw)); {
	case text == "null":
		return bind.Null(), true
	case text == "true" || text == "false":
		return bind.Bool(text == "true"), true
	case strings.HasPrefix(text, `"`):
		var s string
		err := json.Unmarshal(raw, &s)
		return bind.String(s), err == nil
	default:
		return bind.Number(text)
	}
}

// answerSQL runs a request and streams its result.
func (s *Server) answerSQL(w http.ResponseWriter, r *http.Request, request sqlRequest) error {
	if err := s.readURL(r, &request); err != nil {
		return err
	}
	out, err := chooseWriter(request, r.Header.Get("Accept"))
	if err != nil {
		return err
	}
	ctx, cancel := r.Context(), context.CancelFunc(func() {})
	if request.timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, request.timeout)
	}
	defer cancel()
	request.ID = newID()
	w.Header().Set(queryIDHeader, request.ID)
	start := s.Now()
	rows, err := s.Runner.Run(ctx, request.Request)
	if err != nil {
		return err
	}
	defer rows.Close()
	answer := &result{rows: rows, limit: request.maxRows, started: start, now: s.Now}
	err = answer.send(w, out)
	s.Metrics.queried(rows.Stats(), s.Now().Sub(start), err)
	s.Logger.Debug("query", "id", request.ID, "elapsed", s.Now().Sub(start), "rows", answer.sent, "error", err)
	return err
}

func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // crypto/rand never fails
	return hex.EncodeToString(id[:])
}
