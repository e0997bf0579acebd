// Package bind gives parsed SQL its meaning: it resolves names against the catalog, types every expression and makes a plan, or
// for a statement that is no query, the definition or the names it speaks of.
//
// A plan that Bind returns is typed throughout: arguments have exactly the types of their functions, casts are written out,
// literals have been read, and the scan of a query over one stream reads only the columns that are used. Everything that can be known to be wrong without
// looking at data is an *event.Error with a position. Bind keeps nothing between calls and may be called from any goroutine.
// It does not optimize and computes no expressions, except that it reads literals into the type they are used as.
package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// Catalog is what binding needs to know of the streams and views there are.
type Catalog interface {
	// Stream finds a stream by its exact name.
	Stream(name string) (*catalog.Stream, bool)
	// View finds a materialized view by its exact name.
	View(name string) (*catalog.View, bool)
	// PlainView finds a view that is not materialized by its exact name.
	PlainView(name string) (*catalog.PlainView, bool)
	// Tables lists all streams and views, to suggest one when a name is not found.
	Tables() []string
	// SystemTable finds the columns of a table that the server keeps of itself by its full name, as in system.streams.
	SystemTable(name string) (*event.Schema, bool)
	// SystemTables lists all of those.
	SystemTables() []string
}

// Bound is the meaning of a statement: a Query, Insert, CreateStream, AlterStream, DropStream, ShowStreams, Describe, DescribeTable,
// KillQuery, Explain or one of those about views in view.go.
type Bound interface{ bound() }

// Query is a SELECT. Late, if not nil, is what its LATE asks of joins.
type Query struct {
	Plan plan.Node
	Late *LateJoins
}

// Insert writes rows. The root of its plan is a *plan.Insert. Late is as in Query.
type Insert struct {
	Plan plan.Node
	Late *LateJoins
}

// CreateStream is a stream to be made. Every default is filled in.
type CreateStream struct {
	Definition  catalog.Stream
	IfNotExists bool
}

// ShowStreams lists the streams.
type ShowStreams struct{}

// Describe shows one stream.
type Describe struct{ Stream *catalog.Stream }

// DescribeQuery shows the columns of a query.
type DescribeQuery struct{ Columns []plan.Column }

// DescribeTable shows one table that the server keeps of itself.
type DescribeTable struct{ Name string }

// KillQuery ends a running query.
type KillQuery struct{ ID string }

// Explain shows the plan of a query. Analyze runs it to see what each step costs.
type Explain struct {
	Query         Query
	Analyze, JSON bool
}

func (Query) bound()         {}
func (Insert) bound()        {}
func (CreateStream) bound()  {}
func (ShowStreams) bound()   {}
func (Describe) bound()      {}
func (DescribeTable) bound() {}
func (DescribeQuery) bound() {}
func (KillQuery) bound()     {}
func (Explain) bound()       {}

// Bind gives a statement its meaning. The error is an *event.Error with a position.
func Bind(stmt ast.Statement, cat Catalog, params Params) (Bound, error) {
	b := &binder{catalog: cat, params: params}
	switch s := stmt.(type) {
	case *ast.Select:
		return b.query(s)
	case *ast.Explain:
		q, err := b.query(s.Query)
		return Explain{Query: q, Analyze: s.Analyze, JSON: s.JSON}, err
	case *ast.Insert:
		return b.insert(s)
	case *ast.CreateStream:
		return b.createStream(s)
	case *ast.AlterStream:
		return b.alterStream(s)
	case *ast.DropStream:
		return b.dropStream(s)
	case *ast.ShowStreams:
		return ShowStreams{}, nil
	case *ast.ShowTable:
		return b.show(s)
	case *ast.KillQuery:
		return b.killQuery(s)
	case *ast.Describe:
		return b.describe(s)
	case *ast.Summarize:
		return b.summarize(s)
	default:
		return b.viewStatement(stmt)
	}
}

// maxTables bounds the tables of one statement: queries of WITH that name each other twice would double them at every step.
const maxTables = 1000

// binder binds one statement.
type binder struct {
	catalog Catalog
	params  Params
	tables  int // bound so far
	// recursions are the recursive queries so far.
	recursions int
	// volatiles are the calls so far of functions that give another value each time.
	volatiles int
	// outer is the row around the query being bound, if that stands inside an expression.
	outer *outerRow
	// late is what becomes of late rows in every query of a view; it is nil outside of views.
	late *lateness
	// buckets makes windows of buckets of time, so that there is something to close; nil where they are to stay what they are.
	buckets *bucketWindows
	// continuous tells that the query is that of a view or a subscription.
	continuous bool
	// marks asks the next query of FROM for the watermarks of its rows, and marked tells that the last one has them as its last column.
	marks, marked bool
	// lateJoins is what the LATE of a query asks of its joins; nil for nothing.
	lateJoins *LateJoins
	// start is the event time from which a view takes rows, nil for all.
	start *plan.Literal
	// plain are the views that are not materialized.
	plain plainViews
	// ttl is the option of that name, nil where a view has none.
	ttl *timeToLive
}

func (b *binder) query(s *ast.Select) (Query, error) {
	node, err := b.selectPlan(s, nil, nil)
	return Query{Plan: node, Late: b.lateJoins}, err
}

// stream finds a stream by the name written: exactly, or in lower case where it was not quoted.
func (b *binder) stream(n ast.Name) (*catalog.Stream, error) {
	if s, ok := b.catalog.Stream(n.Text); ok {
		return s, nil
	}
	if s, ok := b.catalog.Stream(strings.ToLower(n.Text)); ok && !n.Quoted {
		return s, nil
	}
	if v, ok := b.view(n); ok {
		return nil, event.Errorf(event.CodeBadRequest, "%q is a materialized view, not a stream", v.Name).At(n.Pos)
	}
	if v, ok := b.plainView(n); ok {
		return nil, event.Errorf(event.CodeBadRequest, "%q is a view, not a stream", v.Name).At(n.Pos)
	}
	err := event.Errorf(event.CodeNotFound, "there is no stream %q", n.Text).At(n.Pos)
	return nil, suggest(err, n.Text, b.catalog.Tables())
}
