package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/partition"
)

// MaxKey is how long the key of a request may be, in bytes.
const MaxKey = 255

// claimWait is how long a request waits for another one with its key.
const claimWait = 30 * time.Second

// keyed is the state of a body whose request has a key.
type keyed struct {
	key eventlog.RequestKey
	// chunk is the number of the chunk being taken, and hash that of its bytes.
	chunk uint32
	hash  [16]byte
	last  bool
	// known is what was stored under the key before, once it is read.
	known map[uint32]*dedup.Chunk
	read  bool
	// claimed is set while other requests with the key wait for this one.
	claimed bool
}

// claim identifies what requests with one key wait for: a stream, or "" for all that feed several.
type claim struct {
	stream string
	key    eventlog.RequestKey
}

// requestKey shortens a client's key. Two different keys of one stream must not meet, also if somebody tries.
func requestKey(key string) eventlog.RequestKey {
	sum := sha256.Sum256([]byte(key))
	return eventlog.RequestKey(sum[:16])
}

// Keyed reports whether the request has a key.
func (b *Body) Keyed() bool { return b.keyed != nil }

// ClaimKey waits until no other request with the key that feeds several streams is under way, and gives what ends that. Such a request takes
// the streams' own claims one by one, as its rows come: two of them that name streams in different order would wait for each other.
func (e *Engine) ClaimKey(ctx context.Context, key string) (release func(), err error) {
	mine := claim{"", requestKey(key)}
	if err := e.waitForClaim(ctx, mine); err != nil {
		return nil, err
	}
	return func() { e.unclaim(mine) }, nil
}

// claim waits until no other request with this key is under way in the body's stream.
func (b *Body) claim(ctx context.Context) error {
	if b.keyed.claimed {
		return nil
	}
	err := b.engine.waitForClaim(ctx, claim{b.summary.Stream, b.keyed.key})
	b.keyed.claimed = err == nil
	return err
}

