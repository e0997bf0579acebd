package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/views"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// createWait is how long CREATE waits for a view to be ready before it says that it is still being built.
const createWait = 5 * time.Second

// readView runs the statements about views that change nothing; ok is false for all others.
func (r *runner) readView(bound bind.Bound) (rows api.Rows, ok bool, err error) {
	switch b := bound.(type) {
	case bind.DescribeView:
		return describeView(b), true, nil
	case bind.Show:
		return r.show(b.What), true, nil
	case bind.Subscribe:
		return nil, true, event.Errorf(event.CodeBadRequest, "SUBSCRIBE has no result that ends").
			WithHint("send it to /v1/subscribe, or run tidemark tail -q; a SELECT without EMIT ends")
	case bind.ExplainWatermark:
		rows, err = r.explainWatermark(b.View.Name)
		return rows, true, err
	case bind.ExplainView:
		if b.View.ByArrival != nil {
			return nil, true, b.View.ByArrival
		}
		tree, err := r.app.views.Explain(b.View)
		if err != nil {
			return nil, true, err
		}
		return newRows(texts("plan", strings.Split(strings.TrimRight(tree, "\n"), "\n"))), true, nil
	default:
		return nil, false, nil
	}
}

// changeView runs the statements that change views; ok is false for all others.
func (r *runner) changeView(ctx context.Context, bound bind.Bound) (rows api.Rows, ok bool, err error) {
	switch b := bound.(type) {
	case bind.CreateView:
		rows, err = r.createView(ctx, b)
	case bind.DropView:
		rows, err = r.dropView(b)
	case bind.ResumeView:
		rows, err = r.resumeView(b)
	case bind.AlterView:
		if err = r.app.views.SetMemory(b.View.Name, b.Memory); err == nil {
			rows = message("materialized view " + b.View.Name + " altered")
		}
	default:
		return nil, false, nil
	}
	return rows, true, err
}

// createView waits a moment, so that a view over little can be read by the next statement.
func (r *runner) createView(ctx context.Context, b bind.CreateView) (api.Rows, error) {
	if b.ByArrival != nil {
		return nil, b.ByArrival
	}
	view, err := r.app.views.Create(b)
	var fault *event.Error
	if b.IfNotExists && errors.As(err, &fault) && fault.Code == event.CodeAlreadyExists {
		return message("materialized view " + b.Name + " exists already"), nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, createWait)
	defer cancel()
	err = view.Ready(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return message("materialized view " + b.Name + " is being built"), nil
	case err != nil:
		return nil, err
	}
	return message("materialized view " + b.Name + " created"), nil
}

func (r *runner) dropView(b bind.DropView) (api.Rows, error) {
	r.app.views.DropUnused(b.Name)
	err := r.app.views.Drop(b.Name)
	var fault *event.Error
	if b.IfExists && errors.As(err, &fault) && fault.Code == event.CodeNotFound {
		return message("there is no materialized view " + b.Name), nil
	}
	if err != nil {
		return nil, err
	}
	return message("materialized view " + b.Name + " dropped"), nil
}

func (r *runner) resumeView(b bind.ResumeView) (api.Rows, error) {
	view, ok := r.app.views.View(b.View.Name)
	if !ok {
		return nil, event.Errorf(event.CodeNotFound, "there is no materialized view %q", b.View.Name)
	}
	if b.Skip {
		skipped, err := view.Skip()
		if err != nil {
			return nil, err
		}
		return message("materialized view " + b.View.Name + " goes on without " + skipped.String()), nil
	}
	view.Resume()
	return message("materialized view " + b.View.Name + " goes on"), nil
}

// show lists something of every view.
func (r *runner) show(what string) api.Rows {
	var list []views.Status
	for _, v := range r.app.views.List() {
		list = append(list, v.Status())
	}
	switch what {
	case "WATERMARKS":
		return showWatermarks(list)
	case "LATE":
		names, late := statusColumn(list, func(s views.Status) string { return s.Name }), numbers(list, func(s views.Status) int64 { return s.Late })
		return newRows(texts("view", names), bigints("late_rows", late))
	case "STATE":
		names := statusColumn(list, func(s views.Status) string { return s.Name })
		return newRows(texts("view", names), bigints("rows", numbers(list, func(s views.Status) int64 { return s.Rows })),
			bigints("state_bytes", numbers(list, func(s views.Status) int64 { return s.StateBytes })),
			bigints("memory_bytes", numbers(list, func(s views.Status) int64 { return s.Memory })),
			bigints("memory_limit", numbers(list, func(s views.Status) int64 { return s.Limit })),
			bigints("disk_bytes", numbers(list, func(s views.Status) int64 { return s.Disk })))
	default:
		return showViews(list, r.app.catalog.PlainViews())
	}
}

