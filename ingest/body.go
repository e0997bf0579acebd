package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/partition"
)

const (
	// busyWait is how long a chunk waits for memory before the request is told to come back.
	busyWait = 5 * time.Second
	// chunksInFlight is how many chunks of one body may wait for their sync while the next is decoded.
	chunksInFlight = 4
	// maxReported is how many rejected rows an answer describes.
	maxReported = 20
	// heldBytes is about how much of rejected rows is held while there is no stream beside which they could be kept.
	heldBytes = 4 << 20
	// maxEvolutions bounds how often one chunk is decoded again because other requests changed the schema meanwhile.
	maxEvolutions = 100
)

// BodyOptions say how to take a body in.
type BodyOptions struct {
	// TimeColumn names the event-time column of a stream that the body makes; "" lets the first rows decide.
	TimeColumn string
	// RequestID is kept beside rejected rows, so that they can be traced to the request.
	RequestID string
	// Insert takes rows that were typed against the stream's schema: the schema never changes for them, and a chunk with a row that
	// cannot be stored is an error and stores nothing.
	Insert bool
	// Evolve lets the schema change for the rows of an Insert after all, where the stream's mode says so: what they were typed against is another
	// stream's schema.
	Evolve bool
	// Key names the request, so that it can be repeated: rows that are stored already are not stored again. The body must then be cut by
	// KeyedChunks. "" is for a request without a key.
	Key string
	// Whole stores all rows of the body or none, by Commit, and keeps no rejected ones. They may take MaxWholeBytes.
	Whole bool
	// AckWrite asks for the answer when the rows are written: they survive the end of the process then, but may be lost with the power
	// within FlushInterval, and are seen after it. Rows of a request with a key are synced all the same, so that a repetition knows them.
	AckWrite bool
	// Rejected, if not nil, is told of every rejected row, of which the summary describes the first.
	Rejected func(RowError)
	// system allows a stream that clients may not write to.
	system bool
	// part is set for rows of one chunk of a keyed request to another stream.
	part *keyed
}

// Summary is what became of a body.
type Summary struct {
	Stream string
	// Known is true when the stream exists in the end.
	Known    bool
	Accepted int64
	Rejected int64
	// Duplicates counts the rows that an earlier request with the same key had stored, whose offsets are among Offsets, and those that the
	// stream had already under its DEDUP KEY.
	Duplicates int64
	// Offsets are the spans of offsets given, joined where they touch, by partition and offset.
	Offsets []partition.Span
	// Errors describe the first rejected rows.
	Errors []RowError
	// Hint says what would have been better; it may be empty.
	Hint string
}

// RowError says why a row was rejected. Row counts the body's rows from 0: the non-blank lines where it is made of lines.
type RowError struct {
	Row    int64
	Reason string
	// Misfit is set where the row could be read and the stream does not take it.
	Misfit bool
}

// Body takes one request's rows in, chunk by chunk. It is used by one goroutine.
type Body struct {
	engine  *Engine
	stream  *Stream
	options BodyOptions
	lines   int64
	flight  []inFlight
	summary Summary
	// keyed is set when the request has a key.
	keyed *keyed
	// whole is set when all rows are stored together.
	whole *whole
	// rejected holds rows turned away that are not kept yet, as lines for the stream of rejected rows.
	rejected []byte
	// aside holds those of earlier chunks of a keyed request for which there was no stream yet.
	aside []rejectedPart
	// charged is what of the memory for rows under way the chunk being taken has.
	charged int64
	// heldRejected is what of that memory rejected and aside have.
	heldRejected int64
}

// inFlight is a chunk whose rows are queued and not yet answered.
type inFlight struct {
	replies chan partition.Reply
	parts   int
	// own is for the reply to the last part, which whoever waits for it may store.
	own   *partition.Ticket
	bytes int64
	// free takes back the memory of the chunk's text; nil if somebody may look at that after the answer. rows is what it was decoded to, or nil
	// in that case.
	free func()
	rows *decode.Rows
}

