package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// logDir holds a directory for each stream, with one for each partition.
const logDir = "log"

// Drop removes a stream with its rows: the definition and the list of its segments in one durable step, then the files. Queries
// that have begun are not disturbed. While it runs, the name is neither found nor free.
//
// The order matters. The stream takes no more rows and seals nothing before the step, or a late commit would bring a part of it
// back. The name becomes free after its log is out of the way, or a new stream of that name would begin with old rows. If the
// step fails the stream is still there, and is opened again by whoever asks for it next.
func (e *Engine) Drop(name string) error {
	s, err := e.Stream(name)
	if err != nil {
		return err
	}
	if err := e.detach(name); err != nil {
		return err
	}
	defer s.sealing.Tail.Wake() // who waits for rows finds that there is no stream
	e.sealer.Forget(s.sealing)
	if err := s.close(); err != nil {
		e.options.Logger.Warn("the log of a stream that is dropped did not close", "stream", name, "error", err)
	}
	record, err := manifest.DropRecord(name)
	if err == nil {
		err = e.catalog.Drop(name, record)
	}
	if err != nil {
		e.release(name)
		return err
	}
	if err := errors.Join(e.store.Discard(name), e.discardLog(name)); err != nil {
		return fmt.Errorf("stream %s is dropped, but its name is not free before the next start: %w", name, err)
	}
	e.release(name)
	return nil
}

// detach takes a stream away from all who ask for it, until release.
func (e *Engine) detach(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.closed {
		return errStopping()
	}
	if slices.Contains(e.mu.dropping, name) {
		return errDropping(name)
	}
	e.mu.dropping = append(e.mu.dropping, name)
	delete(e.mu.streams, name)
	return nil
}

func (e *Engine) release(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.dropping = slices.DeleteFunc(e.mu.dropping, func(n string) bool { return n == name })
}

func errDropping(name string) error {
	return errBusy("stream %q is being dropped", name)
}

// discardLog removes the files of a stream's log, and what is known of its requests: whoever drops a stream for want of space has it at once. A start
// goes on with what a crash has left.
func (e *Engine) discardLog(name string) error {
	if err := dedup.Remove(e.fs, name); err != nil { // first: what has no log is not looked for at the next start
		return err
	}
	dir := path.Join(logDir, name)
	partitions, err := e.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, partition := range partitions {
		if err := e.removeFiles(path.Join(dir, partition)); err != nil {
			return err
		}
	}
	if err := e.fs.Remove(dir); err != nil {
		return fmt.Errorf("remove directory %s: %w", dir, err)
	}
	return e.fs.SyncDir(logDir)
}

// removeFiles removes a directory with the files in it.
func (e *Engine) removeFiles(dir string) error {
	files, err := e.fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, file := range files {
		if err := e.fs.Remove(path.Join(dir, file)); err != nil {
			return fmt.Errorf("remove %s: %w", path.Join(dir, file), err)
		}
	}
	if err := e.fs.Remove(dir); err != nil {
		return fmt.Errorf("remove directory %s: %w", dir, err)
	}
	return nil
}
