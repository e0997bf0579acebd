package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// scope is the columns that names can mean: those of one table, of several joined ones, or none without FROM.
type scope struct {
	// tables are the names that qualify columns: aliases, or else the streams' names. A query without alias has none.
	tables  []ast.Name
	columns []scopeColumn
	// star lists the columns that * means.
	star []int
	// node makes the plan below the expressions, once all of them are bound.
	node func() plan.Node
	// used holds, for a stream, the indexes of the columns referred to so far, in the order of the scan's output; prune tells
	// that only those are output.
	used  []int
	prune bool
	// late, if not nil, is the condition on which rows are kept: that they came in time.
	late plan.Expr
	// events are, for a stream, the indexes of the columns that order its events.
	events []int
	// tumble is the bucket whose start the windows of TUMBLE have as window_start, the last column but one; nil for other tables.
	tumble *plan.Call
	// versions is, for a stream or a view whose rows stay, the index of the column by whose time they are versions of their keys, plus one.
	versions int
	// parts are the scopes that a join is of.
	parts []*scope
}

type scopeColumn struct {
	// table is the name that can qualify it; empty where none can.
	table string
	name  string
	// also is the name that it is found by where no other column has it; mostly empty.
	also  string
	typ   event.Type
	field event.FieldID
	// hidden columns are not in *.
	hidden bool
	// mark is the watermark before each event of a view.
	mark bool
	// source is the query in FROM whose column at this is; nil where it is none of a query.
	source plan.Node
	at     int
	// covered columns are found by their qualified name only: one that joins them with their equal stands for both.
	covered bool
}

// ref refers to column i, and makes the scan output it.
func (s *scope) ref(i int) *plan.ColumnRef {
	c := s.columns[i]
	if !s.prune {
		return &plan.ColumnRef{Index: i, Name: c.name, Typ: c.typ}
	}
	for at, u := range s.used {
		if u == i {
			return &plan.ColumnRef{Index: at, Name: c.name, Typ: c.typ}
		}
	}
	s.used = append(s.used, i)
	return &plan.ColumnRef{Index: len(s.used) - 1, Name: c.name, Typ: c.typ}
}

// find looks a column up by its exact name, else by the only name equal to it but for case, as event.Schema.Resolve does.
// matches holds several names where it is ambiguous.
func (s *scope) find(name string) (i int, matches []string) { return s.findIn("", name) }

// findIn is find among the columns of one table.
func (s *scope) findIn(table, name string) (i int, matches []string) {
	exact, folded, also := []int{}, []int{}, []int{}
	for i, c := range s.columns {
		switch {
		case table == "" && c.covered, table != "" && !strings.EqualFold(c.table, table):
		case c.name == name:
			exact = append(exact, i)
		case strings.EqualFold(c.name, name):
			folded = append(folded, i)
		case c.also != "" && strings.EqualFold(c.also, name):
			also = append(also, i)
		}
	}
	found := exact
	for _, others := range [][]int{folded, also} {
		if len(found) == 0 {
			found = others
		}
	}
	for _, i := range found {
		matches = append(matches, s.columns[i].describe(len(s.tables) > 1))
	}
	if len(found) == 0 {
		return 0, nil
	}
	return found[0], matches
}

func (c scopeColumn) describe(qualified bool) string {
	if qualified && c.table != "" {
		return c.table + "." + c.name
	}
	return `"` + c.name + `"`
}

// has reports whether a name qualifies columns.
func (s *scope) has(table string) bool {
	for _, t := range s.tables {
		if strings.EqualFold(t.Text, table) {
			return true
		}
	}
	return false
}