func errBusy(format string, args ...any) error {
	return event.Errorf(event.CodeTooBusy, format, args...).WithHint("send the request again in a moment")
}

// Begin starts to take in a body for a stream, which is made from its first rows if it does not exist.
func (e *Engine) Begin(stream string, options BodyOptions) (*Body, error) {
	if err := catalog.ValidateName(stream); err != nil && !options.system {
		return nil, err
	}
	b := &Body{engine: e, options: options, summary: Summary{Stream: stream}, keyed: options.part}
	if options.Whole {
		b.whole = &whole{}
	}
	if options.Key != "" {
		b.keyed = &keyed{key: requestKey(options.Key)}
	}
	s, err := e.Stream(stream)
	if err == nil {
		b.stream = s
		return b, nil
	}
	var fault *event.Error
	if errors.As(err, &fault) && fault.Code == event.CodeNotFound {
		return b, nil
	}
	return nil, err
}

// Feed is FeedChunk for whole lines of newline-delimited JSON.
func (b *Body) Feed(ctx context.Context, lines []byte) error {
	return b.FeedChunk(ctx, &decode.Chunk{Lines: lines})
}

// FeedLast is FeedChunk for a chunk with which the body ends.
func (b *Body) FeedLast(ctx context.Context, chunk *decode.Chunk) error {
	if b.whole != nil && !b.whole.committed {
		return b.hold(ctx, chunk)
	}
	if b.keyed != nil {
		b.keyed.last = true
	}
	return b.FeedChunk(ctx, chunk)
}

// FeedChunk decodes a chunk and queues its rows, which Finish may store itself. The chunk must not change until Finish has returned.
func (b *Body) FeedChunk(ctx context.Context, chunk *decode.Chunk) error {
	if b.whole != nil && !b.whole.committed {
		return b.hold(ctx, chunk)
	}
	b.GoOn()
	if b.keyed != nil && b.options.part == nil {
		if err := b.claim(ctx); err != nil {
			return err
		}
		b.keyed.hash = chunk.Sum()
	}
	size := int64(chunk.Bytes())
	if err := b.engine.room.take(size); err != nil {
		return err
	}
	if b.stream != nil { // before memory is asked for, which others could use meanwhile
		if err := b.stream.waitForRoom(ctx); err != nil {
			return err
		}
	}
	b.charged = min(chunk.Held()+b.expected(chunk, size), b.engine.pending.most())
	if err := b.acquire(ctx, b.charged); err != nil {
		return err
	}
	queued, err := b.take(ctx, chunk)
	if !queued {
		b.engine.pending.Release(b.summary.Stream, b.charged)
	}
	if errors.Is(err, errWide) {
		return b.feedParts(ctx, chunk)
	}
	if err != nil {
		return err
	}
	if len(b.rejected) >= chunkBytes || b.keyed != nil {
		if err := b.keepRejected(ctx); err != nil {
			return err
		}
	}
	if b.keyed != nil {
		b.keyed.chunk++
	}
	if len(b.flight) > chunksInFlight {
		return b.settle(1)
	}
	return nil
}

// acquire asks for memory for a chunk. Older chunks of the same body are settled first, so that a body never waits for itself; nor
// does it for what its rejected rows have.
func (b *Body) acquire(ctx context.Context, bytes int64) error {
	if b.engine.pending.TryAcquire(b.summary.Stream, bytes) {
		return nil
	}
	if err := b.settle(len(b.flight)); err != nil {
		return err
	}
	b.holdRejected(0)
	ctx, cancel := context.WithTimeout(ctx, busyWait)
	defer cancel()
	if err := b.engine.pending.Acquire(ctx, b.summary.Stream, bytes); err != nil {
		return errBusy("too many events wait to be written")
	}
	return nil
}

