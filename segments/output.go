package segments

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// output is a file to be written.
type output struct {
	schema  *event.Schema
	rows    parquet.Rows
	segment *manifest.Segment
	meta    parquet.FileMeta // what it has beside what follows from segment
	layout  parquet.Layout
}

// write makes files durable under their final names. The order matters: contents before the name, the names before the manifest. If
// it fails nothing is left of them.
func (s *Store) write(ctx context.Context, outputs ...*output) error {
	for i, out := range outputs {
		err := s.writeTemporary(ctx, out)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(err, s.removeAll(outputs[:i+1], temporaryName))
		}
	}
	dir := path.Dir(outputs[0].segment.File)
	if err := s.fs.MkdirAll(dir); err != nil {
		return errors.Join(fmt.Errorf("make directory %s: %w", dir, err), s.removeAll(outputs, temporaryName))
	}
	if err := s.fs.SyncDir(segmentsDir); err != nil {
		return errors.Join(fmt.Errorf("sync directory %s: %w", segmentsDir, err), s.removeAll(outputs, temporaryName))
	}
	for i, out := range outputs {
		if err := s.fs.Rename(temporaryName(out.segment), out.segment.File); err != nil {
			return errors.Join(fmt.Errorf("rename segment: %w", err), s.removeAll(outputs[:i], finalName), s.removeAll(outputs[i:], temporaryName))
		}
	}
	if err := s.fs.SyncDir(dir); err != nil {
		return errors.Join(fmt.Errorf("sync directory %s: %w", dir, err), s.removeAll(outputs, finalName))
	}
	return nil
}

func temporaryName(segment *manifest.Segment) string {
	return path.Join(tmpDir, fmt.Sprintf("%s-%d%s", segment.Stream, segment.ID, suffix))
}

func finalName(segment *manifest.Segment) string { return segment.File }

// removeAll deletes files of our own making that nothing can refer to; some may not exist.
func (s *Store) removeAll(outputs []*output, name func(*manifest.Segment) string) error {
	var faults []error
	for _, out := range outputs {
		faults = append(faults, s.removeIfThere(name(out.segment)))
	}
	return errors.Join(faults...)
}

func (s *Store) removeIfThere(name string) error {
	if err := s.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove unfinished segment: %w", err)
	}
	return nil
}

func (s *Store) writeTemporary(ctx context.Context, out *output) (err error) {
	segment := out.segment
	file, err := s.fs.Create(temporaryName(segment))
	if err != nil {
		return fmt.Errorf("create segment: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sums := &checksumWriter{to: file}
	meta := out.meta
	meta.Stream, meta.Segment, meta.From, meta.To = segment.Stream, segment.ID, segment.From, segment.To
	info, err := parquet.WriteRows(ctx, sums, out.schema, out.rows, meta, out.layout)
	if merged, ok := out.rows.(*mergedRows); ok {
		merged.release() // there may be others to be written
	}
	if err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("sync segment: %w", err)
	}
	segment.Rows, segment.Bytes, segment.Blocks = info.Rows, info.Bytes, sums.checksums()
	for i, c := range out.schema.All() {
		segment.Columns = append(segment.Columns, manifest.Column{ID: c.ID, Stats: info.Stats[i]})
	}
	return nil
}