func statusColumn(list []views.Status, of func(views.Status) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = of(s)
	}
	return out
}

func numbers(list []views.Status, of func(views.Status) int64) []int64 {
	out := make([]int64, len(list))
	for i, s := range list {
		out[i] = of(s)
	}
	return out
}

// showViews lists the materialized views and then the others, of which there is a name and a query.
func showViews(list []views.Status, plain []*catalog.PlainView) api.Rows {
	count := func(of func(views.Status) int64) []int64 {
		return append(numbers(list, of), make([]int64, len(plain))...)
	}
	text := func(of func(views.Status) string, ofPlain func(*catalog.PlainView) string) []string {
		out := statusColumn(list, of)
		for _, v := range plain {
			out = append(out, ofPlain(v))
		}
		return out
	}
	none := func(*catalog.PlainView) string { return "" }
	return newRows(
		texts("name", text(func(s views.Status) string { return s.Name }, func(v *catalog.PlainView) string { return v.Name })),
		texts("state", text(func(s views.Status) string { return string(s.State) }, func(*catalog.PlainView) string { return plainState })),
		bigintsThen("rows", count(func(s views.Status) int64 { return s.Rows }), len(list)),
		bigintsThen("lag_rows", count(func(s views.Status) int64 { return s.Lag }), len(list)),
		optionalTexts("complete_until", text(func(s views.Status) string { return timeText(s.Closed) }, none)),
		bigintsThen("late_rows", count(func(s views.Status) int64 { return s.Late }), len(list)),
		bigintsThen("state_bytes", count(func(s views.Status) int64 { return s.StateBytes }), len(list)),
		optionalTexts("detail", text(func(s views.Status) string { return s.Detail }, func(v *catalog.PlainView) string { return v.Query })),
	)
}

// timeText renders a watermark; one before or after all times is empty.
func timeText(micros int64) string {
	if !isTime(micros) {
		return ""
	}
	return string(event.AppendTimestamp(nil, micros))
}

func isTime(micros int64) bool {
	return micros > continuous.NoWatermark+1 && micros < 1<<62
}

// showWatermarks lists the partitions of every view's inputs.
func showWatermarks(list []views.Status) api.Rows {
	var names, inputs, marks []string
	var partitions, offsets []int64
	for _, s := range list {
		for _, m := range s.Marks {
			for p, next := range m.Vector {
				names, inputs = append(names, s.Name), append(inputs, m.Name)
				partitions, offsets = append(partitions, int64(p)), append(offsets, int64(next))
				mark := ""
				if p < len(m.Watermarks) {
					mark = timeText(m.Watermarks[p])
				}
				marks = append(marks, mark)
			}
		}
	}
	return newRows(texts("view", names), texts("input", inputs), bigints("partition", partitions), bigints("next_offset", offsets),
		optionalTexts("watermark", marks))
}

// explainWatermark names what holds the windows of a view open.
func (r *runner) explainWatermark(name string) (api.Rows, error) {
	view, ok := r.app.views.View(name)
	if !ok {
		return nil, event.Errorf(event.CodeNotFound, "there is no materialized view %q", name)
	}
	s := view.Status()
	var lines []string
	if isTime(s.Closed) {
		lines = append(lines, name+" is complete up to "+timeText(s.Closed))
	} else {
		lines = append(lines, name+" is not complete up to any time yet")
	}
	return newRows(texts("explanation", append(lines, s.HeldBy()...))), nil
}

// describeView lists a view's columns.
func describeView(b bind.DescribeView) api.Rows {
	var names, types, extras []string
	var nullable []bool
	for _, c := range b.View.Schema.Columns[:b.View.Visible] {
		extra := ""
		if c.ID == b.View.Schema.TimeColumn {
			extra = "event time"
		}
		names, types, nullable, extras = append(names, c.Name), append(types, c.Shown().String()), append(nullable, true), append(extras, extra)
	}
	return newRows(texts("column", names), texts("type", types), booleans("nullable", nullable), texts("extra", extras))
}

func (a *App) openViews(fs vfs.FS) (err error) {
	a.views, err = views.Open(views.Options{
		FS: fs, Catalog: a.catalog, Journal: a.journal, Ingest: a.ingest, Segments: a.segments, Logger: a.logger, Now: a.now,
		Insert: (&sink{engine: a.ingest}).insert,
		Limits: a.viewLimits, Memory: a.memory.views, Spill: a.spill,
	})
	if err != nil {
		return err
	}
	a.spared.Store(a.views)
	return nil
}

// spare keeps segments that a view has still to read, and all of them as long as it is not known which views there are.
func (a *App) spare(segment *manifest.Segment) bool {
	set := a.spared.Load()
	return set == nil || set.Needs(segment)
}
