package segments

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// DroppedDir takes the files of segments that were replaced or have expired, or whose stream was dropped. Queries that pinned them go on
// reading them there. EmptyTrash removes what nothing pins any more, and the next start removes the rest.
const DroppedDir = trashDir + "/dropped"

// trashed is a file in DroppedDir.
type trashed struct {
	segment uint64
	file    string
	// epoch is the store's when no new view could see the segment any more: views of earlier epochs may still read it.
	epoch uint64
}

// retire moves the files of segments that are no longer listed out of their stream's directory. The manifest has them as retired until
// that is done, so that whatever stops here is made up for by the next call or the next start.
func (s *Store) retire(stream string, ids []uint64) error {
	if err := vfs.MkdirAllSync(s.fs, DroppedDir); err != nil {
		return fmt.Errorf("make directory %s: %w", DroppedDir, err)
	}
	for _, id := range ids {
		if err := s.moveToDropped(id, fileName(stream, id)); err != nil {
			return err
		}
	}
	if err := s.fs.SyncDir(DroppedDir); err != nil {
		return fmt.Errorf("sync directory %s: %w", DroppedDir, err)
	}
	dir := path.Join(segmentsDir, stream)
	if err := s.fs.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// moveToDropped moves one file, which may have been moved before or be missing. The lock keeps a query from looking for it between its
// two places; a rename is short.
func (s *Store) moveToDropped(id uint64, file string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.mu.moved[id]; ok {
		return nil
	}
	target := path.Join(DroppedDir, strings.ReplaceAll(strings.TrimPrefix(file, segmentsDir+"/"), "/", "-"))
	if err := s.fs.Rename(file, target); errors.Is(err, fs.ErrNotExist) {
		return nil // it was missing before: readers were told so
	} else if err != nil {
		return fmt.Errorf("move %s: %w", file, err)
	}
	s.mu.epoch++
	s.mu.moved[id] = target
	s.mu.trash = append(s.mu.trash, trashed{segment: id, file: target, epoch: s.mu.epoch})
	return nil
}

// EmptyTrash removes the files of retired segments that no view pins. A file that cannot be removed is tried again by the next call.
func (s *Store) EmptyTrash() error {
	var faults []error
	for _, t := range s.unpinned() {
		err := errors.Join(s.handles.drop(t.segment), s.fs.Remove(t.file))
		s.mu.Lock()
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			delete(s.mu.moved, t.segment)
			delete(s.mu.damaged, t.segment)
		} else {
			s.mu.trash = append(s.mu.trash, t)
			faults = append(faults, fmt.Errorf("remove %s: %w", t.file, err))
		}
		s.mu.Unlock()
	}
	return errors.Join(faults...)
}

// unpinned takes out of the list of trash what no open view can read.
func (s *Store) unpinned() []trashed {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := s.mu.epoch
	for epoch := range s.mu.pins {
		oldest = min(oldest, epoch)
	}
	var out []trashed
	s.mu.trash = slices.DeleteFunc(s.mu.trash, func(t trashed) bool {
		if t.epoch > oldest {
			return false
		}
		out = append(out, t)
		return true
	})
	return out
}

// Discard moves the files of a dropped stream out of the way, once the journal holds the record that drops it: from then on no seal or
// merge of it can commit.
func (s *Store) Discard(stream string) error {
	if err := vfs.MkdirAllSync(s.fs, DroppedDir); err != nil {
		return fmt.Errorf("make directory %s: %w", DroppedDir, err)
	}
	dir := path.Join(segmentsDir, stream)
	names, err := s.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, name := range names {
		file := path.Join(dir, name)
		if id, ok := parseFileName(name); ok {
			err = s.moveToDropped(id, file)
		} else {
			err = s.moveToTrash(file)
		}
		if err != nil {
			return fmt.Errorf("discard segments of stream %s: %w", stream, err)
		}
	}
	if err := s.fs.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove directory %s: %w", dir, err)
	}
	return errors.Join(s.fs.SyncDir(segmentsDir), s.fs.SyncDir(DroppedDir))
}

// fileName is where a segment lies. Ids are written with leading zeros so that listings sort by age.
func fileName(stream string, id uint64) string {
	return path.Join(segmentsDir, stream, fmt.Sprintf("%0*d", idDigits, id)+suffix)
}

// idDigits is the least number of digits of an id in a file's name.
const idDigits = 12

// parseFileName undoes fileName for the last part of the path.
func parseFileName(name string) (id uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) < idDigits {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 10, 64)
	return id, err == nil
}

// emptyDropped removes what earlier runs have left in DroppedDir: nothing pins it any more.
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

// moveToTrash gives the file a name that is not taken: ids come again after a crash, and nothing in trash/ is overwritten.
func (s *Store) moveToTrash(file string) error {
	base := strings.ReplaceAll(strings.TrimPrefix(file, segmentsDir+"/"), "/", "-")
	stem, ext := strings.TrimSuffix(base, path.Ext(base)), path.Ext(base)
	for n := 1; ; n++ {
		target := path.Join(trashDir, fmt.Sprintf("%s.%d%s", stem, n, ext))
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
