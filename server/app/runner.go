package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/system"
	"github.com/tidemarkdb/tidemark/sql/ast"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// maxBindings bounds how often a statement is bound again because the schema changed under it.
const maxBindings = 10

// names is bind.Catalog: the streams and the server's own tables.
type names struct {
	*catalog.Catalog
	tables *system.Tables
}

// SystemTable finds a table of the server's own.
func (n names) SystemTable(name string) (*event.Schema, bool) { return n.tables.Table(name) }

// SystemTables lists these tables.
func (n names) SystemTables() []string { return n.tables.Tables() }

// runner is api.Runner: it takes text through parser, binder, optimizer and engine.
type runner struct{ app *App }

// Run parses all of the text before it runs any of it, so that a syntax error changes nothing. Statements run in order; the first that
// fails is the last that ran.
func (r *runner) Run(ctx context.Context, request api.Request) (api.Rows, error) {
	ctx, query := r.app.activity.Begin(ctx, request.ID, request.SQL)
	var failure error = event.Errorf(event.CodeInternal, "an unexpected fault") // unless what follows returns
	defer func() {
		if failure != nil {
			query.End(failure)
		}
	}()
	rows, err := r.runAll(ctx, request)
	if failure = killed(ctx, err); failure != nil {
		return nil, failure
	}
	query.Watch(rows.Stats)
	return &watchedRows{Rows: rows, ctx: ctx, query: query}, nil
}

func (r *runner) runAll(ctx context.Context, request api.Request) (api.Rows, error) {
	statements, err := parser.Parse(request.SQL)
	if err != nil {
		return nil, err
	}
	if len(statements) == 0 {
		return nil, event.Errorf(event.CodeSyntax, "there is no statement").WithHint("as in SELECT 1")
	}
	for _, statement := range statements[:len(statements)-1] {
		if err := r.runAside(ctx, statement, request); err != nil {
			return nil, err
		}
	}
	return r.runLast(ctx, statements[len(statements)-1], request)
}

// runAside runs a statement whose rows nobody asked for, to its end.
func (r *runner) runAside(ctx context.Context, statement ast.Statement, request api.Request) error {
	rows, err := r.runLast(ctx, statement, request)
	if err != nil {
		return err
	}
	for err == nil {
		_, err = rows.Next()
	}
	return errors.Join(endOfRows(err), rows.Close())
}

// runLast runs one statement, binding it again when a schema changes between binding and reading.
func (r *runner) runLast(ctx context.Context, statement ast.Statement, request api.Request) (api.Rows, error) {
	for range maxBindings {
		bound, err := bind.Bind(statement, names{r.app.catalog, r.app.tables}, request.Params)
		if err != nil {
			return nil, err
		}
		if err := r.await(ctx, bound, request.Wait); err != nil {
			return nil, err
		}
		skipped, err := r.checkWhole(bound, request.AllowCorrupt)
		if err != nil {
			return nil, err
		}
		rows, err := r.execute(ctx, bound, request.ReadOnly)
		if err == nil && skipped > 0 {
			return skippingRows{rows, skipped}, nil
		}
		if !errors.Is(err, segments.ErrSchemaChanged) {
			return rows, err
		}
		if query, ok := bound.(bind.Query); ok {
			if err := r.app.views.Settle(ctx, plan.Streams(query.Plan)); err != nil {
				return nil, err
			}
		}
	}
	return nil, event.Errorf(event.CodeTooBusy, "the stream's schema keeps changing").WithHint("send the query again in a moment")
}

// await waits, where that is asked for, until the views that a query reads have taken everything that was acknowledged before.
func (r *runner) await(ctx context.Context, bound bind.Bound, wait bool) error {
	if query, ok := bound.(bind.Query); ok && wait {
		return r.app.views.Await(ctx, plan.Streams(query.Plan))
	}
	return nil
}

func (r *runner) execute(ctx context.Context, bound bind.Bound, readOnly bool) (api.Rows, error) {
	switch b := bound.(type) {
	case bind.Query:
		return r.query(ctx, b)
	case bind.Explain:
		return r.explain(ctx, b)
	case bind.ShowStreams:
		return r.showStreams(), nil
	case bind.Describe:
		return describe(b.Stream), nil
	case bind.DescribeQuery:
		return describeQuery(b.Columns), nil
	case bind.DescribeTable:
		return r.describeTable(b.Name)
	}
	if rows, ok, err := r.readView(bound); ok {
		return rows, err
	}
	if readOnly {
		return nil, event.Errorf(event.CodeReadOnly, "a GET request runs statements that only read").WithHint("use POST /v1/sql")
	}
	switch b := bound.(type) {
	case bind.Insert:
		return r.query(ctx, bind.Query(b))
	case bind.CreateStream:
		return r.createStream(b)
	case bind.AlterStream:
		return r.alterStream(b)
	case bind.DropStream:
		return r.dropStream(b)
	case bind.CreatePlainView:
		return r.createPlainView(b)
	case bind.DropPlainView:
		return r.dropPlainView(b)
	case bind.KillQuery:
		return r.killQuery(b)
	default:
		if rows, ok, err := r.changeView(ctx, bound); ok {
			return rows, err
		}
		return nil, fmt.Errorf("run %T: not a known statement", bound)
	}
}

