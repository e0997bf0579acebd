package ingest

import (
	"context"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// MaxWholeBytes is the most that the rows of a body with BodyOptions.Whole may take: they are in memory together.
const MaxWholeBytes = 16 << 20

// whole are the chunks of a body that is stored as a whole, until Commit.
type whole struct {
	chunks []*decode.Chunk
	// bytes is what their rows take, and held what is held for them of the memory for rows under way.
	bytes     int64
	held      int64
	committed bool
	// refused is how many rows of the chunks could not be read, of which the chunks keep the first maxReported.
	refused int
}

// withFew is a chunk without the refused rows beyond the first maxReported of the body: a body with one is turned away, and tells of no more.
func (w *whole) withFew(chunk *decode.Chunk) *decode.Chunk {
	most := max(maxReported-w.refused, 0)
	if w.refused += len(chunk.Refused); len(chunk.Refused) <= most {
		return chunk
	}
	few := *chunk
	few.Refused = slices.Clone(chunk.Refused[:most])
	return &few
}

// hold keeps a chunk for Commit.
func (b *Body) hold(ctx context.Context, chunk *decode.Chunk) error {
	w := b.whole
	chunk = w.withFew(chunk)
	bytes := int64(chunk.Bytes())
	if most := min(MaxWholeBytes, b.engine.pending.most()); w.bytes+bytes > most {
		return event.Errorf(event.CodeTooLarge, "rows that are stored together may take %d bytes, and these are more", most).
			WithHint("send fewer rows in a request, or leave out on_error=batch")
	}
	held := min(chunk.Held(), b.engine.pending.most()-w.held)
	if err := b.acquire(ctx, held); err != nil {
		return err
	}
	w.bytes, w.held = w.bytes+bytes, w.held+held
	w.chunks = append(w.chunks, chunk)
	return nil
}

// Commit stores the rows of a body with BodyOptions.Whole as one chunk, if every one of them can be stored; else it fails with CodeBatchRejected,
// and the summary says which cannot. It is called once all rows are fed; other bodies need no Commit.
func (b *Body) Commit(ctx context.Context) error {
	if b.whole == nil {
		return nil
	}
	b.release()
	b.whole.committed = true
	if len(b.whole.chunks) == 0 {
		return nil
	}
	return b.FeedLast(ctx, decode.Join(b.whole.chunks))
}

// release gives back the memory for rows that are held.
func (b *Body) release() {
	if b.whole != nil {
		b.engine.pending.Release(b.summary.Stream, b.whole.held)
		b.whole.held = 0
	}
}

// refuseBad fails if a row of a body that is stored as a whole is bad.
func (b *Body) refuseBad(rows *decode.Rows) error {
	if b.whole == nil || len(rows.Rejected) == 0 {
		return nil
	}
	more := rows.MoreRejected + max(b.whole.refused-maxReported, 0)
	b.count(&decode.Rows{Rejected: rows.Rejected})
	b.summary.Rejected += int64(more)
	return event.Errorf(event.CodeBatchRejected, "nothing is stored: %d of the rows cannot be, the first for: %s",
		len(rows.Rejected)+more, rows.Rejected[0].Reason).WithHint("without on_error=batch the other rows are stored")
}

// foresee fails if a row is bad under the schema that a body's rows would make, before they make it.
func (b *Body) foresee(chunk *decode.Chunk, schema *event.Schema, arrival int64) error {
	if b.whole == nil {
		return nil
	}
	if err := b.refuseWide(chunk, schema); err != nil {
		return err
	}
	rows, err := chunk.Decode(schema, decode.Options{Arrival: arrival, Mode: catalog.Evolve, MostRejected: maxReported}, b.lines)
	if err != nil {
		return err
	}
	return b.refuseBad(rows)
}
