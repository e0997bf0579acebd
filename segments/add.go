package segments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// Add seals rows: it sorts the batches by event time, ties by partition and offset, writes one file under the stream's present
// schema and commits it together with the new sealed state. The batches must be all rows between the present sealed vector and
// sealed.Next. Without rows only the state is committed and the segment is nil. An error that wraps manifest.ErrConflict changed
// nothing; after any other failure of the commit the outcome is unknown until the next start.
func (s *Store) Add(ctx context.Context, stream *catalog.Stream, batches []*event.Batch, sealed manifest.Sealed) (
	*manifest.Segment, error) {
	if s.isClosed() {
		return nil, errClosed()
	}
	from := s.manifest.View(stream.Name).Sealed.Next
	if err := checkRange(batches, from, sealed.Next); err != nil {
		return nil, fmt.Errorf("seal stream %s: %w", stream.Name, err)
	}
	batches = slices.DeleteFunc(slices.Clone(batches), func(b *event.Batch) bool { return b.Rows() == 0 })
	edit := manifest.Edit{Stream: stream.Name, ExpectedNext: from, Sealed: sealed}
	if len(batches) == 0 {
		return nil, s.manifest.Commit(s.journal, edit)
	}
	segment := &manifest.Segment{
		ID: s.manifest.NextID(), Stream: stream.Name, From: from, To: sealed.Next, SchemaVersion: stream.Schema.Version,
	}
	segment.File = fileName(stream.Name, segment.ID)
	if err := s.writeSorted(ctx, stream, batches, sealed, segment); err != nil {
		return nil, fmt.Errorf("seal stream %s: %w", stream.Name, err)
	}
	edit.Add = []*manifest.Segment{segment}
	err := s.manifest.Commit(s.journal, edit)
	if errors.Is(err, manifest.ErrConflict) {
		// Surely not committed: the file is nobody's.
		err = errors.Join(err, s.removeIfThere(segment.File))
	}
	if err != nil {
		return nil, err
	}
	return segment, nil
}

// writeSorted makes the file of a seal, in memory of its own.
func (s *Store) writeSorted(ctx context.Context, stream *catalog.Stream, batches []*event.Batch, sealed manifest.Sealed, segment *manifest.Segment) error {
	rows, bytes := int64(0), int64(0)
	for _, b := range batches {
		rows, bytes = rows+int64(b.Rows()), bytes+b.Bytes()
	}
	giveBack, err := s.writing.take(ctx, sealBytes(stream.Schema, rows, bytes))
	if err != nil {
		return err
	}
	defer giveBack()
	order := newRowOrder(stream.Schema, stream.SortColumns())
	layout := budget(s.writing.most()).layout(s.layout, stream.Schema, false)
	sorted, err := s.sorted(order, batches, segment, layout)
	if err != nil {
		return err
	}
	meta := s.footerMeta(stream.Name, order).FileMeta
	meta.MaxEventTime, meta.Watermark = sealed.MaxEventTime, sealed.Watermark
	return s.write(ctx, &output{schema: stream.Schema, rows: sorted, segment: segment, meta: meta, layout: layout})
}

// checkRange makes sure that what is sealed lies in the range that the commit will claim: a row outside would be lost or doubled.
func checkRange(batches []*event.Batch, from, to event.Vector) error {
	for _, b := range batches {
		if b.Rows() > 0 && (b.First < from.At(b.Partition) || b.Last >= to.At(b.Partition)) {
			return fmt.Errorf("batch of offsets %d to %d of partition %d is not between %d and %d",
				b.First, b.Last, b.Partition, from.At(b.Partition), to.At(b.Partition))
		}
	}
	return nil
}

// sorted gives the rows of the batches under one schema in order, and notes the time range.
func (s *Store) sorted(by rowOrder, batches []*event.Batch, segment *manifest.Segment, layout parquet.Layout) (*sortedRows, error) {
	schema := by.schema
	slices.SortStableFunc(batches, func(a, b *event.Batch) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.First, b.First))
	})
	all, steps := schema.All(), stepsOf(by, batches)
	var wanted []event.FieldID
	for i, c := range all {
		if steps[i] == nil {
			wanted = append(wanted, c.ID)
		}
	}
	parts := make([][]arrow.Array, len(all)) // by column, then batch; nothing of a column of steps
	for _, b := range batches {
		columns, err := b.Conform(schema, wanted)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if steps[i] == nil {
				parts[i], columns = append(parts[i], columns[0]), columns[1:]
			}
		}
	}
	order := timeOrder(eventTimes(schema, parts, steps))
	by.sortTies(order, parts)
	segment.MinTime, segment.MaxTime = order[0].time, order[len(order)-1].time
	out := newSortedRows(all, parts, order, layout)
	out.steps = steps
	return out, nil
}
