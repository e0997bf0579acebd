package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// View is the definition of one materialized view. A published View never changes; a new one replaces it.
type View struct {
	Name string `json:"name"`
	// SQL is the CREATE statement, from which the view is planned again at every start.
	SQL string `json:"sql"`
	// Generation tells this content from every other that a view ever had: it is given once in the life of a catalog.
	Generation uint64 `json:"generation"`
	// Ready tells that the content has caught up once. Before, the view cannot be read, and a start builds it from the beginning.
	Ready bool `json:"ready,omitempty"`
	// Schema is what is stored of a row: the visible columns, then those that only complete the key.
	Schema *event.Schema `json:"schema"`
	// Visible is the number of visible columns.
	Visible int `json:"visible"`
	// Key are the columns that tell rows apart; without any, rows may repeat.
	Key []event.FieldID `json:"key,omitempty"`
	// AppendOnly tells that rows never go.
	AppendOnly bool `json:"append_only,omitempty"`
	// Watermark is the column, not visible, with the watermark before the event that a row is; 0 where rows are no events.
	Watermark event.FieldID `json:"watermark,omitempty"`
	// Hidden tells that a subscription made the view for itself.
	Hidden bool `json:"hidden,omitempty"`
	// Inputs are the streams and views that the view reads.
	Inputs []string `json:"inputs"`
	// Versions is the schema version that each stream it reads had when it was made. A column that came later does not exist for its query,
	// which else would mean something different at the next start: of SELECT *, of a name that is then ambiguous. nil of a view made by a program
	// that did not note it.
	Versions map[string]int `json:"versions,omitempty"`
	// PlainViews are the queries of the views, not materialized, that the view's query names, as they were when it was made.
	PlainViews map[string]string `json:"plain_views,omitempty"`
	// Skipped are events that the view leaves out, because its query fails over them.
	Skipped []SkippedEvent `json:"skipped,omitempty"`
	// Begun is how far the streams of a view of StartNow were when it was made, by name. One that is built anew begins there too.
	Begun map[string]event.Vector `json:"begun,omitempty"`
	// Since is what its streams had let go of when the view was made or built anew, by name: the offset after the newest expired row of each
	// partition. A stream that is not in it had all of its rows.
	Since map[string]event.Vector `json:"since,omitempty"`
	ViewOptions
}

// ViewOptions are what a CREATE statement says of a view besides its query.
type ViewOptions struct {
	// OnClose tells that rows show once their window is closed.
	OnClose bool `json:"on_close,omitempty"`
	// Interval is the least time between two changes.
	Interval time.Duration `json:"interval,omitempty"`
	// Horizon is how long after its end a window takes late rows.
	Horizon time.Duration `json:"horizon,omitempty"`
	// LateInto is the stream that rows go to which come too late; empty where they are only counted.
	LateInto string `json:"late_into,omitempty"`
	// Memory bounds the state in bytes; 0 means that the state is bounded by windows.
	Memory int64 `json:"memory,omitempty"`
	// Start says where the view begins.
	Start Start `json:"start"`
	// StartTime is the event time from which rows count, in microseconds since 1970, where Start says so.
	StartTime int64 `json:"start_time,omitempty"`
}

// SkippedEvent is where an event lies that a view leaves out.
type SkippedEvent struct {
	Stream    string          `json:"stream"`
	Partition event.Partition `json:"partition"`
	Offset    event.Offset    `json:"offset"`
}

// String says it in words.
func (e SkippedEvent) String() string {
	return fmt.Sprintf("partition %d, offset %d of %s", e.Partition, e.Offset, e.Stream)
}

// Start says which rows of its inputs a view begins with.
type Start string

// The starts.
const (
	StartBeginning Start = "beginning" // all there are
	StartNow       Start = "now"       // those that come after the view was made
	StartTime      Start = "time"      // those from an event time on
)

// Storage is the name under which the final rows of this generation are kept as a stream of segments is. No stream can have it.
func (v *View) Storage() string { return fmt.Sprintf("%s.%d", v.Name, v.Generation) }

// Stored is the definition under which package segments keeps the final rows.
func (v *View) Stored() *Stream { return &Stream{Name: v.Storage(), Schema: v.Schema, Partitions: 1} }

// viewEntry is a view and, while another takes its place, that one.
type viewEntry struct{ present, next *View }

