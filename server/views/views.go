// Package views keeps materialized views: it plans them, feeds their machines from streams and from other views, and makes what they
// answer durable, readable and followable.
//
// What always holds:
//   - The content of a view is a function of the marks of its inputs (offsets and watermarks) and of nothing else. What is read of a view
//     belongs to one set of marks.
//   - Nothing of a step is visible before its frame is in the changelog, on disk. After a restart the content is that of the newest
//     checkpoint and the frames since; the machine is that of the checkpoint, fed again with what the inputs gained up to the last
//     frame.
//   - Final rows have numbers that never change, given in the order of the frames. Segments hold them up to some number, memory and
//     checkpoints the rest, so that a crash between sealing and anything else neither doubles nor loses one.
//   - A view that fails stops alone, keeps what it had, and says why.
//
// Every view has one goroutine, which alone touches its runtime; Close ends and awaits all of them. Everything that Set and View export
// may be called from any goroutine. Lock order: Set, then View. The package does not know HTTP.
package views

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/query/spill"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// Options of a Set. Every field but Limits must be set.
type Options struct {
	FS       vfs.FS
	Catalog  *catalog.Catalog
	Journal  segments.Journal
	Ingest   *ingest.Engine
	Segments *segments.Store
	// Insert appends rows to a stream, all of them durable when it returns without an error. Where the stream's schema follows its data, a
	// column becomes what holds the values.
	Insert func(ctx context.Context, stream string, columns []event.Column, values []arrow.Array) error
	Logger *slog.Logger
	// Now is the wall clock. It decides nothing but when something is tried again.
	Now    func() time.Time
	Limits Limits
	// Memory is what all views may hold together, in bytes; 0 for no bound. Spill is where they keep what memory has no room for; nil for
	// nowhere.
	Memory int64
	Spill  *spill.Space
}

// Limits say how much a view lets come together before it makes a file of it. The zero value of a field is its default.
type Limits struct {
	// SealRows is how many final rows make a segment.
	SealRows int64
	// CheckpointFrames is how many frames make a checkpoint.
	CheckpointFrames int
	// ChangelogBytes is how much of a changelog is kept beyond what recovery needs, for those who come back to read on.
	ChangelogBytes int64
	// HeldBytes is how much of one is kept at most for views that read it and have stopped.
	HeldBytes int64
}

// Set is all views of a server.
type Set struct {
	options Options
	seed    uint64
	ctx     context.Context
	cancel  context.CancelFunc
	memory  together
	reads   *sharedReads
	// making is held while a hidden view is looked for and made, or dropped.
	making sync.Mutex
	// defining is held while the catalog changes and the views below with it, as two changes of one name would else come to them in different orders.
	// No view is waited for under it. It is taken after making and before mu.
	defining sync.Mutex

	mu struct {
		sync.Mutex
		views map[string]*View // the present ones
		next  map[string]*View // those that are to take their place
		done  bool
		// hidden counts the subscribers of the views that were made for them.
		hidden map[string]*hiddenUse
	}
}

// Open starts the views of the catalog. What is left of views that were dropped is removed first.
func Open(options Options) (*Set, error) {
	s := &Set{options: options, seed: newSeed()}
	s.memory.share = options.Memory
	s.reads = newSharedReads(&s.memory.held)
	s.options.Limits.SealRows = cmp.Or(options.Limits.SealRows, sealRows)
	s.options.Limits.CheckpointFrames = cmp.Or(options.Limits.CheckpointFrames, checkpointFrames)
	s.options.Limits.ChangelogBytes = cmp.Or(options.Limits.ChangelogBytes, changelogBytes)
	s.options.Limits.HeldBytes = cmp.Or(options.Limits.HeldBytes, heldBytes)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mu.views, s.mu.next, s.mu.hidden = map[string]*View{}, map[string]*View{}, map[string]*hiddenUse{}
	if err := s.discardOrphans(); err != nil {
		return nil, fmt.Errorf("open views: %w", err)
	}
	for _, definition := range options.Catalog.Views() {
		s.mu.views[definition.Name] = s.newView(definition)
		s.mu.views[definition.Name].show()
		if next, ok := options.Catalog.NextView(definition.Name); ok {
			s.mu.next[definition.Name] = s.newView(next)
		}
	}
	s.adoptHidden()
	for _, v := range s.all() {
		v.unchecked = true
		v.start()
	}
	return s, nil
}

