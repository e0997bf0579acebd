package api

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/internal/charset"
)

// maxRequestID bounds X-Request-Id, which is kept beside rejected rows.
const maxRequestID = 128

// ingestAnswer is the answer to POST events.
type ingestAnswer struct {
	Stream     string       `json:"stream"`
	Accepted   int64        `json:"accepted"`
	Rejected   int64        `json:"rejected"`
	Duplicates int64        `json:"duplicates"`
	Duplicate  bool         `json:"duplicate"`
	Offsets    []offsetSpan `json:"offsets"`
	Errors     []rowError   `json:"errors"`
	Hint       string       `json:"hint,omitempty"`
}

type offsetSpan struct {
	Partition event.Partition `json:"partition"`
	First     event.Offset    `json:"first"`
	Last      event.Offset    `json:"last"`
}

type rowError struct {
	Row    int64  `json:"row"`
	Reason string `json:"reason"`
}

// postEvents takes events in. What has been committed before a failure is told beside it.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if err := checkIngest(query); err != nil {
		return err
	}
	form, err := bodyFormat(r.Header, query)
	if err != nil {
		return err
	}
	set, err := charsetOf(r.Header, query, form)
	if err != nil {
		return err
	}
	body, err := s.openBody(w, r, r.PathValue("stream"), form.limit(s))
	if err != nil {
		return err
	}
	defer func() { body.close() }() // reading ahead adds to it
	if set != nil {
		if err := body.account.hold(charset.HeldBytes); err != nil {
			return err
		}
	}
	if !form.binary() {
		body.plain = charset.NewReader(body.plain, set)
	}
	if form.sniff {
		if form, err = body.sniffed(form); err != nil {
			return err
		}
		body.limit = form.limit(s)
	}
	id, err := requestID(r)
	if err != nil {
		return err
	}
	w.Header().Set("X-Request-Id", id)
	in, err := s.beginEvents(r, query, id, form.time)
	if err != nil {
		return err
	}
	rows, release, err := form.chunks(s, body, parametersOf(r.Header, query, form), in)
	if err != nil {
		return err
	}
	defer release()
	only := watchOnlyRow(rows, form, in, query.Get("rows"))
	if only != nil {
		rows = only
	}
	failure := feed(r, in, pacedChunks{rows, body, in.Keyed()})
	if failure == nil {
		failure = in.Commit(r.Context())
	}
	summary, err := in.Finish(r.Context())
	failure = errors.Join(failure, err)
	s.Metrics.ingested(summary)
	if query.Has("replay") {
		s.Metrics.replays(summary)
	}
	advice := cmp.Or(only.hint(), charsetHint(summary, form, set), escapeHint(summary), formHint(rows))
	summary.Hint = cmp.Or(advice, summary.Hint, otherTimeHint(in, r.URL.Query().Get("time")))
	if len(summary.Errors) > 0 && summary.Errors[0].Misfit {
		form.hint = misfitHint(summary, r.URL.Query().Get("time"))
	}
	return s.answerEvents(w, summary, failure, cmp.Or(advice, form.hint))
}

// answerEvents tells what became of a body's rows. hint is what would help where none could be read.
func (s *Server) answerEvents(w http.ResponseWriter, summary ingest.Summary, failure error, hint string) error {
	answer := newIngestAnswer(summary)
	switch {
	case failure != nil:
		fault := asFault(failure)
		if fault.Code != event.CodeBatchRejected {
			s.Logger.Warn("ingest broken off", "stream", summary.Stream, "accepted", summary.Accepted, "error", failure)
		}
		p := newProblem(fault)
		p.ingestAnswer = answer
		sendProblem(w, p)
		return nil
	case summary.Accepted+summary.Duplicates == 0 && summary.Rejected > 0:
		p := newProblem(event.Errorf(event.CodeRejected, "none of the %d rows could be read; the first: %s", summary.Rejected, summary.Errors[0].Reason).
			WithHint("%s", hint))
		p.ingestAnswer = answer
		sendProblem(w, p)
		return nil
	case len(answer.Errors) == 0 && answer.Hint == "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_, err := w.Write(answer.appendPlain(nil))
		return err
	default:
		return writeJSON(w, http.StatusOK, answer)
	}
}

// appendPlain writes an answer without errors and hint, as writeJSON does: what is left of it is numbers, and most requests are answered so.
func (a *ingestAnswer) appendPlain(out []byte) []byte {
	out = event.AppendJSONString(append(out, `{"stream":`...), a.Stream)
	out = strconv.AppendInt(append(out, `,"accepted":`...), a.Accepted, 10)
	out = strconv.AppendInt(append(out, `,"rejected":`...), a.Rejected, 10)
	out = strconv.AppendInt(append(out, `,"duplicates":`...), a.Duplicates, 10)
	out = strconv.AppendBool(append(out, `,"duplicate":`...), a.Duplicate)
	out = append(out, `,"offsets":[`...)
	for i, span := range a.Offsets {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(append(out, `{"partition":`...), int64(span.Partition), 10)
		out = strconv.AppendInt(append(out, `,"first":`...), int64(span.First), 10)
		out = append(strconv.AppendInt(append(out, `,"last":`...), int64(span.Last), 10), '}')
	}
	return append(out, `],"errors":[]}`+"\n"...)
}