// View finds the present definition of a view.
func (c *Catalog) View(name string) (*View, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.mu.views[name]
	return e.present, ok
}

// NextView finds the definition that is being built to take the place of a view.
func (c *Catalog) NextView(name string) (*View, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	next := c.mu.views[name].next
	return next, next != nil
}

// Views lists the present definitions by name.
func (c *Catalog) Views() []*View {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*View, 0, len(c.mu.views))
	for _, name := range slices.Sorted(maps.Keys(c.mu.views)) {
		out = append(out, c.mu.views[name].present)
	}
	return out
}

// CreateView defines a view and gives it its generation. A view of that name is replaced, if that is asked for: it stays the
// present one until the new one is ready. It fails with CodeAlreadyExists for a name that is taken.
func (c *Catalog) CreateView(definition View, replace bool) (*View, error) {
	if err := ValidateName(definition.Name); err != nil {
		return nil, err
	}
	made := &definition
	made.Ready = false
	err := c.updateView(func() (*View, error) {
		_, isView := c.View(made.Name)
		if !isView {
			if err := c.untaken(made.Name); err != nil {
				return nil, err
			}
		}
		if isView && !replace {
			return nil, event.Errorf(event.CodeAlreadyExists, "view %q already exists", made.Name).WithHint("write CREATE OR REPLACE")
		}
		for _, input := range made.Inputs {
			if err := c.readable(input, made.Name); err != nil {
				return nil, err
			}
		}
		c.mu.RLock()
		defer c.mu.RUnlock()
		made.Generation = c.mu.lastGeneration + 1
		return made, nil
	})
	if err != nil {
		return nil, fmt.Errorf("create view %s: %w", made.Name, err)
	}
	return made, nil
}

// readable makes sure that an input is there still, and does not read, through others, the view that is to read it.
func (c *Catalog) readable(input, reader string) error {
	if input == reader {
		return event.Errorf(event.CodeBadRequest, "view %q would read itself", reader)
	}
	if _, ok := c.Stream(input); ok {
		return nil
	}
	v, ok := c.View(input)
	if !ok {
		return event.Errorf(event.CodeNotFound, "there is no stream or view %q", input)
	}
	for _, below := range v.Inputs {
		if err := c.readable(below, reader); err != nil {
			return err
		}
	}
	return nil
}

// ViewReady notes that a view can be read. Where it was made to replace one, it is the present one from then on.
func (c *Catalog) ViewReady(definition *View) (*View, error) {
	ready := *definition
	ready.Ready = true
	err := c.updateView(func() (*View, error) {
		present, isPresent := c.View(ready.Name)
		next, isNext := c.NextView(ready.Name)
		known := (isPresent && present.Generation == ready.Generation) || (isNext && next.Generation == ready.Generation)
		if !known {
			return nil, event.Errorf(event.CodeNotFound, "view %q was dropped or replaced meanwhile", ready.Name)
		}
		if ready.Memory = present.Memory; isNext && next.Generation == ready.Generation {
			ready.Memory = next.Memory // ALTER may have changed it meanwhile
		}
		return &ready, nil
	})
	if err != nil {
		return nil, fmt.Errorf("publish view %s: %w", ready.Name, err)
	}
	return &ready, nil
}

// SkipEvent makes a view leave out an event from now on. It fails with CodeNotFound where the view is another one by now.
func (c *Catalog) SkipEvent(definition *View, e SkippedEvent) (*View, error) {
	var skipping View
	err := c.updateView(func() (*View, error) {
		present, ok := c.View(definition.Name)
		if !ok || present.Generation != definition.Generation {
			return nil, event.Errorf(event.CodeNotFound, "view %q was dropped or replaced meanwhile", definition.Name)
		}
		skipping = *present
		skipping.Skipped = append(slices.Clone(present.Skipped), e)
		return &skipping, nil
	})
	if err != nil {
		return nil, fmt.Errorf("skip an event in view %s: %w", definition.Name, err)
	}
	return &skipping, nil
}

