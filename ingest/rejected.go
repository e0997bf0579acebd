package ingest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// keptBytes is how much of a rejected row is kept: in base64 it still is a row that is not too long itself.
const keptBytes = 700 << 10

// rejectedSchema is the schema of every stream of rejected rows.
var rejectedSchema = &event.Schema{
	Version: 1, TimeColumn: 1, NextID: 7,
	Columns: []event.Column{
		{ID: 1, Name: "rejected_at", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true, Since: 1},
		{ID: 2, Name: "reason", Type: event.Type{Kind: event.Text}, NotNull: true, Since: 1},
		{ID: 3, Name: "raw", Type: event.Type{Kind: event.Bytea}, NotNull: true, Since: 1},
		{ID: 4, Name: "raw_bytes", Type: event.Type{Kind: event.BigInt}, NotNull: true, Since: 1},
		{ID: 5, Name: "request_id", Type: event.Type{Kind: event.Text}, Since: 1},
		{ID: 6, Name: "request_row", Type: event.Type{Kind: event.BigInt}, NotNull: true, Since: 1},
	},
}

// reject notes rows to be kept, in the form in which they are stored.
func (b *Body) reject(rows []decode.Rejected) {
	now := b.engine.options.Now().UnixMicro()
	for _, r := range rows {
		out := event.AppendTimestamp(append(b.rejected, `{"rejected_at":"`...), now)
		out = event.AppendJSONString(append(out, `","reason":`...), r.Reason)
		out = base64.StdEncoding.AppendEncode(append(out, `,"raw":"`...), r.Raw[:min(len(r.Raw), keptBytes)])
		out = strconv.AppendInt(append(out, `","raw_bytes":`...), int64(len(r.Raw)), 10)
		if b.options.RequestID != "" {
			out = event.AppendJSONString(append(out, `,"request_id":`...), b.options.RequestID)
		}
		out = strconv.AppendInt(append(out, `,"request_row":`...), int64(r.Line), 10)
		out = append(out, '}', '\n')
		b.rejected = out
	}
	held := cap(b.rejected)
	for _, p := range b.aside {
		held += cap(p.lines)
	}
	b.holdRejected(int64(held))
}

// holdRejected says how much memory rejected rows take until they are kept. It is there already, and so is not waited for.
func (b *Body) holdRejected(bytes int64) {
	bytes = min(bytes, b.engine.pending.most())
	if bytes != b.heldRejected {
		b.engine.pending.Adjust(b.summary.Stream, b.heldRejected, bytes)
		b.heldRejected = bytes
	}
}

// rejectedPart is the rejected rows of one chunk, with what identifies them in a request with a key.
type rejectedPart struct {
	part  *keyed
	lines []byte
}

// heldAside is how many bytes wait for a stream beside which they can be kept.
func (b *Body) heldAside() (bytes int) {
	for _, p := range b.aside {
		bytes += len(p.lines)
	}
	return bytes
}

// keepRejected stores the rows noted by reject in the stream of rejected rows, and returns when they are durable. The body's own rows
// are settled first, so that it never waits for memory that it holds itself. Without a stream nothing is kept: a request to a
// misspelled name should leave nothing behind. What a later chunk may yet make a stream for is kept as of its own chunk then, so that a
// repetition, which finds the stream there from the first chunk on, knows it.
func (b *Body) keepRejected(ctx context.Context) error {
	if len(b.rejected) > 0 && (b.keyed != nil || b.stream != nil) {
		b.aside = append(b.aside, rejectedPart{b.part(), b.rejected})
		b.rejected = nil
	}
	if len(b.aside) == 0 || b.stream == nil {
		return nil
	}
	parts := b.aside
	b.aside = nil
	if err := b.settle(len(b.flight)); err != nil {
		return err
	}
	b.holdRejected(0) // whoever stores them asks for their memory
	name := b.summary.Stream + catalog.RejectedSuffix
	err := b.engine.ensureRejected(name)
	for _, p := range parts {
		if err == nil {
			err = b.engine.keep(ctx, name, p)
		}
	}
	if err != nil {
		return fmt.Errorf("keep rejected rows: %w", err)
	}
	return nil
}

// keep stores rejected rows.
func (e *Engine) keep(ctx context.Context, name string, p rejectedPart) error {
	into, err := e.Begin(name, BodyOptions{Insert: true, system: true, part: p.part})
	if err != nil {
		return err
	}
	err = into.Feed(ctx, p.lines)
	_, failure := into.Finish(ctx)
	return errors.Join(err, failure)
}

// part identifies the rejected rows of a keyed request's chunk in the stream that keeps them.
func (b *Body) part() *keyed {
	if b.keyed == nil {
		return nil
	}
	return &keyed{key: b.keyed.key, chunk: b.keyed.chunk, hash: b.keyed.hash}
}

// ensureRejected makes a stream of rejected rows if it does not exist.
func (e *Engine) ensureRejected(name string) error {
	if _, ok := e.catalog.Stream(name); ok {
		return nil
	}
	_, err := e.Create(catalog.Stream{
		Name: name, Schema: rejectedSchema, Partitions: catalog.DefaultPartitions, Bound: catalog.DefaultBound,
		IdleTimeout: catalog.DefaultIdleTimeout, FutureLimit: catalog.DefaultFutureLimit,
		LogRetention: catalog.DefaultLogRetention, SchemaMode: catalog.Strict,
	})
	var fault *event.Error
	if errors.As(err, &fault) && fault.Code == event.CodeAlreadyExists {
		return nil
	}
	return err
}
