package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// Dir holds the second names of pinned files, in the data directory. The next start empties it.
const Dir = "backup"

// The directories of a data directory that a backup has.
const (
	journalDir = "journal"
	logDir     = "log"
	viewsDir   = "views"
	stateDir   = "state"
)

// Pinned is a data directory as it was at one moment: files that stay readable, whatever the server does with them, up to a size.
type Pinned struct {
	// ID names the pin while it lasts.
	ID      string       `json:"id"`
	Created time.Time    `json:"created"`
	Files   []PinnedFile `json:"files"`

	sizes map[string]int64
}

// PinnedFile is one file of a Pinned.
type PinnedFile struct {
	// Name is relative to the data directory, with slashes; Bytes are those that belong to the backup, from the first on.
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// Blocks tells the contents of a segment from all others, without reading them: see File.
	Blocks string `json:"blocks,omitempty"`
}

// Source is what a Keeper needs to know of a server.
type Source struct {
	FS vfs.FS
	// Hold runs a function while the journal takes no update: no definition changes meanwhile, and no segment comes or goes.
	Hold func(func() error) error
	// Segments lists those that count.
	Segments func() []*manifest.Segment
	// Views names the directories of views, every view before those that it reads.
	Views func() []string
	// Writing gives the logs that are being written, and where what they hold ends at this moment: space may follow that. nil is none.
	Writing func() map[string]int64
	Now     func() time.Time
}

// pin gives every file that a backup needs a second name below root, and notes how much of it belongs to the backup.
//
// Nothing stands still meanwhile but the journal, and each kind of file may refer to others: a segment follows rows of a log, a changelog
// follows its inputs, a checkpoint follows its changelog, and what a checkpoint makes superfluous is removed. So that whatever a
// file refers to is there, the beginnings come first and the ends last: all logs and changelogs get their names before any
// checkpoint is looked at, so that trimming cannot take what an older checkpoint needs; and sizes are taken of checkpoints, then of
// changelogs, each before those that it reads, then of logs, so that none is ahead of what it was made from. What is behind is made up for
// as after a crash.
func (s Source) pin(ctx context.Context, root string) (*Pinned, error) {
	p := &pinning{Source: s, ctx: ctx, root: root, linked: map[string]bool{}, out: &Pinned{sizes: map[string]int64{}}, blocks: map[string]string{}}
	// Most of the work is done before anything waits for it.
	if err := errors.Join(p.link(logDir), p.link(viewsDir), p.segments()); err != nil {
		return nil, err
	}
	if err := s.Hold(p.held); err != nil {
		return nil, err
	}
	p.out.Created = s.Now().UTC()
	for _, name := range slices.Sorted(maps.Keys(p.out.sizes)) {
		p.out.Files = append(p.out.Files, PinnedFile{Name: name, Bytes: p.out.sizes[name], Blocks: p.blocks[name]})
	}
	return p.out, nil
}

// pinning is one run of pin.
type pinning struct {
	Source
	ctx    context.Context //nolint:containedctx // that of the call which made this
	root   string
	linked map[string]bool
	blocks map[string]string
	out    *Pinned
}

func (p *pinning) held() error {
	clear(p.blocks)
	steps := []func() error{
		p.segments,
		func() error { return p.sizes(journalDir) },
		func() error { return p.sizes(stateDir) },
	}
	for _, view := range p.Views() {
		steps = append(steps, func() error { return p.sizes(path.Join(viewsDir, view)) })
	}
	steps = append(steps, p.logSizes)
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	for _, segment := range p.Segments() {
		p.out.sizes[segment.File] = segment.Bytes
	}
	return nil
}

// segments links those that count now. One that is missing or damaged is found when the backup is verified.
func (p *pinning) segments() error {
	for _, segment := range p.Segments() {
		if err := p.linkFile(segment.File); err != nil {
			return err
		}
		p.blocks[segment.File] = blocksPrint(segment.Blocks)
	}
	return nil
}

// link links all files below a directory.
func (p *pinning) link(dir string) error {
	return p.walk(dir, func(name string, _ int64) error { return p.linkFile(name) })
}

// sizes links all files below a directory and notes their sizes. A file that was linked before and has been removed meanwhile is as it was
// when it was complete.
func (p *pinning) sizes(dir string) error {
	if err := p.link(dir); err != nil {
		return err
	}
	return p.walk(path.Join(p.root, dir), func(name string, size int64) error {
		p.out.sizes[strings.TrimPrefix(name, p.root+"/")] = size
		return nil
	})
}

// logSizes is sizes of the logs. One that is being written ends where its writer says; one that was completed meanwhile has lost the space behind
// its end, and one that was begun meanwhile has got some.
func (p *pinning) logSizes() error {
	if err := p.sizes(logDir); err != nil || p.Writing == nil {
		return err
	}
	ends := p.Writing()
	return p.walk(path.Join(p.root, logDir), func(name string, size int64) error {
		name = strings.TrimPrefix(name, p.root+"/")
		if end, ok := ends[name]; ok {
			size = min(size, end)
		}
		p.out.sizes[name] = min(size, p.out.sizes[name])
		return nil
	})
}

// linkFile gives a file its second name. One that went between the listing and now is not needed: it was superfluous before.
func (p *pinning) linkFile(name string) error {
	if p.linked[name] {
		return nil
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	to := path.Join(p.root, name)
	if err := p.FS.MkdirAll(path.Dir(to)); err != nil {
		return err
	}
	if err := p.FS.Link(name, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("pin %s: %w", name, err)
	}
	p.linked[name] = true
	return nil
}

// walk calls a function for every file below a directory. Files that are being written under another name are left out.
func (p *pinning) walk(dir string, do func(name string, size int64) error) error {
	names, err := p.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		name = path.Join(dir, name)
		info, err := p.FS.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.IsDir():
			err = p.walk(name, do)
		case path.Ext(name) != ".tmp":
			err = do(name, info.Size())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeAll removes a directory and all below.
func removeAll(files vfs.FS, dir string) error {
	names, err := files.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		name = path.Join(dir, name)
		info, err := files.Stat(name)
		if err == nil && info.IsDir() {
			err = removeAll(files, name)
		} else if err == nil {
			err = files.Remove(name)
		}
		if err != nil {
			return err
		}
	}
	return files.Remove(dir)
}

// errNoPin says that a pin is not there.
func errNoPin(id string) error {
	return event.Errorf(event.CodeNotFound, "there is no backup %q under way: it has ended, or was not asked for anything for %s", id, idleTime)
}
