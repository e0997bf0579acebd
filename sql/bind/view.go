package bind

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// CreateView is a materialized view to be made. Its plan is that of the query with late rows left out.
type CreateView struct {
	Name string
	// SQL is the statement, which gives the same view again as long as what it reads stays as it is.
	SQL  string
	Plan plan.Node
	// Marked is Plan with one more column, the watermark before each event, where rows are events of streams as they are; nil elsewhere.
	Marked plan.Node
	// PlainViews are the queries of the views, not materialized, that the query names.
	PlainViews map[string]string
	Options    catalog.ViewOptions
	// ByArrival is why nearly every event would be late for the view's windows, which nobody asked for; nil where that is not so. A view that is
	// there already goes on as it is.
	ByArrival              *event.Error
	OrReplace, IfNotExists bool
}

// Inputs names the streams and views that the view reads.
func (v CreateView) Inputs() []string { return plan.Streams(v.Plan) }

// DropView is a view to be removed. With IfExists it may be gone already.
type DropView struct {
	Name     string
	IfExists bool
}

// ResumeView is a view that stopped and shall go on. Skip leaves out the rows at which it stopped.
type ResumeView struct {
	View *catalog.View
	Skip bool
}

// Show lists something of all views: VIEWS, WATERMARKS, LATE or STATE.
type Show struct{ What string }

// DescribeView shows one view.
type DescribeView struct{ View *catalog.View }

// ExplainWatermark says what holds the windows of a view open.
type ExplainWatermark struct{ View *catalog.View }

// AlterView changes what a view may hold in memory, in bytes.
type AlterView struct {
	View   *catalog.View
	Memory int64
}

// ExplainView shows how a view would be kept current.
type ExplainView struct{ View CreateView }

func (CreateView) bound()       {}
func (DropView) bound()         {}
func (ResumeView) bound()       {}
func (AlterView) bound()        {}
func (Show) bound()             {}
func (DescribeView) bound()     {}
func (ExplainWatermark) bound() {}
func (ExplainView) bound()      {}

func (b *binder) viewStatement(stmt ast.Statement) (Bound, error) {
	switch s := stmt.(type) {
	case *ast.CreateView:
		return b.createView(s)
	case *ast.DropView:
		return b.dropView(s)
	case *ast.CreatePlainView:
		return b.createPlainView(s)
	case *ast.DropPlainView:
		return b.dropPlainView(s)
	case *ast.AlterView:
		return b.alterView(s)
	case *ast.Show:
		return Show{What: s.What}, nil
	case *ast.ExplainWatermark:
		view, err := b.existingView(s.Name)
		return ExplainWatermark{View: view}, err
	case *ast.Subscribe:
		return b.subscribe(s)
	case *ast.ExplainView:
		view, err := b.createView(s.View)
		return ExplainView{View: view}, err
	default:
		return nil, fmt.Errorf("bind %T: not a known statement", stmt)
	}
}

func (b *binder) alterView(s *ast.AlterView) (Bound, error) {
	view, err := b.existingView(s.Name)
	if err != nil || len(s.Options) == 0 {
		return ResumeView{View: view, Skip: s.Skip}, err
	}
	options := catalog.ViewOptions{}
	for _, o := range s.Options {
		if !strings.EqualFold(o.Name.Text, "memory") {
			return nil, event.Errorf(event.CodeBadRequest, "option %q of a view cannot be changed", o.Name.Text).At(o.Name.Pos).
				WithHint("memory can; for anything else write CREATE OR REPLACE MATERIALIZED VIEW")
		}
		if err := b.viewOption("memory", o, &options); err != nil {
			return nil, err
		}
	}
	return AlterView{View: view, Memory: options.Memory}, nil
}

// view finds a view by the name written, as stream does.
func (b *binder) view(n ast.Name) (*catalog.View, bool) {
	if v, ok := b.catalog.View(n.Text); ok || n.Quoted {
		return v, ok
	}
	return b.catalog.View(strings.ToLower(n.Text))
}

func (b *binder) existingView(n ast.Name) (*catalog.View, error) {
	if v, ok := b.view(n); ok {
		return v, nil
	}
	if v, ok := b.plainView(n); ok {
		return nil, event.Errorf(event.CodeBadRequest, "%q is not a materialized view", v.Name).At(n.Pos).WithHint("write DROP VIEW to remove it")
	}
	err := event.Errorf(event.CodeNotFound, "there is no materialized view %q", n.Text).At(n.Pos)
	return nil, suggest(err, n.Text, b.catalog.Tables())
}

func (b *binder) dropView(s *ast.DropView) (Bound, error) {
	found, err := b.existingView(s.Name)
	var fault *event.Error
	switch {
	case err == nil:
		return DropView{Name: found.Name, IfExists: s.IfExists}, nil
	case s.IfExists && errors.As(err, &fault) && fault.Code == event.CodeNotFound:
		return DropView{Name: strings.ToLower(s.Name.Text), IfExists: true}, nil
	default:
		return nil, err
	}
}

