package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

// snapshotFrameBytes is about how much of a snapshot goes into one frame.
const snapshotFrameBytes = 1 << 20

// writeSnapshot writes the state before the numbered update.
func (j *Journal) writeSnapshot(number uint64) error {
	var all []Record
	for _, kind := range slices.Sorted(maps.Keys(j.states)) {
		records, err := j.states[kind].Snapshot()
		if err != nil {
			return fmt.Errorf("snapshot state of kind %d: %w", kind, err)
		}
		all = append(all, records...)
	}
	name := j.path(number, snapshotSuffix)
	err := record.WriteFile(j.fs, name, record.Snapshot, func(w *record.Writer) error {
		for len(all) > 0 {
			n := frameful(all)
			err := w.Add(frameSnapshot, func(dst []byte) []byte { return appendUpdate(dst, number, all[:n]) })
			if err != nil {
				return err
			}
			if err := w.Flush(); err != nil {
				return err
			}
			all = all[n:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.mu.base = j.sizeOf(name)
	return nil
}

// frameful is how many of the records go into the next frame: at least one.
func frameful(records []Record) int {
	n, size := 1, len(records[0].Body)
	for n < len(records) && size+len(records[n].Body) < snapshotFrameBytes {
		size += len(records[n].Body)
		n++
	}
	return n
}

// readSnapshot reads all of a snapshot before any of it is applied, since a snapshot that turns out to be damaged must leave no
// trace in the states.
func (j *Journal) readSnapshot(number uint64) ([]Record, error) {
	name := j.path(number, snapshotSuffix)
	var all []Record
	whole, err := record.Scan(j.fs, name, record.Snapshot, record.ScanOptions{Whole: true}, func(f record.Frame) error {
		at, records, err := parseUpdate(f.Body)
		if err != nil || at != number || f.Kind != frameSnapshot {
			return record.Corrupt(name, f.Offset, "not a part of snapshot %d", number)
		}
		all = append(all, records...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !whole {
		return nil, record.Corrupt(name, 0, "the snapshot is not complete")
	}
	return all, nil
}

// removeOld removes the snapshots before the last two and the logs that the older of those has made superfluous.
func (j *Journal) removeOld() error {
	files, err := j.list()
	if err != nil {
		return err
	}
	if len(files.snapshots) < 2 {
		return nil
	}
	older := files.snapshots[len(files.snapshots)-2]
	var failed error
	for _, n := range files.snapshots {
		if n < older {
			failed = errors.Join(failed, j.fs.Remove(j.path(n, snapshotSuffix)))
		}
	}
	for _, n := range files.logs {
		if n < older {
			failed = errors.Join(failed, j.fs.Remove(j.path(n, logSuffix)))
		}
	}
	return errors.Join(failed, j.fs.SyncDir(j.dir))
}

// sizeOf is a hint for the next rotation only, so a file that cannot be described counts as empty.
func (j *Journal) sizeOf(name string) int64 {
	info, err := j.fs.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// isCorrupt reports whether the error means damaged bytes, or a file that is gone, rather than a device that cannot be read.
func isCorrupt(err error) bool {
	var e *event.Error
	return (errors.As(err, &e) && e.Code == event.CodeCorrupt) || errors.Is(err, fs.ErrNotExist)
}
