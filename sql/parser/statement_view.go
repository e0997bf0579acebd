package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// viewStatement is the function that reads the statement that comes next if it is one about views, which more than its first word
// tells from others; else nil.
func viewStatement(lex *cursor) func(*cursor) (ast.Statement, error) {
	switch t := lex.peek(); {
	case is(t, "CREATE") && createsView(lex):
		return func(lex *cursor) (ast.Statement, error) { return createView(lex) }
	case is(t, "CREATE") && createsPlainView(lex):
		return createPlainView
	case is(t, "DROP") && ahead(lex, "DROP", "MATERIALIZED", "VIEW"):
		return dropView
	case is(t, "DROP") && ahead(lex, "DROP", "VIEW"):
		return dropPlainView
	case is(t, "ALTER") && ahead(lex, "ALTER", "MATERIALIZED", "VIEW"):
		return alterView
	case is(t, "SHOW") && showsViews(lex):
		return show
	case is(t, "EXPLAIN") && ahead(lex, "EXPLAIN", "WATERMARK"):
		return explainWatermark
	case is(t, "EXPLAIN") && ahead(lex, "EXPLAIN", "CREATE"):
		return explainView
	case is(t, "SUBSCRIBE"):
		return subscribe
	default:
		return nil
	}
}

// createsView reports whether the words that create a view come next.
func createsView(lex *cursor) bool {
	start := lex.mark()
	defer lex.reset(start)
	_, ok := createWords(lex)
	return ok
}

// createWords takes CREATE [OR REPLACE] MATERIALIZED VIEW, or CONTINUOUS QUERY, which is another name for the same.
func createWords(lex *cursor) (orReplace, ok bool) {
	if !accept(lex, "CREATE") {
		return false, false
	}
	orReplace = acceptWords(lex, "OR", "REPLACE")
	return orReplace, acceptWords(lex, "MATERIALIZED", "VIEW") || acceptWords(lex, "CONTINUOUS", "QUERY")
}

// shownOfViews are the words behind SHOW that are about views.
var shownOfViews = []string{"VIEWS", "WATERMARKS", "LATE", "STATE"}

func showsViews(lex *cursor) bool {
	start := lex.mark()
	defer lex.reset(start)
	lex.next()
	accept(lex, "MATERIALIZED")
	return acceptOne(lex, shownOfViews...)
}

// createView reads CREATE MATERIALIZED VIEW with its options and its query. The options may stand in front of the query or behind all else,
// where PostgreSQL and TimescaleDB have theirs and RisingWave its sinks'; EMIT before AS or behind the query. A LATE clause that stands
// before EMIT, where the query has taken it for its own, is the view's.
func createView(lex *cursor) (*ast.CreateView, error) {
	out := &ast.CreateView{Pos: position(lex.peek().Pos)}
	var ok bool
	if out.OrReplace, ok = createWords(lex); !ok {
		return nil, notAView(lex)
	}
	columns, err := viewHead(lex, out)
	if err != nil {
		return nil, err
	}
	first, err := readEmit(lex)
	if err != nil {
		return nil, err
	}
	if err = expect(lex, "AS"); err != nil {
		return nil, err
	}
	query, err := parseQuery(lex)
	if err != nil {
		return nil, err
	}
	if out.Emit, err = readEmit(lex); err != nil {
		return nil, err
	}
	if out.Late, err = readLate(lex); err != nil {
		return nil, err
	}
	behind, err := viewTail(lex)
	if err != nil {
		return nil, err
	}
	out.Options = append(out.Options, behind...)
	if out.Query = query; len(columns) > 0 {
		out.Query = query.Renamed(columns)
	}
	return out, settleView(out, query, first)
}

// notAView is the error of EXPLAIN CREATE [OR REPLACE], which have been taken, with anything but a view.
func notAView(lex *cursor) error {
	if accept(lex, "MATERIALIZED") {
		return expect(lex, "VIEW")
	}
	if accept(lex, "CONTINUOUS") {
		return expect(lex, "QUERY")
	}
	return expect(lex, "MATERIALIZED")
}

