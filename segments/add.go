package segments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
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
	s.mu.Lock()
	closed := s.mu.closed
	s.mu.Unlock()
	if closed {
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
	rows, err := s.sorted(stream.Schema, batches, segment)
	if err == nil {
		err = s.write(ctx, stream.Schema, rows, segment)
	}
	if err != nil {
		return nil, fmt.Errorf("seal stream %s: %w", stream.Name, err)
	}
	edit.Add = []*manifest.Segment{segment}
	err = s.manifest.Commit(s.journal, edit)
	if errors.Is(err, manifest.ErrConflict) {
		// Surely not committed: the file is nobody's.
		err = errors.Join(err, s.removeIfThere(segment.File))
	}
	if err != nil {
		return nil, err
	}
	return segment, nil
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

// sorted gives the rows of the batches under one schema in event-time order, and notes the time range.
func (s *Store) sorted(schema *event.Schema, batches []*event.Batch, segment *manifest.Segment) (*sortedRows, error) {
	slices.SortStableFunc(batches, func(a, b *event.Batch) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.First, b.First))
	})
	all := schema.All()
	wanted := make([]event.FieldID, len(all))
	for i, c := range all {
		wanted[i] = c.ID
	}
	parts := make([][]arrow.Array, len(all)) // by column, then batch
	for _, b := range batches {
		columns, err := b.Conform(schema, wanted)
		if err != nil {
			return nil, err
		}
		for i, values := range columns {
			parts[i] = append(parts[i], values)
		}
	}
	order := timeOrder(eventTimes(schema, parts))
	segment.MinTime, segment.MaxTime = order[0].time, order[len(order)-1].time
	return newSortedRows(all, parts, order), nil
}

// write makes the file durable under its final name. The order matters: contents before the name, the name before the manifest.
func (s *Store) write(ctx context.Context, schema *event.Schema, rows *sortedRows, segment *manifest.Segment) error {
	temporary := path.Join(tmpDir, fmt.Sprintf("%s-%d%s", segment.Stream, segment.ID, suffix))
	info, err := s.writeTemporary(ctx, temporary, schema, rows, segment)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(err, s.removeIfThere(temporary))
	}
	segment.Rows, segment.Bytes = info.Rows, info.Bytes
	for i, c := range schema.All() {
		segment.Columns = append(segment.Columns, manifest.Column{ID: c.ID, Stats: info.Stats[i]})
	}
	dir := path.Dir(segment.File)
	if err := s.fs.MkdirAll(dir); err != nil {
		return fmt.Errorf("make directory %s: %w", dir, err)
	}
	if err := s.fs.SyncDir(segmentsDir); err != nil {
		return fmt.Errorf("sync directory %s: %w", segmentsDir, err)
	}
	if err := s.fs.Rename(temporary, segment.File); err != nil {
		return fmt.Errorf("rename segment: %w", err)
	}
	if err := s.fs.SyncDir(dir); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// removeIfThere deletes a file of our own making that nothing can refer to.
func (s *Store) removeIfThere(name string) error {
	if err := s.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove unfinished segment: %w", err)
	}
	return nil
}

func (s *Store) writeTemporary(ctx context.Context, name string, schema *event.Schema, rows *sortedRows, segment *manifest.Segment) (
	info parquet.Info, err error) {
	file, err := s.fs.Create(name)
	if err != nil {
		return info, fmt.Errorf("create segment: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sums := &checksumWriter{to: file}
	meta := parquet.FileMeta{Stream: segment.Stream, Segment: segment.ID, From: segment.From, To: segment.To}
	if info, err = parquet.WriteRows(ctx, sums, schema, rows, meta, s.layout); err != nil {
		return info, err
	}
	if err := file.Sync(); err != nil {
		return info, fmt.Errorf("sync segment: %w", err)
	}
	segment.Blocks = sums.checksums()
	return info, nil
}
