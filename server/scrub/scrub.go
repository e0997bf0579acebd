// Package scrub reads the files of a running server again and again, slowly, and holds them against their checksums: damage is found while
// there is a good backup, and not when a query or a restart needs the file.
//
// It changes nothing. What it finds is told once by Report and stays in Found until a later pass finds the file well or gone. Files come, grow
// and go meanwhile: the end of a file that is being written is left to the next pass, and damage counts when a second look sees it
// too. A Scrubber runs one goroutine, which Close stops and waits for; its other methods may be called from any.
package scrub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// passEvery is the least time between the beginnings of two passes: what is small need not be read all the time.
const passEvery = 24 * time.Hour

// Damage is a place of a file that is not what was written.
type Damage struct {
	File string
	// From is the first byte.
	From   int64
	Reason string
}

// String is a sentence for people.
func (d Damage) String() string {
	return fmt.Sprintf("file %s is damaged at byte %d: %s", d.File, d.From, d.Reason)
}

// Options of a Scrubber. Every field must be set.
type Options struct {
	FS vfs.FS
	// Rate is how many bytes are read in a second, above 0.
	Rate int64
	// Segments lists those that count now.
	Segments func() []*manifest.Segment
	// Segment is told of a damaged segment, so that it is not merged, and /readyz names it.
	Segment func(*manifest.Segment, error)
	// Known reports whether damage has been told and dealt with already.
	Known  func(Damage) bool
	Logger *slog.Logger
}

// Scrubber reads one data directory.
type Scrubber struct {
	options Options
	files   *pacedFS
	cancel  context.CancelFunc
	done    chan struct{}

	bytes, passes atomic.Int64

	mu struct {
		sync.Mutex
		found map[string]Damage // by file
	}
}

// New starts a Scrubber.
func New(options Options) *Scrubber {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Scrubber{options: options, cancel: cancel, done: make(chan struct{})}
	s.files = &pacedFS{FS: options.FS, ctx: ctx, rate: options.Rate, bytes: &s.bytes}
	s.mu.found = map[string]Damage{}
	go s.run(ctx)
	return s
}

// Close stops the goroutine and waits for it. It may be called twice.
func (s *Scrubber) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// Bytes is how much has been read, and Passes how often everything has been.
func (s *Scrubber) Bytes() int64 { return s.bytes.Load() }

// Passes counts the times that every file was read.
func (s *Scrubber) Passes() int64 { return s.passes.Load() }

// Found lists the damaged files, by name.
func (s *Scrubber) Found() []Damage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Damage, 0, len(s.mu.found))
	for _, file := range slices.Sorted(maps.Keys(s.mu.found)) {
		out = append(out, s.mu.found[file])
	}
	return out
}

func (s *Scrubber) run(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		next := time.NewTimer(passEvery)
		if err := s.pass(ctx); err != nil && ctx.Err() == nil {
			s.options.Logger.Error("files cannot be looked through for damage; it will be tried again", "error", err)
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
		}
	}
}

// pass reads everything once. What cannot be looked at keeps nothing else from being read.
func (s *Scrubber) pass(ctx context.Context) error {
	seen := map[string]bool{}
	var faults []error
	for _, segment := range s.options.Segments() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		seen[segment.File] = true
		faults = append(faults, s.segment(ctx, segment))
	}
	for _, dir := range []string{"journal", "log", "views", "state"} {
		faults = append(faults, s.walk(ctx, dir, seen))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	s.mu.Lock()
	maps.DeleteFunc(s.mu.found, func(file string, _ Damage) bool { return !seen[file] })
	s.mu.Unlock()
	s.passes.Add(1)
	return nil
}

// segment checks a segment, unless it has been replaced meanwhile.
func (s *Scrubber) segment(ctx context.Context, segment *manifest.Segment) error {
	look := func() (*Damage, error) {
		found, err := segments.CheckFile(ctx, s.files, segment)
		if err != nil || len(found) == 0 || !slices.ContainsFunc(s.options.Segments(), func(now *manifest.Segment) bool { return now.ID == segment.ID }) {
			return nil, err
		}
		return &Damage{File: segment.File, From: found[0].From, Reason: found[0].Reason}, nil
	}
	damage, err := s.twice(ctx, segment.File, look)
	if damage != nil {
		s.options.Segment(segment, errors.New(damage.String()))
	}
	return err
}

// twice looks a second time where the first shows damage, and keeps what both show.
func (s *Scrubber) twice(ctx context.Context, file string, look func() (*Damage, error)) (*Damage, error) {
	damage, err := look()
	if damage != nil {
		damage, err = look()
	}
	if err != nil || ctx.Err() != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, had := s.mu.found[file]
	switch {
	case damage == nil || s.options.Known(*damage):
		delete(s.mu.found, file)
		return nil, nil
	default:
		s.mu.found[file] = *damage
		if !had || before != *damage {
			s.options.Logger.Error("a file is damaged", "file", file, "byte", damage.From, "reason", damage.Reason)
		}
	}
	return damage, nil
}

// walk checks the record files below a directory.
func (s *Scrubber) walk(ctx context.Context, dir string, seen map[string]bool) error {
	names, err := s.options.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var faults []error
	for _, name := range names {
		name = path.Join(dir, name)
		info, err := s.options.FS.Stat(name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			faults = append(faults, err)
		case info.IsDir():
			faults = append(faults, s.walk(ctx, name, seen))
		default:
			if content, whole, ok := contentOf(name); ok {
				seen[name] = true
				faults = append(faults, s.record(ctx, name, content, whole))
			}
		}
	}
	return errors.Join(faults...)
}

// contentOf says what a file holds, by its name, and whether it is written as a whole.
func contentOf(name string) (content record.Content, whole, ok bool) {
	top, _, _ := strings.Cut(name, "/")
	switch top + path.Ext(name) {
	case "journal.log":
		return record.Journal, false, true
	case "journal.snapshot":
		return record.Snapshot, true, true
	case "log.log":
		return record.EventLog, false, true
	case "views.log":
		return record.Changelog, false, true
	case "state.state":
		return record.Checkpoint, true, true
	case "state.snapshot":
		return record.Dedup, true, true
	default:
		return 0, false, false
	}
}

// record checks a record file. One that went meanwhile, as trimmed logs do, is well.
func (s *Scrubber) record(ctx context.Context, name string, content record.Content, whole bool) error {
	_, err := s.twice(ctx, name, func() (*Damage, error) {
		checked, err := record.Check(s.files, name, content, whole, func(record.Frame) error { return ctx.Err() })
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &Damage{File: name, Reason: fmt.Sprintf("it cannot be read: %v", err)}, nil
		}
		if len(checked.Damage) == 0 {
			return nil, nil
		}
		return &Damage{File: name, From: checked.Damage[0].From, Reason: checked.Damage[0].Reason}, nil
	})
	return err
}
