package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/partition"
	"github.com/tidemarkdb/tidemark/ingest/seal"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/slabs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// exactInteger is the greatest magnitude up to which every integer is a DOUBLE PRECISION value.
const exactInteger = 1 << 53

// Stream is one open stream.
type Stream struct {
	engine *Engine
	name   string
	// opened is the definition as it was when the stream was opened.
	opened  *catalog.Stream
	router  *partition.Router
	writers []*partition.Writer
	sealing *seal.Stream
	dedup   *dedup.State
	growth  growth
	// memory is what columns of the stream's rows are cut from: they are sealed, and so let go, together.
	memory slabs.Arena
	// ready is when the stream was open: no partition has been silent for longer. recovered is where its logs ended then.
	ready     time.Time
	recovered event.Vector

	// evolving is held for reading from the check that rows fit the present schema until they are queued, and for writing while the
	// schema changes. So no rows of an old version are queued after the change, and extents covers all that were before it.
	evolving sync.RWMutex

	mu struct {
		sync.Mutex
		// extents holds the least and greatest value of each BIGINT column among the rows taken or replayed by this process.
		extents map[event.FieldID]extent
		// saved is what the last snapshot of dedup covers.
		saved event.Vector
	}
}

type extent struct{ low, high int64 }

func (e extent) exact() bool { return e.low >= -exactInteger && e.high <= exactInteger }

// recoverStream opens the logs of a stream and replays what is not sealed.
func (e *Engine) recoverStream(name string) (*Stream, error) {
	definition, ok := e.catalog.Stream(name)
	if !ok {
		return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
	}
	view := e.store.View(name)
	sealed := view.Sealed()
	if err := view.Close(); err != nil {
		return nil, err
	}
	s := &Stream{engine: e, name: name, opened: definition, router: partition.NewRouter(definition.Partitions, definition.PartitionBy)}
	s.mu.extents = map[event.FieldID]extent{}
	s.sealing = &seal.Stream{
		Definition: s.Definition,
		Tail:       tail.New(definition.Partitions, sealed.Next, clocks(sealed)),
		Spare:      s.spare,
	}
	if err := s.loadDedup(definition.Partitions); err != nil {
		return nil, err
	}
	for p := range definition.Partitions {
		if err := s.recoverPartition(definition, event.Partition(p), sealed); err != nil {
			return nil, errors.Join(fmt.Errorf("partition %d: %w", p, err), s.close())
		}
	}
	s.ready, s.recovered = e.options.Now(), s.sealing.Tail.View().Next
	return s, nil
}

// clocks are the partitions' event times and watermarks as of the sealed vector.
func clocks(sealed manifest.Sealed) []tail.Clock {
	out := make([]tail.Clock, len(sealed.MaxEventTime))
	for p, newest := range sealed.MaxEventTime {
		if newest != manifest.NoTime {
			out[p].MaxEventTime, out[p].Valid = newest, true
		}
		if p < len(sealed.Watermark) && sealed.Watermark[p] != manifest.NoTime {
			out[p] = out[p].Raise(sealed.Watermark[p])
		}
	}
	return out
}

func (s *Stream) recoverPartition(definition *catalog.Stream, p event.Partition, sealed manifest.Sealed) error {
	log, err := eventlog.Open(s.engine.fs, fmt.Sprintf("log/%s/%d", s.name, p), eventlog.Options{RotateBytes: s.engine.options.LogFileBytes, Salvage: true})
	if err != nil {
		return err
	}
	options := partition.Options{
		Partition: p, Bound: definition.Bound, FutureLimit: definition.FutureLimit, IdleTimeout: definition.IdleTimeout, Now: s.engine.options.Now,
		FlushInterval: s.engine.options.FlushInterval, Memory: &s.memory, Observe: s.engine.options.ObserveSync,
		Confirm: func(entry *eventlog.Entry, rows *partition.Rows) { s.dedup.Apply(p, entry, rows.Keys, rows.Times) },
	}
	if known := clocks(sealed); int(p) < len(known) {
		options.Clock = known[p]
	}
	replayer := partition.NewReplayer(options)
	from := sealed.Next.At(p)
	if known := max(from, s.dedup.Next(p)); log.Next() < known {
		return errors.Join(lostLog(s.name, p, log.Next(), known), log.Close())
	}
	start := min(from, max(s.dedup.Next(p), log.First()))
	var gaps []eventlog.Gap
	err = log.ReadAround(start, func(entry *eventlog.Entry) error {
		return s.replay(definition.Schema, replayer, entry, from)
	}, func(gap eventlog.Gap) error {
		gaps = append(gaps, gap)
		return s.quarantine(p, gap, from)
	})
	if err == nil {
		err = s.readmit(p, gaps, from)
	}
	if err == nil && s.sealing.Tail.Next(p) < log.Next() { // the last offsets are lost
		err = s.sealing.Tail.PublishIdle(p, log.Next(), replayer.Clock())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("replay log: %w", err), log.Close())
	}
	options.Clock = replayer.Clock()
	s.sealing.Logs = append(s.sealing.Logs, log)
	s.writers = append(s.writers, partition.NewWriter(log, s.sealing.Tail, options))
	return nil
}

// lostLog is the answer to a log that ends before what was sealed from it: new events would be given offsets a second time.
func lostLog(stream string, p event.Partition, next, sealed event.Offset) error {
	return event.Errorf(event.CodeCorrupt, "the log of stream %s, partition %d ends at offset %d, but rows up to %d were durable: log files are missing",
		stream, p, next, sealed).
		WithHint("put the files back, or run tidemark doctor repair: the log then goes on behind those offsets, and what was in no segment is told to be lost")
}