// resolve finds the column that a name with dots begins with and returns the members of JSONB that the rest of the name asks for.
func (s *scope) resolve(parts []ast.Name) (i int, path []ast.Name, err error) {
	if len(parts) > 2 && strings.EqualFold(parts[0].Text, "public") && !s.has(parts[0].Text) && s.has(parts[1].Text) {
		parts = parts[1:] // the schema that streams are in for clients of PostgreSQL
	}
	if len(parts) > 1 && s.has(parts[0].Text) {
		i, matches := s.findIn(parts[0].Text, parts[1].Text)
		if len(matches) == 1 {
			return i, parts[2:], nil
		}
		if _, own := s.find(parts[0].Text); len(own) != 1 {
			return 0, nil, s.missingIn(parts[0].Text, parts[1], matches)
		}
	}
	i, matches := s.find(parts[0].Text)
	switch {
	case len(matches) == 1:
		return i, parts[1:], nil
	case len(parts) > 1 && len(matches) == 0 && len(s.tables) > 0:
		err := event.Errorf(event.CodeUnknownColumn, "there is neither a table nor a column %q", parts[0].Text).At(parts[0].Pos)
		names := make([]string, len(s.tables))
		for i, t := range s.tables {
			names[i] = t.Text
		}
		return 0, nil, err.WithHint("what FROM reads is called %s", strings.Join(names, ", "))
	default:
		return 0, nil, s.missing(parts[0], matches)
	}
}

func (s *scope) missing(n ast.Name, matches []string) error { return s.missingIn("", n, matches) }

// missingIn says that a name is none of a column, or of several, in one table or, without its name, in all.
func (s *scope) missingIn(table string, n ast.Name, matches []string) error {
	if len(matches) > 1 {
		err := event.Errorf(event.CodeAmbiguousColumn, "column %q is ambiguous", n.Text).At(n.Pos)
		if len(slices.Compact(slices.Clone(matches))) == 1 {
			return err.WithHint("several columns have the name: give one of them another, as in %s AS other", matches[0])
		}
		return err.WithHint("it could be %s", strings.Join(matches, " or "))
	}
	if len(s.columns) == 0 {
		return event.Errorf(event.CodeUnknownColumn, "there is no column %q, because there is nothing to read from", n.Text).At(n.Pos).
			WithHint("a string is written in single quotes, a column needs FROM")
	}
	err := event.Errorf(event.CodeUnknownColumn, "there is no column %q", n.Text).At(n.Pos)
	var names, shown []string
	for _, c := range s.columns {
		switch {
		case table != "" && !strings.EqualFold(c.table, table):
			if strings.EqualFold(c.name, n.Text) {
				return err.WithHint("did you mean %s?", c.describe(true))
			}
			continue
		case !c.hidden && !strings.HasPrefix(c.name, "?") && !slices.Contains(shown, c.name): // such names are the planner's
			shown = append(shown, c.name)
		}
		names = append(names, c.name)
	}
	if n.Quoted {
		err = err.WithHint("strings are written in single quotes: '%s'", n.Text)
	} else if hint := foreignColumns[strings.ToLower(n.Text)]; hint != "" {
		err = err.WithHint("%s", hint)
	} else if len(shown) > 0 {
		err = err.WithHint("the columns are %s", listed(shown))
	}
	return suggest(err, n.Text, names)
}

