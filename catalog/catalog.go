// Package catalog holds the definitions of streams and materialized views in memory, as the fold of their records in the journal.
//
// What always holds: a definition is in the catalog only after it is durable; a published *Stream never changes, and a change
// publishes a new one; a schema's versions follow each other without gap. Every method may be called from any goroutine. Lock
// order: the journal's lock, then the catalog's. The package does not know what data a stream has, and touches no files.
package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// ErrConflict is what Evolve answers when the schema has changed since the caller looked.
var ErrConflict = errors.New("the schema has changed meanwhile")

// Catalog is the set of definitions. It is the journal's State for KindStream.
type Catalog struct {
	journal *journal.Journal
	mu      struct {
		sync.RWMutex
		streams map[string]*Stream
		// dropped are the streams whose files may still be there.
		dropped map[string]bool
		views   map[string]viewEntry
		plain   map[string]*PlainView
		// lastGeneration is the highest that any view ever had.
		lastGeneration uint64
	}
}

var _ journal.State = (*Catalog)(nil)

// New makes an empty catalog: replaying the journal fills it. Call Use before the first change.
func New() *Catalog {
	c := &Catalog{}
	c.mu.streams, c.mu.dropped, c.mu.views = map[string]*Stream{}, map[string]bool{}, map[string]viewEntry{}
	c.mu.plain = map[string]*PlainView{}
	return c
}

// Use gives the catalog the journal that it writes changes to. Call it once, before the catalog is shared.
func (c *Catalog) Use(j *journal.Journal) { c.journal = j }

// Stream finds the present definition of a stream.
func (c *Catalog) Stream(name string) (*Stream, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.mu.streams[name]
	return s, ok
}

// Streams lists the present definitions by name.
func (c *Catalog) Streams() []*Stream {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*Stream, 0, len(c.mu.streams))
	for _, name := range slices.Sorted(maps.Keys(c.mu.streams)) {
		out = append(out, c.mu.streams[name])
	}
	return out
}

// Names lists the names of the streams, sorted.
func (c *Catalog) Names() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.mu.streams))
}

// Tables lists the names of the streams and views, sorted.
func (c *Catalog) Tables() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(func(yield func(string) bool) {
		for name := range c.mu.streams {
			if !yield(name) {
				return
			}
		}
		for name := range c.mu.views {
			if !yield(name) {
				return
			}
		}
		for name := range c.mu.plain {
			if !yield(name) {
				return
			}
		}
	})
}

// Create defines a new stream and returns its definition once that is durable. It fails with CodeAlreadyExists for a name that
// is taken, and with CodeBadRequest for a definition with faults, naming all of them.
func (c *Catalog) Create(definition Stream) (*Stream, error) {
	if err := definition.Validate(); err != nil {
		return nil, err
	}
	err := c.update(func() (*Stream, error) {
		if _, ok := c.Stream(definition.Name); ok {
			return nil, event.Errorf(event.CodeAlreadyExists, "stream %q already exists", definition.Name)
		}
		return &definition, c.untaken(definition.Name)
	})
	if err != nil {
		return nil, fmt.Errorf("create stream %s: %w", definition.Name, err)
	}
	created, _ := c.Stream(definition.Name)
	return created, nil
}

// Evolve replaces a stream's schema by its next version. It fails with ErrConflict unless the present version is from's: the
// caller then looks again and makes a new next version.
func (c *Catalog) Evolve(name string, from, to *event.Schema) error {
	err := c.update(func() (*Stream, error) {
		present, ok := c.Stream(name)
		if !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
		}
		if present.Schema.Version != from.Version {
			return nil, ErrConflict
		}
		if to.Version != from.Version+1 {
			return nil, fmt.Errorf("schema version %d cannot follow version %d", to.Version, from.Version)
		}
		next := *present
		next.Schema = to
		return &next, next.Validate()
	})
	if err != nil {
		return fmt.Errorf("evolve stream %s: %w", name, err)
	}
	return nil
}

// update makes the definition that decide gives durable and publishes it.
func (c *Catalog) update(decide func() (*Stream, error)) error {
	return c.journal.Update(func() ([]journal.Record, error) {
		s, err := decide()
		if err != nil {
			return nil, err
		}
		r, err := encode(s)
		if err != nil {
			return nil, err
		}
		return []journal.Record{r}, nil
	})
}

// Apply implements journal.State.
func (c *Catalog) Apply(r journal.Record) error {
	b, err := decode(r)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case b.Dropped != "":
		delete(c.mu.streams, b.Dropped)
		c.mu.dropped[b.Dropped] = true
	case b.Stream != nil:
		delete(c.mu.dropped, b.Stream.Name)
		c.mu.streams[b.Stream.Name] = b.Stream
	case b.DroppedView != "":
		delete(c.mu.views, b.DroppedView)
	case b.View != nil:
		c.applyView(b.View)
	case b.PlainView != nil:
		c.mu.plain[b.PlainView.Name] = b.PlainView
	case b.DroppedPlainView != "":
		delete(c.mu.plain, b.DroppedPlainView)
	default:
		c.mu.lastGeneration = max(c.mu.lastGeneration, b.LastGeneration)
	}
	return nil
}

// Snapshot implements journal.State.
func (c *Catalog) Snapshot() ([]journal.Record, error) {
	var out []journal.Record
	var err error
	for _, s := range c.Streams() {
		r, err := encode(s)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if out, err = c.appendDropped(out); err != nil {
		return nil, err
	}
	if out, err = c.appendViews(out); err != nil {
		return nil, err
	}
	return c.appendPlainViews(out)
}