// storageName is what directories of views are called. Others beside them belong to someone else.
var storageName = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[0-9]+$`)

// discardOrphans removes the directories of generations that no definition names.
func (s *Set) discardOrphans() error {
	known := map[string]bool{}
	for _, v := range s.options.Catalog.Views() {
		known[v.Storage()] = true
		if next, ok := s.options.Catalog.NextView(v.Name); ok {
			known[next.Storage()] = true
		}
	}
	for _, parent := range []string{viewsDir, stateDir} {
		if err := vfs.MkdirAllSync(s.options.FS, parent); err != nil {
			return err
		}
		names, err := s.options.FS.ReadDir(parent)
		if err != nil {
			return err
		}
		for _, name := range names {
			if known[name] || !storageName.MatchString(name) {
				continue
			}
			if err := removeDir(s.options.FS, parent+"/"+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// all are the views, those that take the place of others included.
func (s *Set) all() []*View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(slices.Collect(maps.Values(s.mu.views)), slices.Collect(maps.Values(s.mu.next)))
}

// Close stops every view, each with a checkpoint, and waits for them. It may be called twice.
func (s *Set) Close() error {
	s.mu.Lock()
	s.mu.done = true
	for _, use := range s.mu.hidden {
		if use.unused != nil {
			use.unused.Stop()
		}
	}
	s.mu.Unlock()
	s.cancel()
	for _, v := range s.all() {
		v.stop()
	}
	return nil
}

// find gives the present view of a name.
func (s *Set) find(name string) (*View, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.mu.views[name]; ok {
		return v, nil
	}
	return nil, event.Errorf(event.CodeNotFound, "there is no materialized view %q", name)
}

// View finds a view.
func (s *Set) View(name string) (*View, bool) {
	v, err := s.find(name)
	return v, err == nil
}

// List gives the present views by name, less those that subscriptions made for themselves.
func (s *Set) List() []*View {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*View, 0, len(s.mu.views))
	for _, name := range slices.Sorted(maps.Keys(s.mu.views)) {
		if v := s.mu.views[name]; !v.Definition().Hidden {
			out = append(out, v)
		}
	}
	return out
}

// Explain describes the operators that would keep a view current.
func (s *Set) Explain(b bind.CreateView) (string, error) {
	program, err := s.compile(b)
	if err != nil {
		return "", err
	}
	if _, err := s.defined(b, program); err != nil {
		return "", err
	}
	return program.String(), nil
}

// Create defines a view and starts it. It does not wait until the view is ready.
func (s *Set) Create(b bind.CreateView) (*View, error) {
	program, err := s.compile(b)
	if err != nil {
		return nil, err
	}
	definition, err := s.defined(b, program)
	if err != nil {
		return nil, err
	}
	return s.create(definition, b.OrReplace, nil)
}

// defined is define, and makes sure that late rows have a place to go to.
func (s *Set) defined(b bind.CreateView, program *continuous.Program) (catalog.View, error) {
	definition := s.define(b, program)
	if definition.LateInto == "" {
		return definition, nil
	}
	_, _, err := s.lateTarget(&definition, program)
	return definition, err
}

// create defines a view and starts it. caller is the view whose goroutine calls it, nil for none.
func (s *Set) create(definition catalog.View, replace bool, caller *View) (*View, error) {
	if err := errors.Join(s.beginNow(&definition), s.noteSince(&definition)); err != nil {
		return nil, err
	}
	v, old, err := s.enter(definition, replace)
	if err != nil {
		return nil, err
	}
	s.remove(old, caller) // it was not ready, so nobody has seen it
	v.start()
	return v, nil
}

// enter defines a view, and gives the one that is to be removed for it: one that was still being built; nil where there is none.
func (s *Set) enter(definition catalog.View, replace bool) (made, old *View, err error) {
	s.defining.Lock()
	defer s.defining.Unlock()
	known, err := s.options.Catalog.CreateView(definition, replace)
	if err != nil {
		return nil, nil, err
	}
	_, beside := s.options.Catalog.NextView(known.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.done {
		return nil, nil, event.Errorf(event.CodeClosed, "the server is stopping")
	}
	made = s.newView(known)
	if beside {
		old, s.mu.next[known.Name] = s.mu.next[known.Name], made
	} else {
		old, s.mu.views[known.Name] = s.mu.views[known.Name], made
		made.show()
	}
	if old != nil {
		old.leave()
	}
	return made, old, nil
}

// remove ends a view whose place another has taken, and removes what is kept of it. A nil view is none. The caller's own has closed what it had, and
// is not waited for.
func (s *Set) remove(old, caller *View) {
	if old == nil {
		return
	}
	if old.cancel(); old != caller {
		old.stop()
	}
	if err := s.discard(old.Definition()); err != nil {
		s.options.Logger.Error("a view that was replaced could not be removed", "view", old.Definition().Name, "error", err)
	}
}

// beginNow notes how far the streams are of a view that is to begin behind what they hold, once for all times that it is built.
func (s *Set) beginNow(definition *catalog.View) error {
	if definition.Start != catalog.StartNow || definition.Begun != nil {
		return nil
	}
	definition.Begun = map[string]event.Vector{}
	for _, name := range definition.Inputs {
		if _, ok := s.options.Catalog.Stream(name); !ok {
			continue // a view is read from its beginning
		}
		tail, err := s.options.Ingest.Tail(name)
		if err != nil {
			return err
		}
		definition.Begun[name] = tail.Next
	}
	return nil
}

// before is the view whose place another is to take; nil for none.
func (s *Set) before(v *View) *View {
	name := v.Definition().Name
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.next[name] != v {
		return nil
	}
	return s.mu.views[name]
}

// revive starts a view again that was stopped for another to take its place, which failed.
func (s *Set) revive(old *View) {
	definition := old.Definition()
	v := s.newView(definition)
	if shown := old.snapshot(); shown != nil {
		v.setSnapshot(old.changelog(), shown)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.done || s.mu.views[definition.Name] != old {
		return
	}
	s.mu.views[definition.Name] = v
	v.show()
	old.leave()
	v.start()
}

// promote makes a view that is ready the present one of its name, and gives the one before, nil for none. One that was dropped meanwhile stays so.
func (s *Set) promote(v *View, ready *catalog.View) (old *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.next[ready.Name] != v {
		return nil
	}
	old, s.mu.views[ready.Name] = s.mu.views[ready.Name], v
	delete(s.mu.next, ready.Name)
	v.show()
	if old != nil {
		old.leave()
	}
	return old
}

// rebuild makes a view anew from its definition, beside the present one, as its inputs have changed or its state is of no use; one that was not ready
// is replaced at once. It fails where the query does not fit its inputs any more. It is for the view's goroutine.
func (s *Set) rebuild(v *View, definition *catalog.View) error {
	if _, ok := s.options.Catalog.NextView(definition.Name); ok {
		return nil // it is being built
	}
	b, program, err := s.rebind(definition)
	if err != nil {
		return err
	}
	fresh := s.define(b, program)
	fresh.Skipped, fresh.Begun = definition.Skipped, definition.Begun
	if definition.Versions != nil {
		fresh.Versions = definition.Versions
	}
	s.options.Logger.Info("a view is built anew beside itself", "view", definition.Name)
	_, err = s.create(fresh, true, v)
	return err
}

// Drop removes a view with all that is kept of it. It is refused while other views read it.
func (s *Set) Drop(name string) error {
	gone, err := s.forget(name)
	errs := []error{err}
	for _, v := range gone {
		v.stop()
		errs = append(errs, s.discard(v.Definition()))
	}
	return errors.Join(errs...)
}

// forget takes a name away, and gives the views that had it.
func (s *Set) forget(name string) (gone []*View, err error) {
	s.defining.Lock()
	defer s.defining.Unlock()
	if err := s.options.Catalog.DropView(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, views := range []map[string]*View{s.mu.views, s.mu.next} {
		if v := views[name]; v != nil {
			v.leave()
			gone = append(gone, v)
		}
		delete(views, name)
	}
	return gone, nil
}

// settleTime is how long Settle waits: the change is made, and about to be shown.
const settleTime = 5 * time.Second

// Settle blocks until those of the named views that are about to be replaced have been. For a moment the catalog has the new definition already
// and readers still get the rows of the old one, which do not fit a query that was bound to the new one.
func (s *Set) Settle(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for _, name := range names {
		for {
			v, present := s.View(name)
			definition, defined := s.options.Catalog.View(name)
			if !present || !defined || v.Definition().Generation == definition.Generation {
				break
			}
			select {
			case <-v.gone:
			case <-s.ctx.Done():
				return nil // whoever reads will be told
			case <-ctx.Done():
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					return nil // the caller tries once more, and says what it finds
				}
				return fmt.Errorf("wait for view %s: %w", name, ctx.Err())
			}
		}
	}
	return nil
}

// Await blocks until the named views, and the views that those read, have taken everything that was acknowledged before the call.
func (s *Set) Await(ctx context.Context, names []string) error {
	for _, name := range names {
		for {
			err := s.awaitOne(ctx, name)
			if !errors.Is(err, errReplaced) {
				if err != nil {
					return err
				}
				break
			}
			if s.ctx.Err() != nil {
				return event.Errorf(event.CodeClosed, "the server is stopping")
			}
		}
	}
	return nil
}

// awaitOne is Await for one name. It fails with errReplaced where the view has ended meanwhile: there may be another in its place.
func (s *Set) awaitOne(ctx context.Context, name string) error {
	v, ok := s.View(name)
	if !ok {
		return nil // a stream: what was acknowledged can be read
	}
	inputs := v.Definition().Inputs
	if err := s.Await(ctx, inputs); err != nil {
		return err
	}
	var targets []Mark
	for _, input := range inputs {
		if target, ok := s.newest(input); ok {
			targets = append(targets, target)
		}
	}
	return v.await(ctx, targets)
}

// newest is how far a stream or view is now.
func (s *Set) newest(name string) (Mark, bool) {
	if v, err := s.find(name); err == nil {
		if snapshot := v.snapshot(); snapshot != nil {
			return snapshot.mark(), true
		}
		return Mark{}, false
	}
	view, err := s.options.Ingest.Tail(name)
	if err != nil {
		return Mark{}, false
	}
	return Mark{Name: name, Vector: view.Next, Watermarks: []int64{continuous.NoWatermark}}, true
}