// SetViewMemory changes what a view may hold in memory, and what is to take its place. next is nil where nothing is.
func (c *Catalog) SetViewMemory(name string, bytes int64) (present, next *View, err error) {
	err = c.journal.Update(func() ([]journal.Record, error) {
		found, ok := c.View(name)
		if !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no view %q", name)
		}
		altered := *found
		altered.Memory, present = bytes, &altered
		bodies := []body{ofView(present)}
		if beside, ok := c.NextView(name); ok {
			altered := *beside
			altered.Memory, next = bytes, &altered
			bodies = append(bodies, ofView(next))
		}
		var out []journal.Record
		for _, b := range bodies {
			r, err := encodeBody(b)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		return out, nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("alter view %s: %w", name, err)
	}
	return present, next, nil
}

// DropView removes a view and what was to take its place, together with the records of other states that belong to them. It is
// refused while views read it.
func (c *Catalog) DropView(name string, others ...journal.Record) error {
	err := c.journal.Update(func() ([]journal.Record, error) {
		if _, ok := c.View(name); !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no view %q", name)
		}
		if err := c.Unread(name); err != nil {
			return nil, err
		}
		r, err := encodeBody(body{Version: viewVersion, DroppedView: name})
		return append([]journal.Record{r}, others...), err
	})
	if err != nil {
		return fmt.Errorf("drop view %s: %w", name, err)
	}
	return nil
}

// Readers lists the views that read a stream or view.
func (c *Catalog) Readers(name string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []string
	for _, reader := range slices.Sorted(maps.Keys(c.mu.views)) {
		e := c.mu.views[reader]
		if slices.Contains(e.present.Inputs, name) || (e.next != nil && slices.Contains(e.next.Inputs, name)) {
			out = append(out, reader)
		}
	}
	return out
}

// Unread fails with CodeConflict for a stream or view that views read, or that they send their late rows to: it cannot be dropped.
func (c *Catalog) Unread(name string) error {
	if readers := c.Readers(name); len(readers) > 0 {
		return errInUse(name, "read by", readers)
	}
	if writers := c.lateWriters(name); len(writers) > 0 {
		return errInUse(name, "where late rows go of", writers)
	}
	return nil
}

func errInUse(name, how string, users []string) error {
	return event.Errorf(event.CodeConflict, "%q is %s the materialized %s %s", name, how, plural("view", len(users)),
		strings.Join(users, ", ")).WithHint("drop %s first", strings.Join(users, ", "))
}

// lateWriters lists the views that send their late rows to a stream.
func (c *Catalog) lateWriters(name string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []string
	for _, writer := range slices.Sorted(maps.Keys(c.mu.views)) {
		e := c.mu.views[writer]
		if e.present.LateInto == name || (e.next != nil && e.next.LateInto == name) {
			out = append(out, writer)
		}
	}
	return out
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func (c *Catalog) updateView(decide func() (*View, error)) error {
	return c.journal.Update(func() ([]journal.Record, error) {
		v, err := decide()
		if err != nil {
			return nil, err
		}
		r, err := encodeBody(ofView(v))
		return []journal.Record{r}, err
	})
}

// applyView folds a definition in. The caller holds the lock.
func (c *Catalog) applyView(v *View) {
	c.mu.lastGeneration = max(c.mu.lastGeneration, v.Generation)
	e := c.mu.views[v.Name]
	switch {
	case e.present != nil && e.present.Generation == v.Generation:
		e.present = v
	case e.present != nil && e.present.Ready && !v.Ready:
		e.next = v
	default:
		e = viewEntry{present: v}
	}
	c.mu.views[v.Name] = e
}

// appendViews adds the views to a snapshot.
func (c *Catalog) appendViews(out []journal.Record) ([]journal.Record, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var bodies []body
	if c.mu.lastGeneration > 0 {
		bodies = append(bodies, body{Version: viewVersion, LastGeneration: c.mu.lastGeneration})
	}
	for _, name := range slices.Sorted(maps.Keys(c.mu.views)) {
		e := c.mu.views[name]
		bodies = append(bodies, ofView(e.present))
		if e.next != nil {
			bodies = append(bodies, ofView(e.next))
		}
	}
	for _, b := range bodies {
		r, err := encodeBody(b)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Stored finds the definition under which package segments keeps rows: that of a stream, or of the final rows of a view.
func (c *Catalog) Stored(name string) (*Stream, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if s, ok := c.mu.streams[name]; ok {
		return s, true
	}
	viewName, _, _ := strings.Cut(name, ".")
	e := c.mu.views[viewName]
	for _, v := range []*View{e.present, e.next} {
		if v != nil && v.Storage() == name {
			return v.Stored(), true
		}
	}
	return nil, false
}
