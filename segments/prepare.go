package segments

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// prepare makes the directories, holds the lists of files against the manifest and moves away what a crash left. It looks at names
// only, so that a start costs little however much is stored.
func (s *Store) prepare() error {
	for _, dir := range []string{segmentsDir, tmpDir, trashDir} {
		if err := s.fs.MkdirAll(dir); err != nil {
			return fmt.Errorf("make directory %s: %w", dir, err)
		}
	}
	if err := s.emptyDropped(); err != nil {
		return err
	}
	if err := s.fs.SyncDir("."); err != nil {
		return fmt.Errorf("sync data directory: %w", err)
	}
	if err := s.removeUnfinished(); err != nil {
		return err
	}
	dirs, err := s.fs.ReadDir(segmentsDir)
	if err != nil {
		return fmt.Errorf("list %s: %w", segmentsDir, err)
	}
	found := map[string]bool{}
	for _, stream := range dirs {
		if err := s.sweep(stream, found); err != nil {
			return err
		}
	}
	for _, stream := range s.manifest.Streams() {
		for _, segment := range s.manifest.View(stream).Segments {
			if !found[segment.File] {
				s.noteDamage(segment, event.Errorf(event.CodeCorrupt, "segment file %s of stream %s is missing", segment.File, stream))
			}
		}
	}
	return nil
}

// removeUnfinished removes files that were being written when the process ended: what they were made from is still there.
func (s *Store) removeUnfinished() error {
	names, err := s.fs.ReadDir(tmpDir)
	if err != nil {
		return fmt.Errorf("list %s: %w", tmpDir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, suffix) {
			if err := s.fs.Remove(path.Join(tmpDir, name)); err != nil {
				return fmt.Errorf("remove unfinished segment: %w", err)
			}
		}
	}
	return nil
}

// sweep clears the directory of one stream of what the manifest does not list: files of retired segments are removed, others are moved
// to trash/ and kept, since nobody knows whether they are needed. It notes the files that it finds.
func (s *Store) sweep(stream string, found map[string]bool) error {
	dir := path.Join(segmentsDir, stream)
	if info, err := s.fs.Stat(dir); err != nil || !info.IsDir() {
		return err
	}
	names, err := s.fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	view, listed := s.manifest.View(stream), map[string]bool{}
	for _, segment := range view.Segments {
		listed[segment.File] = true
	}
	cleared := false
	for _, name := range names {
		file := path.Join(dir, name)
		if found[file] = true; listed[file] || !strings.HasSuffix(name, suffix) {
			continue
		}
		if err := s.clear(view, file, name); err != nil {
			return err
		}
		cleared = true
	}
	if !cleared {
		return nil
	}
	return errors.Join(s.fs.SyncDir(trashDir), s.fs.SyncDir(dir))
}

// clear takes away one file that is not listed.
func (s *Store) clear(view *manifest.View, file, name string) error {
	id, ok := parseFileName(name)
	if !ok || !slices.Contains(view.Retired, id) {
		return s.moveToTrash(file)
	}
	if err := s.fs.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove retired segment: %w", err)
	}
	return nil
}