// listed is the first of some names.
func listed(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// withs are the queries of WITH that can be named at a place, the innermost first.
type withs struct {
	cte   *ast.CTE
	outer *withs
	// recursive queries may name themselves. Inside their step work stands for them; it is nil elsewhere.
	recursive bool
	work      *plan.WorkTable
	// around is the row around the query whose WITH this is.
	around *outerRow
	// named tells that the query has been read once.
	named bool
	// bound is the query's plan where every place that names it gets the same, and tables is how many tables it reads; nil before.
	bound  plan.Node
	tables int
}

// enter adds the queries of one WITH, each of which sees those before it.
func (w *withs) enter(queries []ast.CTE, recursive bool, around *outerRow) (*withs, error) {
	for i := range queries {
		name := queries[i].Name
		if slices.ContainsFunc(queries[:i], func(q ast.CTE) bool { return strings.EqualFold(q.Name.Text, name.Text) }) {
			return nil, event.Errorf(event.CodeBadRequest, "WITH names two queries %q", name.Text).At(name.Pos)
		}
		w = &withs{cte: &queries[i], outer: w, recursive: recursive, around: around}
	}
	return w, nil
}

func (w *withs) find(name string) *withs {
	for ; w != nil; w = w.outer {
		if strings.EqualFold(w.cte.Name.Text, name) {
			return w
		}
	}
	return nil
}

// from makes the scope of a FROM clause.
func (b *binder) from(t ast.Table, w *withs) (*scope, error) {
	if t != nil {
		if err := b.countTable(t.Position()); err != nil {
			return nil, err
		}
	}
	switch t := t.(type) {
	case nil:
		// One row without columns.
		return &scope{node: func() plan.Node { return &plan.Values{Rows: [][]plan.Expr{{}}} }}, nil
	case *ast.Subquery:
		node, err := b.selectPlan(t.Query, w, nil)
		if err != nil {
			return nil, err
		}
		sc := b.scopeOf(node, t.Alias)
		err = sc.rename(t.Columns)
		return sc, err
	case *ast.StreamTable:
		if t.SystemTime != nil {
			return nil, event.Errorf(event.CodeBadRequest, "FOR SYSTEM_TIME AS OF stands behind the right side of a JOIN").At(t.SystemTime.Position()).
				WithHint("as in FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency")
		}
		table := &t.Name
		if t.Alias != nil {
			table = t.Alias
		}
		var sc *scope
		var err error
		if t.Schema != nil {
			sc, err = b.fromTable(t, table)
		} else if found := w.find(t.Name.Text); found != nil {
			sc, err = b.fromWith(found, table)
		} else {
			sc, err = b.fromStream(t, table)
		}
		if err != nil {
			return nil, err
		}
		err = sc.rename(t.Columns)
		return sc, err
	case *ast.Join:
		return b.join(t, w)
	case *ast.Series:
		return b.fromSeries(t, w)
	case *ast.Unnest:
		return b.fromUnnest(t, w)
	case *ast.WindowTable:
		return b.fromWindow(t, w)
	default:
		return nil, event.Errorf(event.CodeInternal, "bind FROM: %T is not a known table", t)
	}
}

// countTable bounds the work that a short statement can ask for.
func (b *binder) countTable(pos event.Position) error {
	if b.tables++; b.tables > maxTables {
		return event.Errorf(event.CodeBadRequest, "the statement reads more than %d tables", maxTables).At(pos).
			WithHint("a query of WITH counts as often as it is named, with all that it reads")
	}
	return nil
}

// fromWith binds a query of WITH where it is named; only the queries before it are visible inside.
func (b *binder) fromWith(w *withs, table *ast.Name) (*scope, error) {
	// The place where it is named may stand inside a further expression, whose row it does not see.
	outer := b.outer
	if outer != w.around {
		b.outer = nil
	}
	before := b.volatiles
	node, err := b.withOnce(w)
	b.outer = outer
	if err != nil {
		return nil, err
	}
	if w.named && b.volatiles > before {
		return nil, event.Errorf(event.CodeNotSupported, "query %q of WITH, which has random values, is read twice", w.cte.Name.Text).
			At(table.Pos).WithHint("each place would see other values; read it once")
	}
	w.named = true
	has := plan.Width(node)
	if b.marked {
		has--
	}
	if given := len(w.cte.Columns); given > has {
		return nil, event.Errorf(event.CodeBadRequest, "query %q has %d columns, but %d names are given", w.cte.Name.Text, has, given).
			At(w.cte.Name.Pos)
	}
	sc := b.scopeOf(node, table)
	err = sc.rename(w.cte.Columns)
	return sc, err
}

// withOnce is withPlan that gives the plan of the place before where nothing in it depends on the place. It counts as tables read again, since
// what comes after goes over each of them.
func (b *binder) withOnce(w *withs) (plan.Node, error) {
	depends := b.outer != nil || b.marks || b.late != nil || b.ttl != nil || b.start != nil || b.lateJoins != nil
	if w.bound != nil && !depends && b.tables+w.tables <= maxTables {
		b.tables += w.tables
		b.marked = false
		return w.bound, nil
	}
	tables, volatiles, recursions := b.tables, b.volatiles, b.recursions
	node, err := b.withPlan(w)
	if err == nil && !depends && w.work == nil && b.lateJoins == nil && !b.marked && b.volatiles == volatiles && b.recursions == recursions {
		w.bound, w.tables = node, b.tables-tables
	}
	return node, err
}

func (b *binder) withPlan(w *withs) (plan.Node, error) {
	set := w.cte.Query.Set
	switch {
	case w.work != nil:
		return w.work, nil
	case w.recursive && set != nil && set.Op == ast.Union && plainUnion(w.cte.Query):
		return b.recursivePlan(w)
	default:
		return b.selectPlan(w.cte.Query, w.outer, nil)
	}
}

// plainUnion holds for a union without clauses around it, as a recursive query must be.
func plainUnion(s *ast.Select) bool {
	return len(s.With) == 0 && len(s.OrderBy) == 0 && s.Limit == nil && s.Offset == nil
}

// scopeOf is the scope of a query's output columns.
func scopeOf(node plan.Node, table *ast.Name) *scope {
	s := &scope{node: func() plan.Node { return node }}
	for i, c := range node.Columns() {
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Type, source: node, at: i})
	}
	return s.named(table)
}

