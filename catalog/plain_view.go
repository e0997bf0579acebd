package catalog

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// PlainView is a name for a query, which is read where the name stands. A published one never changes; a new one replaces it.
type PlainView struct {
	Name string `json:"name"`
	// Query is the text of the SELECT, which is bound wherever the view is read.
	Query string `json:"query"`
}

// PlainView finds a view that is not materialized, by its exact name.
func (c *Catalog) PlainView(name string) (*PlainView, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.mu.plain[name]
	return v, ok
}

// PlainViews lists the views that are not materialized by name.
func (c *Catalog) PlainViews() []*PlainView {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*PlainView, 0, len(c.mu.plain))
	for _, name := range slices.Sorted(maps.Keys(c.mu.plain)) {
		out = append(out, c.mu.plain[name])
	}
	return out
}

// CreatePlainView defines a view, or with replace gives one that is there another query. It fails with CodeAlreadyExists for a name that is taken.
func (c *Catalog) CreatePlainView(v PlainView, replace bool) error {
	if err := ValidateName(v.Name); err != nil {
		return err
	}
	err := c.journal.Update(func() ([]journal.Record, error) {
		if _, ok := c.PlainView(v.Name); ok && !replace {
			return nil, event.Errorf(event.CodeAlreadyExists, "view %q already exists", v.Name).WithHint("write CREATE OR REPLACE VIEW")
		} else if !ok {
			if err := c.untaken(v.Name); err != nil {
				return nil, err
			}
		}
		r, err := encodeBody(body{Version: plainViewVersion, PlainView: &v})
		return []journal.Record{r}, err
	})
	if err != nil {
		return fmt.Errorf("create view %s: %w", v.Name, err)
	}
	return nil
}

// DropPlainView removes a view that is not materialized. Materialized views over it have kept its query.
func (c *Catalog) DropPlainView(name string) error {
	err := c.journal.Update(func() ([]journal.Record, error) {
		if _, ok := c.PlainView(name); !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no view %q", name)
		}
		r, err := encodeBody(body{Version: plainViewVersion, DroppedPlainView: name})
		return []journal.Record{r}, err
	})
	if err != nil {
		return fmt.Errorf("drop view %s: %w", name, err)
	}
	return nil
}

// untaken fails with CodeAlreadyExists for a name that a stream or a view has.
func (c *Catalog) untaken(name string) error {
	if _, ok := c.Stream(name); ok {
		return event.Errorf(event.CodeAlreadyExists, "there is a stream %q", name)
	}
	if _, ok := c.View(name); ok {
		return event.Errorf(event.CodeAlreadyExists, "there is a materialized view %q", name)
	}
	if _, ok := c.PlainView(name); ok {
		return event.Errorf(event.CodeAlreadyExists, "there is a view %q", name)
	}
	return nil
}

// appendPlainViews adds the views that are not materialized to a snapshot.
func (c *Catalog) appendPlainViews(out []journal.Record) ([]journal.Record, error) {
	for _, v := range c.PlainViews() {
		r, err := encodeBody(body{Version: plainViewVersion, PlainView: v})
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