// take decodes and queues; it reports whether rows are now in flight, which then hold the bytes acquired for the chunk.
func (b *Body) take(ctx context.Context, chunk *decode.Chunk) (bool, error) {
	if err := b.ensureStream(chunk); err != nil {
		return false, err
	}
	if b.stream == nil {
		return false, nil
	}
	var known *dedup.Chunk
	if b.keyed != nil {
		var err error
		if known, err = b.stored(chunk); err != nil {
			return false, err
		}
		if known != nil && known.Stored() >= known.Accepted {
			return false, b.repeat(ctx, chunk, known)
		}
	}
	arrival := b.engine.options.Now().UnixMicro()
	for range maxEvolutions {
		done, queued, err := b.tryTake(ctx, chunk, known, arrival)
		if done || err != nil {
			return queued, err
		}
	}
	return false, errBusy("the stream's schema keeps changing")
}

// tryTake decodes with the present schema. done is false when the schema had to change, or changed meanwhile.
func (b *Body) tryTake(ctx context.Context, chunk *decode.Chunk, known *dedup.Chunk, arrival int64) (done, queued bool, err error) {
	s := b.stream
	definition := s.Definition()
	mode := definition.SchemaMode
	if b.options.Insert && (!b.options.Evolve || mode != catalog.Evolve) {
		mode = catalog.Strict
	}
	if err := b.refuseWide(chunk, definition.Schema); err != nil {
		return false, false, err
	}
	options := decode.Options{Arrival: arrival, Mode: mode, Memory: &s.memory}
	if b.whole != nil {
		options.MostRejected = maxReported
	}
	rows, err := chunk.Decode(definition.Schema, options, b.lines)
	if err != nil {
		return false, false, fmt.Errorf("decode rows for stream %s: %w", s.name, err)
	}
	if b.options.Insert && len(rows.Rejected) > 0 {
		bad := rows.Rejected[0]
		return false, false, event.Errorf(event.CodeInvalidValue, "row %d cannot be stored: %s", bad.Line+1, bad.Reason)
	}
	if rows.Drift {
		_, err := s.evolve(chunk, func(next *event.Schema) error { return b.foresee(chunk, next, arrival) })
		return false, false, err
	}
	if err := b.refuseBad(rows); err != nil {
		return false, false, err
	}
	b.charge(chunk, rows)
	s.evolving.RLock()
	defer s.evolving.RUnlock()
	if now := s.Definition(); now.Schema.Version != definition.Schema.Version || now.SchemaMode != definition.SchemaMode {
		return false, false, nil
	}
	queued, err = b.queue(ctx, chunk, definition.Schema, rows, known, arrival)
	if err == nil {
		counted := *rows
		counted.Rejected = b.asBefore(chunk, rows, known)
		counted.Count += len(rows.Rejected) - len(counted.Rejected)
		b.reject(counted.Rejected)
		b.count(&counted)
		if known != nil {
			b.duplicates(known)
		}
	}
	return true, queued, err
}

// queue hands decoded rows to their partitions' writers.
func (b *Body) queue(
	ctx context.Context, chunk *decode.Chunk, schema *event.Schema, rows *decode.Rows, known *dedup.Chunk, arrival int64,
) (bool, error) {
	decoded := partition.Rows{Schema: schema, Columns: rows.Columns, Raw: rows.Raw, Times: rows.Times, Arrival: arrival, Lines: rows.Lines}
	decoded.Early = b.options.AckWrite && b.keyed == nil
	if b.keyed != nil {
		decoded = missing(decoded, known)
	}
	decoded, reservation, err := b.distinct(ctx, decoded)
	if err != nil {
		return false, err
	}
	if b.keyed != nil {
		b.identify(&decoded, chunk, rows, known)
	}
	b.stream.widenExtents(decoded)
	parts, err := b.stream.router.Split(decoded)
	if err == nil {
		err = note(parts)
	}
	if err != nil || len(decoded.Times) == 0 {
		reservation.Release()
		return false, err
	}
	flight := inFlight{bytes: b.charged, free: chunk.Free, rows: rows}
	if !needsText(rows) {
		flight.free = nil
		if chunk.Free != nil {
			chunk.Free()
		}
	}
	return b.send(ctx, parts, reservation, flight)
}