// beginEvents begins to take in rows for the stream that the address names. timeColumn is the event time where the request names none.
func (s *Server) beginEvents(r *http.Request, query url.Values, id, timeColumn string) (*ingest.Body, error) {
	key, err := idempotencyKey(r)
	if err != nil {
		return nil, err
	}
	return s.Ingest.Begin(r.PathValue("stream"), ingest.BodyOptions{
		TimeColumn: cmp.Or(query.Get("time"), timeColumn), RequestID: id, Key: key, AckWrite: query.Get("ack") == "write", Whole: query.Get("on_error") == "batch",
	})
}

// requestID is the client's own name for the request, or a new one.
func requestID(r *http.Request) (string, error) {
	id := r.Header.Get("X-Request-Id")
	if len(id) > maxRequestID {
		return "", event.Errorf(event.CodeBadRequest, "X-Request-Id has %d bytes; it may have %d", len(id), maxRequestID)
	}
	if id == "" {
		id = newID()
	}
	return id, nil
}

// idempotencyKey is the key under which the client may send the request again, or "".
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > ingest.MaxKey {
		return "", event.Errorf(event.CodeBadRequest, "an Idempotency-Key is one header of 1 to %d bytes", ingest.MaxKey)
	}
	return values[0], nil
}

// checkIngest refuses what this version does not do rather than leave it out in silence.
func checkIngest(query url.Values) error {
	if ack := query.Get("ack"); ack != "" && ack != "fsync" && ack != "write" {
		return event.Errorf(event.CodeBadRequest, "ack is fsync or write, not %q", ack).
			WithHint("leave it out: rows are synced before the answer")
	}
	if query.Has("replay") && query.Get("replay") != "rejected" {
		return event.Errorf(event.CodeBadRequest, "replay is rejected, not %q", query.Get("replay")).
			WithHint("leave it out, unless rows are sent again that were rejected")
	}
	if mode := query.Get("on_error"); mode != "" && mode != "row" && mode != "batch" {
		return event.Errorf(event.CodeBadRequest, "on_error is row or batch, not %q", mode).
			WithHint("leave it out: good rows are kept, bad ones reported")
	}
	return nil
}

// feed hands the body over chunk by chunk.
func feed(r *http.Request, in *ingest.Body, rows chunks) error {
	if in.Keyed() {
		return feedKeyed(r, in, rows)
	}
	for {
		chunk, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return brokenOff(err)
		}
		if err := in.FeedChunk(r.Context(), chunk); err != nil {
			return err
		}
	}
}

// feedKeyed is feed for a request with a key. It stays one chunk behind: what comes before a break may be less than the chunk that a
// repetition has in its place, and must not be stored under its number.
func feedKeyed(r *http.Request, in *ingest.Body, rows chunks) error {
	var held *decode.Chunk
	for {
		chunk, err := rows.Next()
		switch {
		case errors.Is(err, io.EOF) && held == nil:
			return nil
		case errors.Is(err, io.EOF):
			return in.FeedLast(r.Context(), held)
		case err != nil:
			return brokenOff(err)
		}
		if held != nil {
			if err := in.FeedChunk(r.Context(), held); err != nil {
				return err
			}
		}
		held = chunk
	}
}

// brokenOff is the answer to a body that cannot be read to its end.
func brokenOff(err error) error {
	var fault *event.Error
	if errors.As(err, &fault) {
		return fault
	}
	return event.Errorf(event.CodeBadRequest, "the body broke off: %v", err).WithHint("rows counted as accepted are stored; send the others again")
}

func newIngestAnswer(summary ingest.Summary) *ingestAnswer {
	answer := &ingestAnswer{
		Stream: summary.Stream, Accepted: summary.Accepted, Rejected: summary.Rejected, Offsets: []offsetSpan{}, Errors: []rowError{},
		Duplicates: summary.Duplicates, Duplicate: summary.Duplicates > 0 && summary.Accepted == 0, Hint: summary.Hint,
	}
	for _, span := range summary.Offsets {
		answer.Offsets = append(answer.Offsets, offsetSpan(span))
	}
	for _, e := range summary.Errors {
		answer.Errors = append(answer.Errors, rowError{Row: e.Row, Reason: e.Reason})
	}
	return answer
}

// postSeal moves what a stream holds in memory into a segment now.
func (s *Server) postSeal(w http.ResponseWriter, r *http.Request) error {
	stream, err := s.Ingest.Stream(r.PathValue("stream"))
	if err != nil {
		return err
	}
	rows, err := stream.Seal(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int64{"sealed_rows": rows})
}