// scopeOf is the scope of a query in FROM, which may have the watermarks of its rows.
func (b *binder) scopeOf(node plan.Node, table *ast.Name) *scope {
	if !b.marked {
		return scopeOf(node, table)
	}
	s := &scope{node: func() plan.Node { return node }}
	for i, c := range node.Columns() {
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Type, source: node, at: i})
	}
	last := &s.columns[len(s.columns)-1]
	last.hidden, last.field = true, event.FieldWatermark
	return s.named(table)
}

// named gives the scope of one table its name, if it has one.
func (s *scope) named(table *ast.Name) *scope {
	if table != nil {
		s.tables = []ast.Name{*table}
	}
	for i, c := range s.columns {
		if table != nil {
			s.columns[i].table = table.Text
		}
		if !c.hidden {
			s.star = append(s.star, i)
		}
	}
	return s
}

// rename gives the first columns other names.
func (s *scope) rename(names []ast.Name) error {
	if len(names) > len(s.star) {
		return event.Errorf(event.CodeBadRequest, "there are %d columns, but %d names are given", len(s.star), len(names)).At(names[0].Pos)
	}
	for i, n := range names {
		s.columns[s.star[i]].name = n.Text
	}
	return nil
}

func (b *binder) fromStream(t *ast.StreamTable, table *ast.Name) (*scope, error) {
	if view, ok := b.plainView(t.Name); ok {
		return b.fromPlainView(view, t.Name.Pos, table)
	}
	if view, ok := b.view(t.Name); ok {
		return b.fromView(view, table)
	}
	stream, err := b.stream(t.Name)
	if err != nil {
		return nil, err
	}
	events := eventColumns(stream.Schema)
	s := &scope{prune: true, events: events, versions: events[0] + 1}
	for i, c := range stream.Schema.All() {
		hidden := i >= len(stream.Schema.Columns)
		s.columns = append(s.columns, scopeColumn{name: c.Name, typ: c.Shown(), field: c.ID, hidden: hidden})
	}
	time := stream.Schema.TimeColumn
	if time == 0 {
		time = event.FieldIngestedAt
	}
	err = b.scanFrom(s, stream.Name, stream.Schema, time)
	return s.named(table), err
}

// scan reads the columns referred to.
func (s *scope) scan(name string, schema *event.Schema) plan.Node {
	fields := make([]event.FieldID, len(s.used))
	for at, i := range s.used {
		fields[at] = s.columns[i].field
	}
	return shown(&plan.Scan{Stream: name, Schema: schema, Fields: fields})
}

// shown converts what a scan reads to what its columns were declared to be, where that is not stored as itself.
func shown(scan *plan.Scan) plan.Node {
	out := &plan.Project{Input: scan}
	columns, changed := scan.Columns(), false
	for i, c := range columns {
		var e plan.Expr = columnOf(columns, i)
		if column, _ := scan.Schema.ByID(scan.Fields[i]); column.As != nil {
			e, changed = &plan.Cast{Input: e, To: *column.As}, true
		}
		out.Exprs, out.Names = append(out.Exprs, e), append(out.Names, c.Name)
	}
	if !changed {
		return scan
	}
	return out
}

// whole makes the scan of a stream output all columns, in their order.
func (s *scope) whole() {
	if !s.prune {
		return
	}
	s.prune, s.used = false, make([]int, len(s.columns))
	for i := range s.used {
		s.used[i] = i
	}
}