// send queues the parts of a chunk. All but one are stored by others: it may be that the body only waits from now on.
func (b *Body) send(ctx context.Context, parts []partition.Routed, reservation *dedup.Reservation, flight inFlight) (bool, error) {
	if b.options.AckWrite {
		flight.free, flight.rows = nil, nil // rows are answered before they are done with
	}
	if len(parts) > 1 {
		flight.replies = make(chan partition.Reply, len(parts))
	}
	reservation.Expect(len(parts))
	var err error
	for i, part := range parts {
		part.Rows.Done = reservation.Done
		writer := b.stream.writers[part.Partition]
		switch {
		case err != nil:
		case i == len(parts)-1:
			flight.own, err = writer.Enter(ctx, part.Rows)
		default:
			err = writer.Append(ctx, part.Rows, flight.replies)
		}
		if err != nil {
			reservation.Done()
			continue
		}
		flight.parts++
	}
	if flight.parts == 0 {
		return false, err
	}
	b.flight = append(b.flight, flight)
	return true, err
}

// reply waits for the reply to one of the parts.
func (f *inFlight) reply() partition.Reply {
	if own := f.own; own != nil {
		f.own = nil
		return own.Reply()
	}
	return <-f.replies
}

// ensureStream makes the stream from the body's first rows, where there is none yet. A chunk without a readable row makes no
// stream: its rows are counted as rejected.
func (b *Body) ensureStream(chunk *decode.Chunk) error {
	if b.stream != nil {
		return nil
	}
	schema, err := chunk.Infer(b.options.TimeColumn)
	if err != nil {
		return err
	}
	if err := b.foresee(chunk, schema, 0); err != nil {
		return err
	}
	if len(schema.Columns) == 0 || chunk.Empty() || b.options.TimeColumn != "" { // which may be no time in any row
		rows, err := chunk.Decode(schema, decode.Options{Mode: catalog.Ignore}, b.lines)
		if err != nil || rows.Count == 0 {
			if rows != nil && b.heldAside()+len(b.rejected) < heldBytes { // a later chunk may yet make the stream
				b.reject(rows.Rejected)
			}
			b.count(rows)
			return err
		}
	}
	stream, err := b.engine.Create(catalog.Stream{
		Name: b.summary.Stream, Schema: schema, Partitions: catalog.DefaultPartitions, Bound: catalog.DefaultBound,
		IdleTimeout: catalog.DefaultIdleTimeout, FutureLimit: catalog.DefaultFutureLimit,
		LogRetention: catalog.DefaultLogRetention, SchemaMode: catalog.Evolve,
	})
	var fault *event.Error
	if errors.As(err, &fault) && fault.Code == event.CodeAlreadyExists { // another request was first
		var again error
		if stream, again = b.engine.Stream(b.summary.Stream); again == nil || !errors.As(again, &fault) || fault.Code != event.CodeNotFound {
			err = again // else the name is that of a view
		}
	} else if err == nil {
		b.summary.Hint = b.timeHint(schema, chunk)
	}
	b.stream = stream
	return err
}

// timeHint tells who made a stream whose rows go by their arrival, perhaps unawares: none of its first rows has the field that was named for the
// event time, or none was named and some fields read as times. It is empty where there is nothing to tell.
func (b *Body) timeHint(schema *event.Schema, chunk *decode.Chunk) string {
	const most = 3
	fields, named := chunk.PossibleTimes(), b.options.TimeColumn
	why := "no field was taken for the event time"
	switch {
	case named != "" && chunk.Has(named), named == "" && (schema.TimeColumn != 0 || len(fields) == 0):
		return ""
	case named != "":
		why = fmt.Sprintf("the first rows have no field %q to take for the event time", named)
	}
	if len(fields) == 0 {
		return fmt.Sprintf("%s, and go by their arrival; to go by another one, DROP STREAM %s and send again", why, b.summary.Stream)
	}
	return fmt.Sprintf("%s, so rows go by their arrival; readable as times: %s. To go by one, "+
		"DROP STREAM %s and send again with ?time=%s (tidemark load --time=%s)",
		why, strings.Join(fields[:min(len(fields), most)], ", "), b.summary.Stream, url.QueryEscape(fields[0]), fields[0])
}

