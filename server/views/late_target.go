package views

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// LATE ... ELSE INTO sends the rows that a view leaves out as too late to a stream. They come with the columns of their own stream and
// with those that say why they are there.

// lateColumns say why a row is among late rows: which view has left it out, where it lies in its own stream, the watermark that it came
// behind, and how many windows it missed. View, stream, partition and offset tell late rows apart.
var lateColumns = []catalog.AddColumn{
	{Name: "late_view", Type: event.Type{Kind: event.Text}},
	{Name: "late_stream", Type: event.Type{Kind: event.Text}},
	{Name: "late_partition", Type: event.Type{Kind: event.BigInt}},
	{Name: "late_offset", Type: event.Type{Kind: event.BigInt}},
	{Name: "late_watermark", Type: event.Type{Kind: event.TimestampTZ}},
	{Name: "late_windows", Type: event.Type{Kind: event.BigInt}},
}

// lateTarget is the stream of late rows as a view wants it.
type lateTarget struct {
	view, into string
	columns    []catalog.AddColumn
	// time is the event time of the first source, empty where its rows go by arrival.
	time string
	// versions are the schema versions of the sources whose columns these are, by stream.
	versions map[string]int
}

// lateTarget checks that a program has late rows, and that a stream can take them. It changes nothing. A late row has all columns that its own
// stream has, also those that came after the view.
func (s *Set) lateTarget(definition *catalog.View, program *continuous.Program) (*lateTarget, []continuous.LateRows, error) {
	schemas, err := s.presentSchemas(program)
	if err != nil {
		return nil, nil, err
	}
	sources, err := program.LateRows(schemas)
	if err != nil {
		return nil, nil, err
	}
	if len(sources) == 0 {
		return nil, nil, event.Errorf(event.CodeBadRequest, "LATE ... ELSE INTO in a view that leaves no row out as late").
			WithHint("windows, OVER by event time and joins bounded in time know late rows")
	}
	if err := s.endless(definition); err != nil {
		return nil, nil, err
	}
	out := &lateTarget{view: definition.Name, into: definition.LateInto, versions: map[string]int{}}
	for i, source := range sources {
		schema := schemas[source.Stream]
		out.versions[source.Stream] = schema.Version
		for _, c := range schema.Columns {
			if err := out.add(source.Stream, c); err != nil {
				return nil, nil, err
			}
			if i == 0 && c.ID == schema.TimeColumn {
				out.time = c.Name
			}
		}
	}
	out.columns = append(out.columns, lateColumns...)
	_, err = s.missing(out)
	return out, sources, err
}

// presentSchemas are the schemas that the streams have which a program reads. They have the columns that it reads, or it has to be made anew.
func (s *Set) presentSchemas(program *continuous.Program) (map[string]*event.Schema, error) {
	out := map[string]*event.Schema{}
	for _, in := range program.Inputs() {
		stream, ok := s.options.Catalog.Stream(in.Name)
		if !ok {
			continue // a view
		}
		for _, id := range in.Fields {
			if _, ok := stream.Schema.ByID(id); !ok {
				return nil, fmt.Errorf("stream %s: %w", in.Name, errInputChanged)
			}
		}
		out[in.Name] = stream.Schema
	}
	return out, nil
}

// widenable reports whether one column can come to hold values of both types.
func widenable(a, b event.Type) bool { return event.CanWiden(a, b) || event.CanWiden(b, a) }

// add takes over a column of a source. Streams whose columns of one name have types of which neither widens to the other cannot go into one.
func (t *lateTarget) add(source string, c event.Column) error {
	if slices.ContainsFunc(lateColumns, func(l catalog.AddColumn) bool { return strings.EqualFold(l.Name, c.Name) }) {
		return event.Errorf(event.CodeConflict, "stream %q has a column %q, which late rows have of their own", source, c.Name)
	}
	for i, known := range t.columns {
		switch {
		case known.Name != c.Name:
			continue
		case event.CanWiden(c.Type, known.Type):
			return nil
		case event.CanWiden(known.Type, c.Type):
			t.columns[i].Type, t.columns[i].Inferred = c.Type, c.Inferred
			return nil
		}
		return event.Errorf(event.CodeConflict, "late rows of %q have a column %q of %s, and others one of %s", source, c.Name, c.Type, known.Type)
	}
	t.columns = append(t.columns, catalog.AddColumn{Name: c.Name, Type: c.Type, Inferred: c.Inferred})
	return nil
}