// viewHead reads what stands between the words that create a view and its query, but for EMIT.
func viewHead(lex *cursor, out *ast.CreateView) (columns []ast.Name, err error) {
	if out.IfNotExists, err = ifNotExists(lex); err != nil {
		return nil, err
	}
	if out.Name, err = readName(lex); err != nil {
		return nil, err
	}
	if columns, err = namesInParentheses(lex); err != nil {
		return nil, err
	}
	if t := lex.peek(); acceptWords(lex, "WITH", "BASE") {
		return nil, notSupported(t, "WITH BASE", "leave it out: a view follows all that its query reads")
	}
	out.Options, err = withOptions(lex)
	return columns, err
}

// viewTail reads what stands behind all else: options, or WITH DATA, which says of a view what all are.
func viewTail(lex *cursor) ([]ast.Option, error) {
	switch t := lex.peek(); {
	case acceptWords(lex, "WITH", "DATA"):
		return nil, nil
	case acceptWords(lex, "WITH", "NO", "DATA"):
		return nil, notSupported(t, "WITH NO DATA",
			"leave it out: a view is built from the events that there are; WITH (start_from = 'now') begins with those that come")
	case acceptWords(lex, "PARTITION", "BY"):
		return nil, notSupported(t, "PARTITION BY of a view", "leave it out: what a view keeps is divided by time already")
	}
	return withOptions(lex)
}

// settleView sees that nothing is said twice; first is the EMIT clause before AS.
func settleView(out *ast.CreateView, query *ast.Select, first *ast.Emit) error {
	switch {
	case first != nil && out.Emit != nil:
		return event.Errorf(event.CodeSyntax, "a view has one EMIT clause").At(out.Emit.Pos)
	case out.OrReplace && out.IfNotExists:
		return event.Errorf(event.CodeSyntax, "OR REPLACE and IF NOT EXISTS exclude each other").At(out.Pos)
	case query.Late != nil && out.Late != nil:
		return event.Errorf(event.CodeSyntax, "a view has one LATE clause").At(out.Late.Pos)
	}
	if first != nil {
		out.Emit = first
	}
	if query.Late != nil {
		out.Late, query.Late = query.Late, nil
	}
	return nil
}

// dropView reads DROP MATERIALIZED VIEW [IF EXISTS] name.
func dropView(lex *cursor) (ast.Statement, error) {
	out := &ast.DropView{Pos: position(lex.peek().Pos)}
	err := expect(lex, "DROP", "MATERIALIZED", "VIEW")
	if err != nil {
		return nil, err
	}
	out.IfExists, out.Name, err = droppedName(lex)
	return out, err
}

// alterView reads ALTER MATERIALIZED VIEW name with RESUME [SKIP] or options to set.
func alterView(lex *cursor) (ast.Statement, error) {
	out := &ast.AlterView{Pos: position(lex.peek().Pos)}
	err := expect(lex, "ALTER", "MATERIALIZED", "VIEW")
	if err != nil {
		return nil, err
	}
	if out.Name, err = readName(lex); err != nil {
		return nil, err
	}
	if accept(lex, "SET") {
		out.Options, err = options(lex)
		return out, err
	}
	if err = expect(lex, "RESUME"); err != nil {
		return nil, err
	}
	out.Skip = accept(lex, "SKIP")
	return out, nil
}

// show reads SHOW and what is shown of views.
func show(lex *cursor) (ast.Statement, error) {
	out := &ast.Show{Pos: position(lex.next().Pos)}
	if accept(lex, "MATERIALIZED") {
		out.What = "VIEWS"
		return out, expect(lex, "VIEWS")
	}
	out.What = upper(lex.next().Value)
	return out, nil
}

// explainWatermark reads EXPLAIN WATERMARK name.
func explainWatermark(lex *cursor) (ast.Statement, error) {
	out := &ast.ExplainWatermark{Pos: position(lex.next().Pos)}
	lex.next() // WATERMARK
	var err error
	out.Name, err = readName(lex)
	return out, err
}

// explainView reads EXPLAIN and the statement that creates a view.
func explainView(lex *cursor) (ast.Statement, error) {
	pos := position(lex.next().Pos)
	view, err := createView(lex)
	return &ast.ExplainView{Pos: pos, View: view}, err
}