// count adds a chunk's lines and rejections to the summary.
func (b *Body) count(rows *decode.Rows) {
	if rows == nil {
		return
	}
	b.describe(rows.Rejected)
	b.summary.Rejected += int64(len(rows.Rejected))
	b.lines += int64(len(rows.Rejected) + rows.Count)
}

// describe adds the first rejections to the summary.
func (b *Body) describe(rejected []decode.Rejected) {
	for _, r := range rejected {
		fault := RowError{Row: int64(r.Line), Reason: r.Reason, Misfit: r.Misfit}
		if b.options.Rejected != nil {
			b.options.Rejected(fault)
		}
		if len(b.summary.Errors) < maxReported {
			b.summary.Errors = append(b.summary.Errors, fault)
		}
	}
}

// settle waits for the answers to the n oldest chunks in flight.
func (b *Body) settle(n int) error {
	var failure error
	for range n {
		flight := b.flight[0]
		b.flight = b.flight[1:]
		for range flight.parts {
			reply := flight.reply()
			if reply.Err != nil {
				failure, flight.free, flight.rows = reply.Err, nil, nil
				continue
			}
			b.summary.Offsets = append(b.summary.Offsets, reply.Span)
			b.summary.Accepted += int64(reply.Span.Last-reply.Span.First) + 1
		}
		if flight.free != nil {
			flight.free()
		}
		if flight.rows != nil {
			flight.rows.Recycle()
		}
		b.engine.pending.Release(b.summary.Stream, flight.bytes)
		b.engine.sealer.Grown(b.stream.sealing)
	}
	return failure
}

// GoOn says that Finish or Settle do not come next: rows fed last are then stored meanwhile, and not by whoever waits for them. FeedChunk says so by itself.
func (b *Body) GoOn() {
	if n := len(b.flight); n > 0 && b.flight[n-1].own != nil {
		b.flight[n-1].own.Leave()
	}
}

// Settle waits until every row queued so far is answered. Whoever feeds several bodies at a time calls it, for bodies that wait for memory
// which others of them hold would wait forever.
func (b *Body) Settle() error { return b.settle(len(b.flight)) }

// Name is the name of the body's stream, whether it exists or not.
func (b *Body) Name() string { return b.summary.Stream }

// Schema is the present schema of the body's stream, or nil while there is no such stream.
func (b *Body) Schema() *event.Schema {
	if b.stream == nil {
		return nil
	}
	return b.stream.Definition().Schema
}

// Finish waits until every queued row is answered and every rejected one is kept, and returns the summary, which is true also beside an
// error: what it calls accepted is durable, or written where AckWrite asks for no more. It is called once, whether Feed failed or not.
func (b *Body) Finish(ctx context.Context) (Summary, error) {
	b.release()
	err := errors.Join(b.settle(len(b.flight)), b.keepRejected(context.WithoutCancel(ctx)))
	b.holdRejected(0)
	b.unclaim()
	b.summary.Offsets = joinSpans(b.summary.Offsets)
	b.summary.Known = b.stream != nil
	return b.summary, err
}

// joinSpans sorts spans and joins those that touch.
func joinSpans(spans []partition.Span) []partition.Span {
	sort.Slice(spans, func(i, j int) bool {
		a, b := spans[i], spans[j]
		return a.Partition < b.Partition || (a.Partition == b.Partition && a.First < b.First)
	})
	var out []partition.Span
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].Partition == s.Partition && out[n-1].Last+1 == s.First {
			out[n-1].Last = s.Last
			continue
		}
		out = append(out, s)
	}
	return out
}
