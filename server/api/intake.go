package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// intake takes one request's rows into several streams, for protocols that do not name one stream in the address. It is used by one
// goroutine.
type intake struct {
	server  *Server
	options ingest.BodyOptions
	bodies  map[string]*ingest.Body
	order   []string
	// fed and settling are the bodies that got rows in this round and the one before.
	fed, settling []*ingest.Body
	// refused counts rows that no stream could take, which cannot be kept as rejected rows are, and first is the first of them.
	refused int64
	first   *ingest.RowError
	// release lets the next request with the key begin.
	release func()
}

// newIntake begins a request, which ends with finish. options say how its rows are taken in, but for what the request itself says.
func (s *Server) newIntake(w http.ResponseWriter, r *http.Request, options ingest.BodyOptions) (*intake, error) {
	id, err := requestID(r)
	if err != nil {
		return nil, err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return nil, err
	}
	w.Header().Set("X-Request-Id", id)
	release := func() {}
	if key != "" {
		if release, err = s.Ingest.ClaimKey(r.Context(), key); err != nil {
			return nil, err
		}
	}
	options.RequestID, options.Key = id, key
	return &intake{server: s, release: release, options: options, bodies: map[string]*ingest.Body{}}, nil
}

// keyed reports whether the request can be repeated. Its key holds for each of its streams.
func (in *intake) keyed() bool { return in.options.Key != "" }

// feed queues a chunk for a stream. A stream that cannot exist refuses its rows; any other failure ends the request. last says that the
// stream gets no more of this request.
func (in *intake) feed(ctx context.Context, stream string, chunk *decode.Chunk, last bool) error {
	body := in.bodies[stream]
	if body == nil {
		var err error
		body, err = in.server.Ingest.Begin(stream, in.options)
		var fault *event.Error
		if errors.As(err, &fault) && fault.Code == event.CodeBadRequest {
			in.refuseAll(chunk, fault.Detail)
			return nil
		}
		if err != nil {
			return err
		}
		in.bodies[stream] = body
		in.order = append(in.order, stream)
	}
	if in.options.Whole { // whoever has to be told of these is told by commit
		in.refuse(chunk.Refused)
	}
	in.fed = append(in.fed, body)
	feed := body.FeedChunk
	if last {
		feed = body.FeedLast
	}
	err := feed(ctx, chunk)
	if len(in.order) > 1 { // several streams are stored side by side, and not one after the other as finish comes to them
		in.bodies[in.order[0]].GoOn()
		body.GoOn()
	}
	return err
}

// commit stores the rows of a request with BodyOptions.Whole, unless one of them could not be read: the rows of a stream then are stored all or
// none, stream by stream.
func (in *intake) commit(ctx context.Context) error {
	if in.first != nil {
		return event.Errorf(event.CodeBatchRejected, "nothing is stored: line %d: %s", in.first.Row+1, in.first.Reason)
	}
	for _, stream := range in.order {
		if err := in.bodies[stream].Commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// refuseAll turns the rows of a numbered chunk away.
func (in *intake) refuseAll(chunk *decode.Chunk, reason string) {
	in.refuse(chunk.Refused)
	for i := range chunk.RowTexts() {
		in.note(ingest.RowError{Row: chunk.Numbers[i], Reason: reason})
	}
}

// refuse notes rows that could not be read.
func (in *intake) refuse(rows []decode.Rejected) {
	for _, r := range rows {
		in.note(ingest.RowError{Row: int64(r.Line), Reason: r.Reason})
	}
}

func (in *intake) note(e ingest.RowError) {
	in.refused++
	if in.first = earlier(in.first, e); in.options.Rejected != nil {
		in.options.Rejected(e)
	}
}

// earlier is the one of two rows that came first.
func earlier(first *ingest.RowError, e ingest.RowError) *ingest.RowError {
	if first == nil || e.Row < first.Row {
		return &e
	}
	return first
}

// round waits for the rows of the round before, so that what a request holds does not grow with the number of its streams.
func (in *intake) round() error {
	var errs []error
	for _, body := range in.settling {
		errs = append(errs, body.Settle())
	}
	in.settling, in.fed = in.fed, in.settling[:0]
	return errors.Join(errs...)
}

// taken is what became of a request's rows.
type taken struct {
	accepted, rejected, duplicates int64
	// first explains the first of the rejected rows.
	first *ingest.RowError
}

// finish waits for all rows. What it says was taken is true beside an error too.
func (in *intake) finish(ctx context.Context) (taken, error) {
	out := taken{rejected: in.refused, first: in.first}
	defer in.release()
	var errs []error
	for _, stream := range in.order {
		summary, err := in.bodies[stream].Finish(ctx)
		errs = append(errs, err)
		in.server.Metrics.ingested(summary)
		out.accepted += summary.Accepted
		out.rejected += summary.Rejected
		out.duplicates += summary.Duplicates
		for _, e := range summary.Errors {
			out.first = earlier(out.first, e)
		}
	}
	return out, errors.Join(errs...)
}

// timeColumn is the name of a stream's event-time column; empty without one.
func (s *Server) timeColumn(stream string) string {
	found, err := s.Ingest.Stream(stream)
	if err != nil {
		return ""
	}
	schema := found.Definition().Schema
	column, ok := schema.ByID(schema.TimeColumn)
	if !ok {
		return ""
	}
	return column.Name
}
