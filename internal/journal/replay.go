package journal

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/internal/record"
)

// The names in the directory are a number of twenty digits, that of the first update that a log holds or that a snapshot does
// not, and one of these.
const (
	logSuffix      = ".log"
	snapshotSuffix = ".snapshot"
	// damagedSuffix is added to a snapshot that could not be read: it is out of the way and can still be looked at.
	damagedSuffix = ".damaged"
)

// files lists the numbers found in the directory, ascending.
type files struct {
	logs, snapshots []uint64
}

func (j *Journal) list() (files, error) {
	names, err := j.fs.ReadDir(j.dir)
	if err != nil {
		return files{}, err
	}
	var out files
	for _, name := range names {
		ext := path.Ext(name)
		digits := strings.TrimSuffix(name, ext)
		number, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || len(digits) != 20 {
			continue
		}
		switch ext {
		case logSuffix:
			out.logs = append(out.logs, number)
		case snapshotSuffix:
			out.snapshots = append(out.snapshots, number)
		}
	}
	return out, nil
}

// replay rebuilds the states from the newest readable snapshot and the logs since, and opens the last log.
func (j *Journal) replay() error {
	if err := j.removeTemporaries(); err != nil {
		return err
	}
	found, err := j.list()
	if err != nil {
		return err
	}
	start, err := j.restoreSnapshot(found)
	if err != nil {
		return err
	}
	j.mu.next = start
	logs := slices.DeleteFunc(found.logs, func(n uint64) bool { return n < start })
	if len(logs) == 0 && j.looking {
		return nil
	}
	if len(logs) == 0 {
		j.mu.first = start
		j.mu.log, err = record.Create(j.fs, j.path(start, logSuffix), record.Journal, record.NewSalt())
		return err
	}
	for i, first := range logs {
		if first != j.mu.next {
			return record.Corrupt(j.path(first, logSuffix), 0, "the log before it ends at update %d", j.mu.next)
		}
		if err := j.replayLog(first, i == len(logs)-1); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) removeTemporaries() error {
	if j.looking {
		return nil
	}
	names, err := j.fs.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, record.TemporarySuffix) {
			if err := j.fs.Remove(path.Join(j.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreSnapshot applies the newest snapshot that is undamaged and gives its number; 0 where the logs begin with the first
// update of all, and no snapshot is needed.
func (j *Journal) restoreSnapshot(found files) (uint64, error) {
	var damage error
	var damaged []uint64
	for _, number := range slices.Backward(found.snapshots) {
		records, err := j.readSnapshot(number)
		if err == nil {
			j.mu.base = j.sizeOf(j.path(number, snapshotSuffix))
			if err := j.setAside(damaged); err != nil {
				return 0, err
			}
			return number, j.apply(records)
		}
		if !isCorrupt(err) {
			return 0, err
		}
		damage = err
		damaged = append(damaged, number)
	}
	if len(found.logs) > 0 && found.logs[0] != 0 && damage == nil {
		return 0, record.Corrupt(j.path(found.logs[0], logSuffix), 0, "the snapshot that it continues is missing")
	}
	if damage != nil && (len(found.logs) == 0 || found.logs[0] != 0) {
		return 0, damage
	}
	return 0, j.setAside(damaged)
}

func (j *Journal) setAside(snapshots []uint64) error {
	if j.looking {
		return nil
	}
	for _, number := range snapshots {
		name := j.path(number, snapshotSuffix)
		if err := j.fs.Rename(name, name+damagedSuffix); err != nil {
			return fmt.Errorf("set damaged snapshot aside: %w", err)
		}
	}
	if len(snapshots) == 0 {
		return nil
	}
	return j.fs.SyncDir(j.dir)
}

// replayLog applies one log. Only the last may lack its mark: the others were completed before the next was begun.
func (j *Journal) replayLog(first uint64, last bool) error {
	name := j.path(first, logSuffix)
	apply := func(f record.Frame) error {
		number, records, err := parseUpdate(f.Body)
		if err != nil || f.Kind != frameUpdate {
			return record.Corrupt(name, f.Offset, "not an update")
		}
		if number != j.mu.next {
			return record.Corrupt(name, f.Offset, "update %d stands where %d belongs", number, j.mu.next)
		}
		j.mu.next++
		return j.apply(records)
	}
	if last && j.looking {
		_, err := record.Scan(j.fs, name, record.Journal, record.ScanOptions{}, apply)
		if errors.Is(err, record.ErrTorn) {
			return nil
		}
		return err
	}
	if last {
		var err error
		j.mu.first = first
		j.mu.log, err = record.Resume(j.fs, name, record.Journal, apply)
		return err
	}
	complete, err := record.Scan(j.fs, name, record.Journal, record.ScanOptions{Whole: true}, apply)
	if err != nil {
		return err
	}
	if !complete {
		return record.Corrupt(name, 0, "the log lacks its end")
	}
	return nil
}
