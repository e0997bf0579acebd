// Package backup copies data directories, and brings the copies back.
//
// A backup is a directory with the files of the data directory and, written last, BACKUP: the size and SHA-256 of each. One without BACKUP
// is not complete. A restored directory appears under its name complete and durable, or not at all. Create copies a directory that no server
// has open, whose lock is for the caller to take. Of one that a server has open, the server's Keeper pins what Fetch then copies.
// Nothing here starts a goroutine, but for the timer that ends a pin which was left alone.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// listName is the file that says what a backup holds.
	listName = "BACKUP"
	version  = 1
	// partialSuffix ends the name of a directory that is being restored.
	partialSuffix = ".partial"
)

// leftOut are the names at the top of a data directory that no start needs.
var leftOut = map[string]bool{"LOCK": true, "tmp": true, "spill": true, "trash": true, Dir: true}

// List is what a backup holds.
type List struct {
	Version int       `json:"v"`
	Created time.Time `json:"created"`
	Files   []File    `json:"files"`
}

// File is one file of a backup.
type File struct {
	// Name is relative to the data directory, with slashes.
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Blocks is, of segments, the SHA-256 of the CRC32C, four bytes little-endian, of every 64 KiB. A manifest tells it too.
	Blocks string `json:"blocks,omitempty"`
}

// Bytes is the size of all files.
func (l *List) Bytes() (total int64) {
	for _, f := range l.Files {
		total += f.Bytes
	}
	return total
}

// Options of a backup.
type Options struct {
	// Link shares segments, which never change, with the data directory instead of copying them, where the file system can.
	Link bool
	// Base is the directory of an earlier backup: segments that it has are shared with it, or copied from it where the file system cannot.
	// Empty for none.
	Base string
	Now  time.Time
	// Verify, if not nil, looks at the files before the backup becomes complete, which its error prevents.
	Verify func(ctx context.Context, dir string) error
}

// Create makes a backup of the data directory. to must be empty or not exist.
func Create(ctx context.Context, data, to string, o Options) (*List, error) {
	m, err := newMaker(to, o)
	if err != nil {
		return nil, err
	}
	names, err := files(data)
	if err != nil {
		return nil, fmt.Errorf("back up %s: %w", data, err)
	}
	for _, name := range names {
		from := filepath.Join(data, filepath.FromSlash(name))
		f, err := m.takeFile(ctx, name, from)
		if err != nil {
			return nil, fmt.Errorf("back up %s: %w", name, err)
		}
		m.list.Files = append(m.list.Files, f)
	}
	return m.finish(ctx)
}

// Restore brings a backup back as a data directory, which must be empty or not exist. Every file is held against what BACKUP says.
func Restore(ctx context.Context, from, data string) (*List, error) {
	list, err := readList(from)
	if err != nil {
		return nil, fmt.Errorf("restore %s: %w", from, err)
	}
	if err := empty(data); err != nil {
		return nil, fmt.Errorf("restore to %s: %w", data, err)
	}
	data = filepath.Clean(data)
	partial := data + partialSuffix
	if err := os.RemoveAll(partial); err != nil { // of a restore that was broken off
		return nil, fmt.Errorf("restore to %s: %w", data, err)
	}
	for _, want := range list.Files {
		got, err := transfer(ctx, filepath.Join(from, filepath.FromSlash(want.Name)), filepath.Join(partial, filepath.FromSlash(want.Name)), false)
		if err != nil {
			return nil, fmt.Errorf("restore %s: %w", want.Name, err)
		}
		if got.Bytes != want.Bytes || got.SHA256 != want.SHA256 {
			return nil, event.Errorf(event.CodeCorrupt, "file %s of the backup is damaged: it has %d bytes and another SHA-256 than the %d bytes that were backed up",
				want.Name, got.Bytes, want.Bytes)
		}
	}
	if err := put(partial, data); err != nil {
		return nil, fmt.Errorf("restore to %s: %w", data, err)
	}
	return list, nil
}

// put gives a restored directory its name.
func put(partial, data string) error {
	if err := os.MkdirAll(partial, 0o700); err != nil { // a backup may hold nothing
		return err
	}
	if err := syncTree(partial); err != nil {
		return err
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(partial, data); err != nil {
		return err
	}
	return syncDir(filepath.Dir(data))
}

// empty refuses a directory that has anything in it.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		return errors.New("the directory is not empty")
	}
	return err
}

// files lists what belongs into a backup of a data directory.
func files(data string) (names []string, err error) {
	err = filepath.WalkDir(data, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == data {
			return err
		}
		rel, err := filepath.Rel(data, name)
		if err != nil {
			return err
		}
		switch {
		case leftOut[rel] && entry.IsDir():
			return fs.SkipDir
		case leftOut[rel] || entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is no regular file", rel)
		}
		names = append(names, filepath.ToSlash(rel))
		return nil
	})
	return names, err
}

// transfer copies or links a file, makes the copy durable, and hashes what was read.
func transfer(ctx context.Context, from, to string, link bool) (File, error) {
	return receive(ctx, to, func() (io.ReadCloser, error) {
		if link {
			_ = os.Link(from, to) // otherwise it is copied
		}
		return os.Open(from)
	})
}

// receive makes a durable file of what there is to read, unless the file is there once it has been opened, and hashes what it reads.
func receive(ctx context.Context, to string, open func() (io.ReadCloser, error)) (out File, err error) {
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return out, err
	}
	in, err := open()
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sum := newSummer()
	if _, linked := os.Lstat(to); linked == nil {
		out.Bytes, err = io.Copy(sum, in)
	} else {
		out.Bytes, err = write(to, io.TeeReader(in, sum))
	}
	out.SHA256, out.Blocks = sum.sums()
	return out, err
}

// write makes a durable file of what there is to read.
func write(name string, from io.Reader) (int64, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(file, from)
	if err != nil {
		return n, errors.Join(err, file.Close())
	}
	return n, errors.Join(file.Sync(), file.Close())
}

// writeList writes the list behind its own hash, complete or not at all.
func writeList(dir string, list *List) error {
	body, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	name := filepath.Join(dir, listName)
	if _, err := write(name+partialSuffix, strings.NewReader(fmt.Sprintf("%x\n%s", sum, body))); err != nil {
		return err
	}
	return errors.Join(os.Rename(name+partialSuffix, name), syncDir(dir), syncDir(filepath.Dir(filepath.Clean(dir))))
}

func readList(dir string) (*List, error) {
	text, err := os.ReadFile(filepath.Join(dir, listName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, event.Errorf(event.CodeCorrupt, "there is no complete backup in %s: it has no file %s", dir, listName)
	}
	if err != nil {
		return nil, err
	}
	sum, body, _ := strings.Cut(string(text), "\n")
	if want := sha256.Sum256([]byte(body)); sum != hex.EncodeToString(want[:]) {
		return nil, event.Errorf(event.CodeCorrupt, "%s is damaged: its SHA-256 is another", listName)
	}
	var list List
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, event.Errorf(event.CodeCorrupt, "%s cannot be read: %s", listName, err)
	}
	if list.Version != version {
		return nil, event.Errorf(event.CodeNotSupported, "the backup has version %d and this program knows %d", list.Version, version)
	}
	for _, f := range list.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return nil, event.Errorf(event.CodeCorrupt, "the backup lists %q, which is outside of it", f.Name)
		}
	}
	return &list, nil
}

// syncTree makes the names in a directory and all below durable.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return syncDir(name)
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