// endless refuses a stream of late rows that leads back to the view: what is late once is late again.
func (s *Set) endless(definition *catalog.View) error {
	reached := map[string]bool{definition.LateInto: true}
	for grown := true; grown; {
		grown = false
		for _, v := range s.options.Catalog.Views() {
			if reached[v.Name] || !slices.ContainsFunc(v.Inputs, func(in string) bool { return reached[in] }) {
				continue
			}
			grown, reached[v.Name] = true, true
			if v.LateInto != "" {
				reached[v.LateInto] = true
			}
		}
	}
	for _, in := range definition.Inputs {
		if reached[in] {
			return event.Errorf(event.CodeBadRequest, "late rows that go into %q come back to the view by %q", definition.LateInto, in).
				WithHint("name a stream that the view does not read")
		}
	}
	return nil
}

// missing are the columns that the stream lacks; all of them where there is no stream yet. It fails where the stream cannot take the rows.
func (s *Set) missing(t *lateTarget) ([]catalog.AddColumn, error) {
	if _, ok := s.options.Catalog.View(t.into); ok {
		return nil, event.Errorf(event.CodeBadRequest, "late rows go into a stream, and %q is a view", t.into)
	}
	stream, ok := s.options.Catalog.Stream(t.into)
	if !ok {
		return t.columns, nil
	}
	refuse := func(format string, args ...any) *event.Error {
		return event.Errorf(event.CodeConflict, "stream %q cannot take late rows: "+format, append([]any{t.into}, args...)...)
	}
	var out []catalog.AddColumn
	for _, want := range t.columns {
		i := slices.IndexFunc(stream.Schema.Columns, func(c event.Column) bool { return c.Name == want.Name })
		switch {
		case i < 0:
			out = append(out, want)
		case stream.SchemaMode == catalog.Evolve && widenable(stream.Schema.Columns[i].Type, want.Type):
			// the column holds their values, or becomes what does
		case !stream.Schema.Columns[i].Type.Equal(want.Type):
			return nil, refuse("its column %q is %s, theirs is %s", want.Name, stream.Schema.Columns[i].Type, want.Type)
		}
	}
	for _, c := range stream.Schema.Columns {
		if c.NotNull && !slices.ContainsFunc(t.columns, func(want catalog.AddColumn) bool { return want.Name == c.Name }) {
			return nil, refuse("its column %q is NOT NULL, and they have none", c.Name)
		}
	}
	if len(out) > 0 && stream.SchemaMode != catalog.Evolve {
		return nil, refuse("it has no column %q", out[0].Name).
			WithHint("%s; or name a stream that is not there yet, which is then made", alterFor(t.into, out))
	}
	return out, nil
}

// alterFor writes the statement that adds columns.
func alterFor(stream string, columns []catalog.AddColumn) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "ADD COLUMN " + c.Name + " " + c.Type.String()
	}
	return "ALTER STREAM " + stream + " " + strings.Join(parts, ", ")
}

// prepare makes the stream, or adds the columns that it lacks.
func (s *Set) prepare(t *lateTarget) error {
	missing, err := s.missing(t)
	if err != nil || len(missing) == 0 {
		return err
	}
	if _, ok := s.options.Catalog.Stream(t.into); ok {
		return s.options.Ingest.Alter(t.into, catalog.Change{Add: missing})
	}
	schema := &event.Schema{Version: 1, NextID: 1}
	for _, c := range missing {
		if c.Name == t.time {
			schema.TimeColumn = schema.NextID
		}
		schema.Columns = append(schema.Columns, event.Column{
			ID: schema.NextID, Name: c.Name, Type: c.Type, Inferred: c.Inferred, Since: 1,
		})
		schema.NextID++
	}
	_, err = s.options.Ingest.Create(catalog.Stream{
		Name: t.into, Schema: schema, Partitions: catalog.DefaultPartitions, Bound: catalog.DefaultBound,
		IdleTimeout: catalog.DefaultIdleTimeout, FutureLimit: catalog.DefaultFutureLimit, LogRetention: catalog.DefaultLogRetention,
		SchemaMode: catalog.Evolve,
	})
	var fault *event.Error
	if errors.As(err, &fault) && fault.Code == event.CodeAlreadyExists { // another view has just made it
		return s.prepare(t)
	}
	return err
}