func (r *runner) query(ctx context.Context, q bind.Query) (api.Rows, error) {
	optimized, err := r.app.optimized(q)
	if err != nil {
		return nil, err
	}
	result, err := r.app.engine.Run(ctx, optimized)
	if err != nil {
		return nil, err // a nil *exec.Result must not become a Rows that is not nil
	}
	return result, nil
}

// optimized is the plan that is run: its rules know the sizes of streams.
func (a *App) optimized(q bind.Query) (plan.Node, error) {
	sized, err := optimize.WithSizes(q.Plan, a.rowsOf)
	if err != nil {
		return nil, err
	}
	node, err := a.rewrite(sized)
	if err != nil || q.Late == nil {
		return node, err
	}
	punctual, some := a.views.Punctual(node)
	switch {
	case some && q.Late.Recompute:
		return nil, bind.ErrLateJoin(q.Late.Pos)
	case !some && q.Late.Needed:
		return nil, bind.ErrNothingLate(q.Late.Pos)
	default:
		return punctual, nil
	}
}

// rowsOf is about how many rows a stream has: rows that are sealed while it looks may be counted twice.
func (a *App) rowsOf(stream string) int64 {
	rows := int64(0)
	for _, segment := range a.manifest.View(stream).Segments {
		rows += segment.Rows
	}
	if _, ok := a.catalog.Stream(stream); ok {
		rows += a.ingest.Unsealed(stream)
	}
	return rows
}

func (r *runner) createStream(b bind.CreateStream) (api.Rows, error) {
	_, err := r.app.ingest.Create(b.Definition)
	var fault *event.Error
	if b.IfNotExists && errors.As(err, &fault) && fault.Code == event.CodeAlreadyExists {
		return message("stream " + b.Definition.Name + " exists already"), nil
	}
	if err != nil {
		return nil, err
	}
	return message("stream " + b.Definition.Name + " created"), nil
}

// showStreams lists the streams with their size.
func (r *runner) showStreams() api.Rows {
	var names, timeColumns []string
	var columns, partitions, rows []int64
	for _, state := range r.app.streams() {
		d := state.Definition
		names, timeColumns = append(names, d.Name), append(timeColumns, timeColumn(d))
		columns, partitions = append(columns, int64(len(d.Schema.Columns))), append(partitions, int64(d.Partitions))
		rows = append(rows, state.Rows)
	}
	return newRows(texts("name", names), bigints("columns", columns), bigints("partitions", partitions),
		bigints("rows", rows), optionalTexts("time_column", timeColumns))
}

// describe lists a stream's columns, hidden ones last.
func describeQuery(columns []plan.Column) api.Rows {
	var names, types []string
	for _, c := range columns {
		names, types = append(names, c.Name), append(types, c.Type.String())
	}
	return newRows(texts("column", names), texts("type", types))
}

func describe(stream *catalog.Stream) api.Rows {
	var names, types, extras []string
	var nullable []bool
	for _, c := range stream.Schema.All() {
		names, types, nullable = append(names, c.Name), append(types, c.Shown().String()), append(nullable, !c.NotNull)
		extras = append(extras, note(stream, c))
	}
	return newRows(texts("column", names), texts("type", types), booleans("nullable", nullable), texts("extra", extras))
}

// describeTable lists the columns of a table of the server's own.
func (r *runner) describeTable(name string) (api.Rows, error) {
	table, ok := r.app.tables.Describe(name)
	if !ok {
		return nil, event.Errorf(event.CodeNotFound, "there is no table %q", name)
	}
	var names, types, extras []string
	var nullable []bool
	for _, c := range table.Columns {
		names, types, nullable, extras = append(names, c.Name), append(types, c.Type.String()), append(nullable, true), append(extras, c.Help)
	}
	return newRows(texts("column", names), texts("type", types), booleans("nullable", nullable), texts("extra", extras)), nil
}

// note says what is special about a column.
func note(stream *catalog.Stream, c event.Column) string {
	switch {
	case c.ID == stream.Schema.TimeColumn:
		return "event time"
	case c.ID == stream.Schema.Overflow:
		return "further fields"
	case slices.Contains(stream.PartitionBy, c.Name):
		return "partition key"
	case slices.Contains(stream.DedupKey, c.Name):
		return "dedup key"
	case slices.ContainsFunc(event.Hidden, func(h event.Column) bool { return h.ID == c.ID }):
		return "hidden"
	default:
		return ""
	}
}

func message(line string) api.Rows { return newRows(texts("status", []string{line})) }

var _ api.Rows = (*exec.Result)(nil)
