package segments

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// DroppedDir takes the files of dropped streams. Queries that pinned them go on reading them there; the next start removes them.
const DroppedDir = trashDir + "/dropped"

// Discard moves the files of a view out of the way, once the journal holds the record that drops its stream.
func (s *Store) Discard(view *View) error {
	if err := vfs.MkdirAllSync(s.fs, DroppedDir); err != nil {
		return fmt.Errorf("make directory %s: %w", DroppedDir, err)
	}
	for _, segment := range view.manifest.Segments {
		if err := s.discardFile(segment); err != nil {
			return fmt.Errorf("discard segments of stream %s: %w", view.stream, err)
		}
	}
	dir := path.Join(segmentsDir, view.stream)
	if err := s.fs.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove directory %s: %w", dir, err)
	}
	return errors.Join(s.fs.SyncDir(segmentsDir), s.fs.SyncDir(DroppedDir))
}

// discardFile moves one file. The lock keeps a query from looking for it between its two places; a rename is short.
func (s *Store) discardFile(segment *manifest.Segment) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	target := path.Join(DroppedDir, fmt.Sprintf("%s-%012d%s", segment.Stream, segment.ID, suffix))
	if err := s.fs.Rename(segment.File, target); err != nil {
		return fmt.Errorf("move %s: %w", segment.File, err)
	}
	s.mu.moved[segment.ID] = target
	return nil
}

// openFile opens a segment's file where it lies now.
func (s *Store) openFile(segment *manifest.Segment) (vfs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if moved, ok := s.mu.moved[segment.ID]; ok {
		return s.fs.Open(moved)
	}
	return s.fs.Open(segment.File)
}

// emptyDropped removes what streams dropped before this start have left: nothing pins it any more.
func (s *Store) emptyDropped() error {
	names, err := s.fs.ReadDir(DroppedDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", DroppedDir, err)
	}
	for _, name := range names {
		if err := s.fs.Remove(path.Join(DroppedDir, name)); err != nil {
			return fmt.Errorf("remove dropped file: %w", err)
		}
	}
	return s.fs.SyncDir(DroppedDir)
}
