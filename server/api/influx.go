package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
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
	got, err := s.takeInflux(w, r)
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
	http.StatusBadRequest: "invalid", http.StatusConflict: "conflict", http.StatusForbidden: "forbidden", http.StatusRequestEntityTooLarge: "request too large",
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

// takeInflux takes the body in.
func (s *Server) takeInflux(w http.ResponseWriter, r *http.Request) (taken, error) {
	unit, err := lineproto.ParseUnit(r.URL.Query().Get("precision"))
	if err != nil {
		return taken{}, err
	}
	body, err := s.openBody(w, r, 0)
	if err != nil {
		return taken{}, err
	}
	body.part = &partial{ingest: s.Ingest} // one share for all streams: what has come may be for any
	defer func() { body.close(); body.part.taken() }()
	in, err := s.newIntake(w, r, "time")
	if err != nil {
		return taken{}, err
	}
	reader := lineproto.NewReader(body, lineproto.Options{Unit: unit, TimeColumn: s.timeColumn})
	failure := feedInflux(r, in, reader, body)
	got, err := in.finish(r.Context())
	return got, errors.Join(failure, err)
}

// feedInflux takes the body in part by part. With a key it stays one part behind, as feedKeyed does.
func feedInflux(r *http.Request, in *intake, reader *lineproto.Reader, body *body) error {
	var held []lineproto.Rows
	for {
		body.chunk()
		rows, refused, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return in.feedPart(r.Context(), held, true)
		}
		if err != nil {
			return brokenOff(err)
		}
		in.refused = append(in.refused, refused...)
		if in.keyed() {
			rows, held = held, rows
		}
		if err := in.feedPart(r.Context(), rows, false); err != nil {
			return err
		}
	}
}

// feedPart queues the rows of a part of a body.
func (in *intake) feedPart(ctx context.Context, rows []lineproto.Rows, last bool) error {
	for _, part := range rows {
		if err := in.feed(ctx, part.Stream, part.Chunk, last); err != nil {
			return err
		}
	}
	return in.round()
}

// getPing answers clients that ask whether an InfluxDB is there.
func (s *Server) getPing(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// influxChunks gives line protocol for one stream.
type influxChunks struct {
	reader *lineproto.Reader
	rows   []lineproto.Rows
}

func openInflux(src io.Reader, query url.Values, in *ingest.Body) (chunks, error) {
	unit, err := lineproto.ParseUnit(query.Get("precision"))
	if err != nil {
		return nil, err
	}
	timeColumn := func(string) string {
		schema := in.Schema()
		if schema == nil {
			return query.Get("time")
		}
		column, _ := schema.ByID(schema.TimeColumn)
		return column.Name
	}
	return &influxChunks{reader: lineproto.NewReader(src, lineproto.Options{Unit: unit, Stream: in.Name(), TimeColumn: timeColumn})}, nil
}

// Next gives the tables of a part of the body one by one, and the lines that belong to none with the first.
func (c *influxChunks) Next() (*decode.Chunk, error) {
	if len(c.rows) == 0 {
		rows, refused, err := c.reader.Next()
		if err != nil {
			return nil, err
		}
		c.rows = rows
		if len(rows) == 0 {
			return &decode.Chunk{Numbers: []int64{}, Refused: refused}, nil
		}
		rows[0].Chunk.Refused = append(rows[0].Chunk.Refused, refused...)
	}
	next := c.rows[0].Chunk
	c.rows = c.rows[1:]
	return next, nil
}