// replay puts one log entry back into the tail as it was, less what is sealed of it, and applies it to what is known of duplicates.
func (s *Stream) replay(schema *event.Schema, replayer *partition.Replayer, entry *eventlog.Entry, from event.Offset) error {
	if entry.Idle != nil || entry.End() <= from && s.opened.DedupKey == nil {
		s.dedup.Apply(replayer.Partition(), entry, nil, nil)
	}
	if entry.End() <= from && (entry.Idle != nil || s.opened.DedupKey == nil) {
		return nil
	}
	if entry.Idle != nil {
		replayer.Idle(entry)
		return s.sealing.Tail.PublishIdle(replayer.Partition(), entry.End(), replayer.Clock())
	}
	decoded, err := replayed(entry, schema)
	if err != nil {
		return fmt.Errorf("offset %d: %w", entry.First, err)
	}
	keys, err := rowKeys(schema, decoded.Columns, s.opened.DedupKey, len(decoded.Times))
	if err != nil {
		return err
	}
	s.dedup.Apply(replayer.Partition(), entry, keys, decoded.Times)
	if entry.End() <= from {
		return nil
	}
	batch, err := replayer.Batch(decoded, entry.Meta, entry.First)
	if err != nil {
		return err
	}
	s.widenExtents(decoded)
	if batch = batch.From(from); batch == nil {
		return nil
	}
	return s.sealing.Tail.Publish(batch, replayer.Clock(), s.engine.options.Now())
}

// replayed are the rows of an entry under the present schema.
func replayed(entry *eventlog.Entry, schema *event.Schema) (out partition.Rows, err error) {
	out = partition.Rows{Schema: schema, Arrival: entry.Meta.Arrival}
	if entry.Columns != nil {
		out.Times = entry.Columns.Times(entry.Rows(), entry.Meta.Arrival)
		out.Columns, err = entry.Columns.Under(schema, entry.Rows())
		return out, err
	}
	rows, err := decode.Replay(entry.Values, schema, int(entry.Meta.SchemaVersion), entry.Meta.Arrival)
	if err != nil {
		return out, err
	}
	out.Columns, out.Raw, out.Times = rows.Columns, rows.Raw, rows.Times
	return out, nil
}

// Recovered is where the stream's logs ended when this process opened them.
func (s *Stream) Recovered() event.Vector { return s.recovered }

// Definition is the stream's present definition.
func (s *Stream) Definition() *catalog.Stream {
	if definition, ok := s.engine.catalog.Stream(s.name); ok {
		return definition
	}
	return s.opened // dropped meanwhile: whoever still holds the stream gets an error from its writers
}

// Seal writes all acknowledged rows that are not sealed yet into a segment, and returns how many those were.
func (s *Stream) Seal(ctx context.Context) (int64, error) {
	segment, err := s.engine.sealer.Seal(ctx, s.sealing)
	if err != nil || segment == nil {
		return 0, err
	}
	return segment.Rows, nil
}

// evolve changes the schema so that it can hold the rows of a chunk, unless foresee fails for the new one, and returns the version to decode
// it with.
func (s *Stream) evolve(chunk *decode.Chunk, foresee func(next *event.Schema) error) (*event.Schema, error) {
	s.evolving.Lock()
	defer s.evolving.Unlock()
	definition := s.Definition()
	schema := definition.Schema
	if definition.SchemaMode != catalog.Evolve { // since the chunk was decoded
		return schema, nil
	}
	next, err := chunk.Evolve(schema, s.exact)
	if err != nil || next == schema {
		return schema, err
	}
	if err := foresee(next); err != nil {
		return nil, err
	}
	if err := s.engine.catalog.Evolve(s.name, schema, next); err != nil {
		return nil, fmt.Errorf("evolve schema of stream %s: %w", s.name, err)
	}
	return next, nil
}

// exact reports whether every stored value of a BIGINT column is a DOUBLE PRECISION value too.
func (s *Stream) exact(id event.FieldID) bool {
	s.mu.Lock()
	seen, ok := s.mu.extents[id]
	s.mu.Unlock()
	if ok && !seen.exact() {
		return false
	}
	low, high, ok := s.engine.store.Extent(s.name, id)
	return !ok || extent{low, high}.exact()
}

// widenExtents notes the values of BIGINT columns. Rows are noted before they are queued: a row that then fails only makes the
// note wider than it has to be.
func (s *Stream) widenExtents(rows partition.Rows) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, column := range rows.Schema.Columns {
		values, ok := rows.Columns[i].(*array.Int64)
		if !ok {
			continue
		}
		e := s.mu.extents[column.ID]
		for _, v := range values.Int64Values() {
			e.low, e.high = min(e.low, v), max(e.high, v)
		}
		s.mu.extents[column.ID] = e
	}
}

// waitForRoom blocks while the tail holds more than it may, until the sealer has made room or the time is up.
func (s *Stream) waitForRoom(ctx context.Context) error {
	limit := s.engine.options.TailBytes
	hasRoom := func() bool {
		_, bytes, _ := s.sealing.Tail.Size()
		return bytes < limit
	}
	if hasRoom() {
		return nil
	}
	deadline := time.NewTimer(busyWait)
	defer deadline.Stop()
	for {
		sealed := s.engine.sealer.Sealed()
		if hasRoom() {
			return nil
		}
		s.engine.sealer.Grown(s.sealing)
		select {
		case <-sealed:
		case <-deadline.C:
			return errBusy("the stream's unsealed rows take more than %d bytes", limit)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Stream) close() error {
	errs := make([]error, 0, len(s.writers))
	for _, w := range s.writers {
		errs = append(errs, w.Close())
	}
	s.dedup.Close()
	return errors.Join(errs...)
}
