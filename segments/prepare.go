package segments

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// prepare makes the directories, holds the files against the manifest and moves away what a crash left.
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
	listed := map[string]bool{}
	for _, stream := range s.manifest.Streams() {
		for _, segment := range s.manifest.View(stream).Segments {
			if err := s.checkFile(segment); err != nil {
				return err
			}
			listed[segment.File] = true
		}
	}
	if err := s.sweep(tmpDir, listed); err != nil {
		return err
	}
	streams, err := s.fs.ReadDir(segmentsDir)
	if err != nil {
		return fmt.Errorf("list %s: %w", segmentsDir, err)
	}
	for _, stream := range streams {
		dir := path.Join(segmentsDir, stream)
		info, err := s.fs.Stat(dir)
		if err != nil {
			return fmt.Errorf("look at %s: %w", dir, err)
		}
		if !info.IsDir() {
			continue
		}
		if err := s.sweep(dir, listed); err != nil {
			return err
		}
	}
	return nil
}

// checkFile holds the size of a file against the manifest. Contents are checked as they are read.
func (s *Store) checkFile(segment *manifest.Segment) error {
	info, err := s.fs.Stat(segment.File)
	if errors.Is(err, fs.ErrNotExist) {
		return event.Errorf(event.CodeCorrupt, "segment file %s of stream %s is missing", segment.File, segment.Stream)
	}
	if err != nil {
		return fmt.Errorf("look at segment file: %w", err)
	}
	if info.Size() != segment.Bytes {
		return event.Errorf(event.CodeCorrupt, "segment file %s has %d bytes, not %d", segment.File, info.Size(), segment.Bytes)
	}
	return nil
}

// sweep moves segment files that the manifest does not list from a directory to trash/. Other files are not ours to judge.
func (s *Store) sweep(dir string, listed map[string]bool) error {
	names, err := s.fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	moved := false
	for _, name := range names {
		if file := path.Join(dir, name); strings.HasSuffix(name, suffix) && !listed[file] {
			if err := s.moveToTrash(file); err != nil {
				return err
			}
			moved = true
		}
	}
	if !moved {
		return nil
	}
	return errors.Join(s.fs.SyncDir(trashDir), s.fs.SyncDir(dir))
}

// moveToTrash gives the file a name that is not taken: ids come again after a crash, and nothing in trash/ is overwritten.
func (s *Store) moveToTrash(file string) error {
	base := strings.TrimSuffix(strings.ReplaceAll(strings.TrimPrefix(file, segmentsDir+"/"), "/", "-"), suffix)
	for n := 1; ; n++ {
		target := path.Join(trashDir, fmt.Sprintf("%s.%d%s", base, n, suffix))
		if _, err := s.fs.Stat(target); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look into trash: %w", err)
		}
		if err := s.fs.Rename(file, target); err != nil {
			return fmt.Errorf("move %s to trash: %w", file, err)
		}
		return nil
	}
}
