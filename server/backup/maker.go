package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// maker makes one backup.
type maker struct {
	to   string
	o    Options
	base map[string]File // by name; of an earlier backup
	list *List
}

func newMaker(to string, o Options) (*maker, error) {
	if err := empty(to); err != nil {
		return nil, fmt.Errorf("back up to %s: %w", to, err)
	}
	m := &maker{to: to, o: o, base: map[string]File{}, list: &List{Version: version, Created: o.Now.UTC(), Files: []File{}}}
	if o.Base == "" {
		return m, nil
	}
	base, err := readList(o.Base)
	if err != nil {
		return nil, fmt.Errorf("back up onto %s: %w", o.Base, err)
	}
	for _, f := range base.Files {
		m.base[f.Name] = f
	}
	return m, nil
}

// finish makes the backup complete.
func (m *maker) finish(ctx context.Context) (*List, error) {
	err := os.MkdirAll(m.to, 0o700) // nothing may have been copied
	if err == nil {
		err = syncTree(m.to)
	}
	if err == nil && m.o.Verify != nil {
		err = m.o.Verify(ctx, m.to)
	}
	if err == nil {
		err = writeList(m.to, m.list)
	}
	if err != nil {
		return nil, fmt.Errorf("back up to %s: %w", m.to, err)
	}
	return m.list, nil
}

func (m *maker) path(name string) string { return filepath.Join(m.to, filepath.FromSlash(name)) }

// takeFile takes a file of a data directory that nobody changes.
func (m *maker) takeFile(ctx context.Context, name, from string) (File, error) {
	if old, ok := m.base[name]; ok && isSegment(name) {
		f, err := hashFile(ctx, from)
		if err != nil {
			return f, err
		}
		if f.SHA256 == old.SHA256 {
			_, err = m.takeOld(ctx, old)
			f.Name = name
			return f, err
		}
	}
	f, err := transfer(ctx, from, m.path(name), m.o.Link && isSegment(name))
	f.Name = name
	if !isSegment(name) {
		f.Blocks = ""
	}
	return f, err
}

// takeOld takes a file that the earlier backup has.
func (m *maker) takeOld(ctx context.Context, old File) (File, error) {
	from := filepath.Join(m.o.Base, filepath.FromSlash(old.Name))
	f, err := transfer(ctx, from, m.path(old.Name), true)
	if err == nil && f.SHA256 != old.SHA256 {
		err = event.Errorf(event.CodeCorrupt, "file %s of the earlier backup %s is damaged", old.Name, m.o.Base).
			WithHint("make a backup without --base")
	}
	f.Name = old.Name
	return f, err
}

// takePinned takes a file that a server has pinned. dir is where a program on the same machine finds it.
func (m *maker) takePinned(ctx context.Context, want PinnedFile, dir string, open func(context.Context, string) (io.ReadCloser, error)) (File, error) {
	if !filepath.IsLocal(filepath.FromSlash(want.Name)) {
		return File{}, fmt.Errorf("the server lists %q, which is outside of the backup", want.Name)
	}
	if old, ok := m.base[want.Name]; ok && want.Blocks != "" && old.Blocks == want.Blocks && old.Bytes == want.Bytes {
		return m.takeOld(ctx, old)
	}
	to := m.path(want.Name)
	f, err := receive(ctx, to, func() (io.ReadCloser, error) {
		from := filepath.Join(dir, filepath.FromSlash(want.Name))
		if m.o.Link && want.Blocks != "" && os.Link(from, to) == nil {
			return os.Open(from)
		}
		return open(ctx, want.Name)
	})
	f.Name = want.Name
	if err != nil {
		return f, err
	}
	if f.Bytes != want.Bytes || (want.Blocks != "" && f.Blocks != want.Blocks) {
		return f, event.Errorf(event.CodeCorrupt, "%d bytes came, with other checksums than the %d bytes that the server knows of", f.Bytes, want.Bytes)
	}
	f.Blocks = want.Blocks
	return f, nil
}

func isSegment(name string) bool { return strings.HasPrefix(name, "segments/") }

func hashFile(ctx context.Context, name string) (out File, err error) {
	if err := ctx.Err(); err != nil {
		return out, err
	}
	in, err := os.Open(name)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sum := newSummer()
	out.Bytes, err = io.Copy(sum, in)
	out.SHA256, out.Blocks = sum.sums()
	return out, err
}