// createView plans a view. Where names of its columns that the query does not give are taken, they are numbered first.
func (b *binder) createView(s *ast.CreateView) (CreateView, error) {
	again := *b
	out, err := b.plannedView(s)
	if err != nil {
		return out, err
	}
	if names := numberedNames(s.Query, out.Plan.Columns()); names != nil {
		renamed := *s
		renamed.Query = s.Query.Renamed(names)
		if out, err = again.plannedView(&renamed); err != nil {
			return out, err
		}
	}
	return out, checkViewColumns(out.Plan.Columns(), s)
}

// plannedView plans the query with the view's rule for late rows, which goes for every window in it.
func (b *binder) plannedView(s *ast.CreateView) (CreateView, error) {
	name, err := streamName(s.Name)
	if err != nil {
		return CreateView{}, err
	}
	out := CreateView{Name: name, SQL: s.String(), OrReplace: s.OrReplace, IfNotExists: s.IfNotExists}
	if err := b.viewOptions(s, &out.Options); err != nil {
		return out, err
	}
	b.params = Params{} // a view outlives the request
	if out.Options.Start == catalog.StartTime {
		b.start = timestampLiteral(out.Options.StartTime)
	}
	b.late, b.continuous = &lateness{pos: s.Pos, implied: implied(s, out.Options)}, true
	if s.Late != nil {
		if b.late, err = b.lateClause(s.Late); err != nil {
			return out, err
		}
		out.Options.Horizon = time.Duration(b.late.horizonMicros()) * time.Microsecond
		if s.Late.Into != nil {
			if out.Options.LateInto, err = streamName(*s.Late.Into); err != nil {
				return out, err
			}
		}
	}
	again := *b
	if out.Plan, err = b.selectPlan(s.Query, nil, nil); err != nil {
		return out, err
	}
	if b.late.implied != nil {
		out.ByArrival = b.late.implied.byArrival
	}
	out.PlainViews = b.plain.met
	if err := b.usedTTL(); err != nil {
		return out, err
	}
	if b.wantsBuckets(s, out.Options) {
		if closed, buckets := again.closedBuckets(s.Query, b.late.used, out.Options.OnClose); closed != nil {
			out.Plan, again.buckets = closed, buckets
			if out.Options.OnClose && b.late.implied != nil {
				out.ByArrival = b.late.implied.byArrival
			}
		}
	}
	again.marks = true
	if marked, err := again.selectPlan(s.Query, nil, nil); err == nil && again.marked {
		out.Marked = marked
	}
	return out, nil
}

// checkViewColumns holds the columns of a query to what a table can have.
func checkViewColumns(columns []plan.Column, s *ast.CreateView) error {
	if err := oneNameEach(columns, s.Query.Pos); err != nil {
		return err
	}
	for _, c := range columns {
		if !storedKinds[event.StoredAs(c.Type).Kind] {
			return event.Errorf(event.CodeNotSupported, "column %q is %s, which a view cannot store", c.Name, c.Type).At(s.Query.Pos).
				WithHint("cast it, as in %s::TEXT", c.Name)
		}
	}
	return nil
}

// fromView makes the scope of a view: its visible columns. Those that only complete its key cannot be referred to.
func (b *binder) fromView(view *catalog.View, table *ast.Name) (*scope, error) {
	s := &scope{prune: true}
	for i, c := range view.Schema.Columns[:view.Visible] {
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Shown(), field: view.Schema.Columns[i].ID})
		if view.AppendOnly && c.ID == view.Schema.TimeColumn {
			s.versions = i + 1
		}
	}
	if c, ok := view.Schema.ByID(view.Watermark); ok && view.Watermark != 0 {
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Type, field: c.ID, hidden: true, mark: true})
	}
	err := b.scanFrom(s, view.Name, view.Schema, view.Schema.TimeColumn)
	return s.named(table), err
}

// scanFrom makes a scope scan a stream or view, for a view that starts at a time only from that time on.
func (b *binder) scanFrom(s *scope, name string, schema *event.Schema, time event.FieldID) error {
	s.node = func() plan.Node { return s.scan(name, schema) }
	at := slices.IndexFunc(s.columns, func(c scopeColumn) bool { return c.field == time })
	if b.start == nil || at < 0 {
		return nil
	}
	fn, _, err := resolve(">=", b.late.pos, []argument{{b.start, b.late.pos}, {b.start, b.late.pos}})
	s.node = func() plan.Node { // the place of the column is known once all others have been referred to
		since := &plan.Call{Fn: fn, Args: []plan.Expr{s.ref(at), b.start}}
		return &plan.Filter{Input: s.scan(name, schema), Predicate: since}
	}
	return err
}
