package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// Look brings the states, which must be empty, to where Open would, and changes nothing. It fails where Open would.
func Look(fs vfs.FS, dir string, states map[Kind]State) error {
	j := &Journal{fs: fs, dir: dir, states: states, looking: true}
	if err := j.replay(); err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	return nil
}

// CheckedFile is what Check found in one file.
type CheckedFile struct {
	record.Checked
	Name string
	// Err is why the file could not be read to its end.
	Err error
}

// Check reads every file of the directory, damaged ones included, and changes nothing.
func Check(fsys vfs.FS, dir string) ([]CheckedFile, error) {
	j := &Journal{fs: fsys, dir: dir}
	found, err := j.list()
	if err != nil {
		return nil, fmt.Errorf("check journal: %w", err)
	}
	var out []CheckedFile
	add := func(name string, content record.Content, whole bool) {
		c := CheckedFile{Name: name}
		c.Checked, c.Err = record.Check(fsys, name, content, whole, func(f record.Frame) error {
			if _, _, err := parseUpdate(f.Body); err != nil {
				return record.Corrupt(name, f.Offset, "not an update")
			}
			return nil
		})
		out = append(out, c)
	}
	for _, n := range found.snapshots {
		add(j.path(n, snapshotSuffix), record.Snapshot, true)
	}
	for i, n := range found.logs {
		add(j.path(n, logSuffix), record.Journal, i < len(found.logs)-1)
	}
	return out, nil
}

// Salvage gives every record of the directory that can be read, the oldest first, damaged snapshots included: where one frame is lost, what
// it said is missing from what fn makes of the others. It changes nothing.
func Salvage(fsys vfs.FS, dir string, fn func(Record)) error {
	names, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("salvage journal: %w", err)
	}
	// A snapshot is the state before the log of its number: by name, they then stand in the right order.
	slices.SortFunc(names, func(a, b string) int {
		if c := strings.Compare(number(a), number(b)); c != 0 {
			return c
		}
		return strings.Compare(b, a)
	})
	for _, name := range names {
		content := record.Journal
		switch {
		case strings.HasSuffix(strings.TrimSuffix(name, damagedSuffix), snapshotSuffix):
			content = record.Snapshot
		case path.Ext(name) != logSuffix:
			continue
		}
		// What cannot be read is lost: that is known when this is called for.
		_, err := record.Check(fsys, path.Join(dir, name), content, true, func(f record.Frame) error {
			_, records, err := parseUpdate(f.Body)
			if err != nil {
				return nil //nolint:nilerr // a frame that is none is passed over as well
			}
			for _, r := range records {
				fn(r)
			}
			return nil
		})
		var fault *fs.PathError
		if err != nil && !errors.As(err, &fault) {
			return fmt.Errorf("salvage journal: %w", err)
		}
	}
	return nil
}

func number(name string) string {
	digits, _, _ := strings.Cut(name, ".")
	return digits
}
