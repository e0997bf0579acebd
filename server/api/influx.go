package api

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode/lineproto"
)

// codePartial tells clients of InfluxDB that some lines were stored and others were not.
const codePartial event.Code = "partial_write"

// influxVersion is what clients of InfluxDB are told: they ask for it to choose between ways of writing.
const influxVersion = "1.8-tidemark"

// postInflux takes line protocol in as InfluxDB's two writing APIs do: a stream for each measurement. Answers and errors have the shape that
// clients of InfluxDB know.
func (s *Server) postInflux(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	got, err := s.takeInflux(w, r, ingest.BodyOptions{})
	switch {
	case err != nil:
		fault := asFault(err)
		code := status(fault.Code)
		if code >= http.StatusInternalServerError {
			s.Logger.Warn("line protocol broken off", "accepted", got.accepted, "error", err)
		}
		return influxError(w, code, fault.Code, fault.Error()+storedNote(got))
	case got.rejected > 0:
		code := codePartial
		if got.accepted+got.duplicates == 0 {
			code = event.CodeRejected
		}
		return influxError(w, http.StatusBadRequest, code, fmt.Sprintf("partial write: line %d: %s dropped=%d%s",
			got.first.Row+1, got.first.Reason, got.rejected, storedNote(got)))
	default:
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

func storedNote(got taken) string {
	return fmt.Sprintf(" (%d lines are stored)", got.accepted+got.duplicates)
}

// influxErrorCodes are the codes of InfluxDB 2.
var influxErrorCodes = map[int]string{
	http.StatusBadRequest: "invalid", http.StatusNotFound: "not found",
	http.StatusConflict: "conflict", http.StatusForbidden: "forbidden", http.StatusRequestEntityTooLarge: "request too large",
	http.StatusUnsupportedMediaType: "invalid", http.StatusTooManyRequests: "too many requests", http.StatusServiceUnavailable: "unavailable",
}

// influxError answers in the shapes of both versions at once.
func influxError(w http.ResponseWriter, status int, own event.Code, message string) error {
	code, ok := influxErrorCodes[status]
	if !ok {
		code = "internal error"
	}
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("X-Influxdb-Error", string(own))
	return writeJSON(w, status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Error   string `json:"error"`
	}{code, message, message})
}

// postInflux3 takes line protocol in as InfluxDB 3 does.
func (s *Server) postInflux3(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	query, bad := r.URL.Query(), influxLines{}
	options := ingest.BodyOptions{
		AckWrite: query.Get("no_sync") == "true", Whole: query.Get("accept_partial") == "false",
		Rejected: bad.add,
	}
	got, err := s.takeInflux(w, r, options)
	code, message := http.StatusBadRequest, "partial write of line protocol occurred"
	switch {
	case err != nil:
		fault := asFault(err)
		code, message = status(fault.Code), fault.Error()+storedNote(got)
	case got.rejected == 0:
		w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		message += storedNote(got)
	}
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	return writeJSON(w, code, struct {
		Error string       `json:"error"`
		Data  []influxLine `json:"data"`
	}{message, bad.first()})
}

// influxLine is a line that was not stored, as InfluxDB 3 tells it.
type influxLine struct {
	Number  int64  `json:"line_number"`
	Message string `json:"error_message"`
}

// shownLines is how many of those an answer has.
const shownLines = 20

// influxLines keeps the first lines of those that come, in any order, and a few more.
type influxLines []influxLine

func (l *influxLines) add(e ingest.RowError) {
	if *l = append(*l, influxLine{e.Row + 1, e.Reason}); len(*l) == 2*shownLines {
		*l = l.first()
	}
}

func (l influxLines) first() influxLines {
	slices.SortFunc(l, func(a, b influxLine) int { return cmp.Compare(a.Number, b.Number) })
	return l[:min(len(l), shownLines)]
}

// takeInflux takes the body in.
func (s *Server) takeInflux(w http.ResponseWriter, r *http.Request, options ingest.BodyOptions) (taken, error) {
	unit, err := lineproto.ParseUnit(r.URL.Query().Get("precision"))
	if err != nil {
		return taken{}, err
	}
	body, err := s.openBody(w, r, "", 0) // one share for all streams: what has come may be for any
	if err != nil {
		return taken{}, err
	}
	defer body.close()
	options.TimeColumn = "time"
	in, err := s.newIntake(w, r, options)
	if err != nil {
		return taken{}, err
	}
	reader := lineproto.NewReader(body, lineproto.Options{Unit: unit, TimeColumn: s.timeColumn, Hold: body.account.hold})
	failure := feedParts(r, in, reader, body)
	if failure == nil && options.Whole {
		failure = in.commit(r.Context())
	}
	got, err := in.finish(r.Context())
	return got, errors.Join(failure, err)
}

func openInflux(src io.Reader, query url.Values, in *ingest.Body) (chunks, error) {
	unit, err := lineproto.ParseUnit(query.Get("precision"))
	if err != nil {
		return nil, err
	}
	timeColumn := func(string) string { return eventTimeOf(in.Schema(), query.Get("time")) }
	return &partChunks{reader: lineproto.NewReader(src, lineproto.Options{Unit: unit, Stream: in.Name(), TimeColumn: timeColumn, Hold: holdOf(src)})}, nil
}
