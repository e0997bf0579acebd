package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

// Change is what ALTER STREAM changes of a definition. A nil pointer leaves an option as it is.
type Change struct {
	Add          []AddColumn
	Retention    *time.Duration
	LogRetention *time.Duration
	// LogRetentionBytes is 0 to lift the limit.
	LogRetentionBytes *int64
	SchemaMode        *SchemaMode
	// SortBy holds for segments written from then on; those written before keep their order until they are merged with others.
	SortBy *[]string
}

// AddColumn is one new column. With IfNotExists a column of the same name and type may be there already.
type AddColumn struct {
	Name        string
	Type        event.Type
	IfNotExists bool
	// Inferred is as in event.Column.
	Inferred bool
}

// Alter changes a stream's definition, all of the change or nothing of it, whatever its present one is by now: a change has no need to look
// first. It fails with CodeNotFound for a stream that is not there, with CodeAlreadyExists for a column that is, and with CodeBadRequest
// for a definition that would have faults.
func (c *Catalog) Alter(name string, change Change) error {
	err := c.update(func() (*Stream, error) {
		present, ok := c.Stream(name)
		if !ok {
			return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
		}
		next, err := change.apply(present)
		if err != nil {
			return nil, err
		}
		return next, next.Validate()
	})
	if err != nil {
		return fmt.Errorf("alter stream %s: %w", name, err)
	}
	return nil
}

// apply is the definition with the change made.
func (ch Change) apply(present *Stream) (*Stream, error) {
	next := *present
	if err := ch.addColumns(&next); err != nil {
		return nil, err
	}
	if ch.Retention != nil {
		next.Retention = *ch.Retention
	}
	if ch.LogRetention != nil {
		next.LogRetention = *ch.LogRetention
	}
	if ch.LogRetentionBytes != nil {
		next.LogRetentionBytes = *ch.LogRetentionBytes
	}
	if ch.SchemaMode != nil {
		next.SchemaMode = *ch.SchemaMode
	}
	if ch.SortBy != nil {
		next.SortBy = *ch.SortBy
	}
	return &next, nil
}

// addColumns gives the definition its next schema, if a column is new to it. Rows that are there already have NULL in a new column, so
// none can be NOT NULL.
func (ch Change) addColumns(next *Stream) error {
	schema := *next.Schema
	schema.Version++
	schema.Columns = slices.Clone(schema.Columns)
	for _, add := range ch.Add {
		i := slices.IndexFunc(schema.Columns, func(c event.Column) bool { return c.Name == add.Name })
		if i >= 0 {
			if add.IfNotExists && schema.Columns[i].Shown().Equal(add.Type) {
				continue
			}
			return event.Errorf(event.CodeAlreadyExists, "stream %q has a column %q already, of type %s", next.Name, add.Name, schema.Columns[i].Shown())
		}
		column := event.Column{ID: schema.NextID, Name: add.Name, Inferred: add.Inferred, Since: schema.Version}
		column.Declare(add.Type)
		schema.Columns = append(schema.Columns, column)
		schema.NextID++
	}
	if schema.NextID == next.Schema.NextID {
		return nil
	}
	if strings.HasSuffix(next.Name, RejectedSuffix) {
		return event.Errorf(event.CodeBadRequest, "the columns of %q are given: it keeps rejected rows", next.Name)
	}
	next.Schema = &schema
	return nil
}
