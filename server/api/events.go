package api

import (
	"errors"
	"io"
	"net/http"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
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
	if err := checkIngest(r); err != nil {
		return err
	}
	form, err := bodyFormat(r)
	if err != nil {
		return err
	}
	body, err := openBody(r, form.limit)
	if err != nil {
		return err
	}
	defer body.close()
	id, err := requestID(r)
	if err != nil {
		return err
	}
	w.Header().Set("X-Request-Id", id)
	in, err := s.Ingest.Begin(r.PathValue("stream"), ingest.BodyOptions{TimeColumn: r.URL.Query().Get("time"), RequestID: id})
	if err != nil {
		return err
	}
	rows, err := form.open(body, r.URL.Query(), in)
	if err != nil {
		return err
	}
	failure := feed(r, in, rows)
	summary, err := in.Finish(r.Context())
	failure = errors.Join(failure, err)
	answer := newIngestAnswer(summary)
	s.Metrics.ingested(summary)
	switch {
	case failure != nil:
		s.Logger.Warn("ingest broken off", "stream", summary.Stream, "accepted", summary.Accepted, "error", failure)
		p := newProblem(asFault(failure))
		p.ingestAnswer = answer
		sendProblem(w, p)
		return nil
	case summary.Accepted == 0 && summary.Rejected > 0:
		p := newProblem(event.Errorf(event.CodeRejected, "none of the %d rows could be read; the first: %s", summary.Rejected, summary.Errors[0].Reason).
			WithHint("%s", form.hint))
		p.ingestAnswer = answer
		sendProblem(w, p)
		return nil
	default:
		return writeJSON(w, http.StatusOK, answer)
	}
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

// checkIngest refuses what this version does not do rather than leave it out in silence.
func checkIngest(r *http.Request) error {
	query := r.URL.Query()
	if ack := query.Get("ack"); ack != "" && ack != "fsync" {
		return event.Errorf(event.CodeNotSupported, "ack=%s is not supported", ack).WithHint("leave it out: rows are synced before the answer")
	}
	if mode := query.Get("on_error"); mode != "" && mode != "row" {
		return event.Errorf(event.CodeNotSupported, "on_error=%s is not supported", mode).WithHint("leave it out: good rows are kept, bad ones reported")
	}
	if r.Header.Get("Idempotency-Key") != "" {
		return event.Errorf(event.CodeNotSupported, "Idempotency-Key is not supported").WithHint("leave it out: a retry may store rows twice")
	}
	return nil
}

// feed hands the body over chunk by chunk.
func feed(r *http.Request, in *ingest.Body, rows chunks) error {
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
	}
	for _, span := range summary.Offsets {
		answer.Offsets = append(answer.Offsets, offsetSpan(span))
	}
	for _, e := range summary.Errors {
		answer.Errors = append(answer.Errors, rowError(e))
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