func (e *Engine) waitForClaim(ctx context.Context, mine claim) error {
	ctx, cancel := context.WithTimeoutCause(ctx, claimWait, errBusy("another request with this key is still under way"))
	defer cancel()
	for {
		other := e.claim(mine)
		if other == nil {
			return nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// claim takes a key, or gives the channel that is closed when who has it lets go.
func (e *Engine) claim(c claim) <-chan struct{} {
	e.claims.Lock()
	defer e.claims.Unlock()
	if other, ok := e.claims.held[c]; ok {
		return other
	}
	e.claims.held[c] = make(chan struct{})
	return nil
}

// unclaim lets go of the body's key.
func (b *Body) unclaim() {
	if b.keyed != nil && b.keyed.claimed {
		b.engine.unclaim(claim{b.summary.Stream, b.keyed.key})
		b.keyed.claimed = false
	}
}

func (e *Engine) unclaim(mine claim) {
	e.claims.Lock()
	defer e.claims.Unlock()
	close(e.claims.held[mine])
	delete(e.claims.held, mine)
}

// stored holds the chunk being taken against what is known of its request. It gives what is stored of it, nil when nothing is, and fails if
// the key was used for another body.
func (b *Body) stored(chunk *decode.Chunk) (*dedup.Chunk, error) {
	k := b.keyed
	if !k.read {
		k.known, k.read = b.stream.dedup.Request(k.key, b.engine.options.Now()), true
	}
	for number, known := range k.known {
		if number == k.chunk && known.Hash != k.hash && known.Hash == chunk.SumTexts() {
			k.hash = known.Hash // it was stored by a program that hashed texts
		}
		if known.Last && number < k.chunk || number == k.chunk && known.Hash != k.hash {
			return nil, event.Errorf(event.CodeConflict, "the Idempotency-Key was used for another body: row %d and what follows differ", b.lines).
				WithHint("use a new key for new events, and send the same bytes again to repeat a request")
		}
	}
	return k.known[k.chunk], nil
}

// repeat counts a chunk that is stored as a whole. Rows that were rejected are read again for their reasons, and kept unless they are
// already: a crash may have come before that.
func (b *Body) repeat(ctx context.Context, chunk *decode.Chunk, known *dedup.Chunk) error {
	rejected := 0
	if known.Lines > known.Accepted {
		definition := b.stream.Definition()
		rows, err := chunk.Decode(definition.Schema, decode.Options{Mode: definition.SchemaMode}, b.lines)
		if err != nil {
			return fmt.Errorf("decode rows for stream %s: %w", b.stream.name, err)
		}
		then := b.asBefore(chunk, rows, known)
		b.reject(then)
		b.describe(then)
		rejected = len(then)
	}
	b.summary.Rejected += int64(rejected)
	b.summary.Duplicates += int64(known.Lines) - int64(known.Accepted) - int64(rejected) // under DEDUP KEY
	b.lines += int64(known.Lines)
	b.duplicates(known)
	return b.keepRejected(ctx)
}

// asBefore gives the rows of a chunk that were rejected when it came first. The stream may have changed since: a row that would be stored now
// is rejected as it was, and one that is stored is not rejected.
func (b *Body) asBefore(chunk *decode.Chunk, rows *decode.Rows, known *dedup.Chunk) (out []decode.Rejected) {
	if known == nil || known.Rejected == nil || !chunk.Counted() {
		return rows.Rejected
	}
	for _, r := range rows.Rejected {
		if eventlog.HasLine(known.Rejected, r.Line-int(b.lines)) {
			out = append(out, r)
		}
	}
	for i, line := range rows.Lines {
		if !eventlog.HasLine(known.Rejected, line) {
			continue
		}
		r := decode.Rejected{
			Line: line + int(b.lines), Reason: "it was rejected when the request came first; the stream has changed since", Misfit: true,
		}
		if rows.Raw != nil {
			r.Raw = rows.Raw[i]
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y decode.Rejected) int { return x.Line - y.Line })
	return out
}

// duplicates counts what is stored of a chunk.
func (b *Body) duplicates(known *dedup.Chunk) {
	for _, part := range known.Parts {
		b.summary.Duplicates += int64(part.Rows)
		b.summary.Offsets = append(b.summary.Offsets, partition.Span{
			Partition: part.Partition, First: part.First, Last: part.First + event.Offset(part.Rows) - 1,
		})
	}
}

// missing leaves out the rows of a chunk that are stored already, or were rejected.
func missing(rows partition.Rows, known *dedup.Chunk) partition.Rows {
	if known == nil {
		return rows
	}
	var kept []int32
	for i, line := range rows.Lines {
		if !known.Holds(line) && !eventlog.HasLine(known.Rejected, line) {
			kept = append(kept, int32(i))
		}
	}
	return rows.Take(kept)
}

// identify marks those rows of a chunk that are left of what was decoded as what they are of the request.
func (b *Body) identify(rows *partition.Rows, chunk *decode.Chunk, decoded *decode.Rows, known *dedup.Chunk) {
	k, lines := b.keyed, decoded.Count+len(decoded.Rejected)
	rows.Request = &eventlog.Request{
		Key: k.key, Chunk: k.chunk, Hash: k.hash, Last: k.last, Lines: uint32(lines), Accepted: uint32(len(rows.Times)),
	}
	if known != nil {
		rows.Request.Accepted, rows.Request.Rejected = known.Accepted, known.Rejected
		return
	}
	if lines > len(rows.Times) && lines <= eventlog.MaxRows && chunk.Counted() {
		rows.Request.Rejected = []byte{}
		for _, r := range decoded.Rejected {
			rows.Request.Rejected = eventlog.WithLine(rows.Request.Rejected, r.Line-int(b.lines))
		}
	}
}

// note gives each part of a keyed chunk its own description, which says what of the chunk it holds.
func note(parts []partition.Routed) error {
	for i, part := range parts {
		if part.Rows.Request == nil || len(part.Rows.Lines) == int(part.Rows.Request.Accepted) {
			continue
		}
		own := *part.Rows.Request
		if own.Lines > eventlog.MaxRows { // the readers of bodies make no such chunks, but rows that are stored together may be as many
			return event.Errorf(event.CodeTooLarge, "%d rows of a request with a key cannot be spread over partitions together", own.Lines).
				WithHint("send at most %d rows in a request", eventlog.MaxRows)
		}
		for _, line := range part.Rows.Lines {
			own.Hold(line)
		}
		parts[i].Rows.Request = &own
	}
	return nil
}
