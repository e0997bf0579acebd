package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// selection binds one SELECT. Every clause is bound over the rows of FROM; if the select aggregates, the clauses after GROUP BY
// are then rewritten over its groups.
type selection struct {
	binder *binder
	ast    *ast.Select
	scope  *scope
	rows   *scalars // clauses that may aggregate
	plain  *scalars // clauses that may not
	// targets are the types of the columns that an INSERT writes to; nil for a query.
	targets []event.Type

	outputs []output
	where   plan.Expr
	latest  *plan.FirstRows // without input; nil without LATEST ON
	groups  []plan.Expr
	sampled *plan.ColumnRef // the event time; nil without SAMPLE BY
	origin  plan.Expr       // where the buckets of SAMPLE BY begin, if that is not a constant
	runs    *plan.ColumnRef // the time by which groups fall into runs; nil without ttl
	sets    [][]int         // indexes into groups; nil for one set of all
	having  plan.Expr
	qualify plan.Expr
	keys    []sortKey
	// distinctOn and ties are the keys of DISTINCT ON and what tells rows apart that are equal in keys.
	distinctOn []sortKey
	ties       []sortKey
}

// output is one column of the result.
type output struct {
	expr plan.Expr
	name string
}

// sortKey orders by output column index, or by expr where index is -1.
type sortKey struct {
	index int
	expr  plan.Expr
	order ast.Order
}

// selectPlan plans a query. targets, if not nil, are the types that its literals are wanted as.
func (b *binder) selectPlan(s *ast.Select, w *withs, targets []event.Type) (plan.Node, error) {
	marks := b.marks
	b.marks, b.marked = false, false
	w, err := w.enter(s.With, s.Recursive, b.outer)
	if err != nil {
		return nil, err
	}
	if s.Set != nil || s.Rows != nil {
		b.marks = marks
		node, err := b.combinedPlan(s, w, targets)
		b.marks = false
		return node, err
	}
	if s, err = groupWindow(s); err != nil {
		return nil, err
	}
	s = gapfill(s)
	s = b.lateBuckets(b.buckets.in(s))
	if s.Late != nil {
		leave, err := b.enterLate(s.Late)
		if err != nil {
			return nil, err
		}
		defer leave()
	}
	b.marks = marks
	sc, err := b.from(s.From, w)
	b.marks, b.marked = false, false
	if err != nil {
		return nil, err
	}
	q := b.newSelection(s, sc, w, targets)
	for _, step := range []func() error{
		q.bindOutputs, q.bindWhere, q.bindLatest, q.bindSample, q.bindGroups, q.bindHaving, q.bindWindows, q.bindQualify, q.bindKeys, q.bindDistinctOn,
		q.bindLateEvents, q.bindTTL, q.bindTies,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if s.Late != nil {
		if err := b.lateUsed(s, sc); err != nil {
			return nil, err
		}
	}
	passed := marks && q.passMarks()
	node, err := q.plan()
	b.marked = passed
	return node, err
}

// passMarks adds the watermarks of a stream's rows as the last column, where each row of the query is one of them: a window over it can
// tell then which came too late.
func (q *selection) passMarks() bool {
	s := q.ast
	at := watermarkColumn(q.scope)
	if at < 0 || len(q.scope.parts) > 0 || q.aggregated() || len(q.rows.windows.calls) > 0 || s.Distinct || len(q.distinctOn) > 0 ||
		q.latest != nil || s.Limit != nil || s.Offset != nil || q.qualify != nil || s.Fill != nil {
		return false
	}
	q.outputs = append(q.outputs, output{expr: q.scope.ref(at), name: "_watermark"})
	return true
}

func (b *binder) newSelection(s *ast.Select, sc *scope, w *withs, targets []event.Type) *selection {
	x := scalars{binder: b, scope: sc, withs: w, outer: b.outer, queries: true, at: map[*plan.ColumnRef]event.Position{},
		bound: map[string]plan.Expr{}}
	rows, plain := x, x
	rows.aggregates, rows.windows, rows.spreads = &aggregates{}, &windows{named: s.Windows}, &spreads{}
	plain.place = "WHERE"
	return &selection{binder: b, ast: s, scope: sc, targets: targets, rows: &rows, plain: &plain}
}

func (q *selection) bindOutputs() error {
	if len(q.ast.Items) == 0 {
		return event.Errorf(event.CodeSyntax, "there is nothing between SELECT and FROM").At(q.ast.Pos).
			WithHint("SELECT * takes all columns; only EXISTS needs none")
	}
	for _, item := range q.ast.Items {
		if star, ok := item.Expr.(*ast.Star); ok {
			if err := q.expandStar(star, item.Alias); err != nil {
				return err
			}
			continue
		}
		e, err := q.output(item.Expr)
		if err != nil {
			return err
		}
		out := output{expr: e, name: q.outputName(item.Expr, e)}
		if item.Alias != nil {
			out.name = item.Alias.Text
		}
		q.outputs = append(q.outputs, out)
	}
	q.rows.outputs, q.plain.outputs = q.outputs, q.outputs
	return nil
}

// output binds one select item; a literal without type takes that of the column it is inserted into, else TEXT.
func (q *selection) output(e ast.Expr) (plan.Expr, error) {
	a, err := q.rows.argument(e)
	if err != nil || a.typ().Kind != event.Unknown {
		return a.expr, err
	}
	to := text
	if at := len(q.outputs); at < len(q.targets) {
		to = q.targets[at]
	}
	return cast(a, to)
}

func (q *selection) expandStar(star *ast.Star, alias *ast.Name) error {
	switch {
	case alias != nil && star.Table == nil: // t.* AS x is t.*, as in PostgreSQL
		return event.Errorf(event.CodeSyntax, "* takes no alias").At(alias.Pos)
	case star.Table == nil && len(q.scope.columns) == 0:
		return event.Errorf(event.CodeSyntax, "* needs FROM").At(star.Pos)
	case star.Table != nil && !q.scope.has(star.Table.Text):
		if columns, ok := q.rows.outerTable(star.Table); ok && len(star.Exclude)+len(star.Replace) == 0 {
			return q.bindAll(columns)
		}
		return event.Errorf(event.CodeNotFound, "there is no %q in FROM", star.Table.Text).At(star.Pos)
	}
	seen := map[string]bool{}
	for _, i := range q.scope.starred(star.Table) {
		name := q.scope.columns[i].name
		seen[strings.ToLower(name)] = true
		replacement := slices.IndexFunc(star.Replace, func(item ast.Item) bool { return strings.EqualFold(item.Alias.Text, name) })
		switch {
		case slices.ContainsFunc(star.Exclude, func(n ast.Name) bool { return strings.EqualFold(n.Text, name) }):
		case replacement >= 0:
			e, err := q.output(star.Replace[replacement].Expr)
			if err != nil {
				return err
			}
			q.outputs = append(q.outputs, output{expr: e, name: name})
		default:
			ref := q.scope.ref(i)
			q.rows.at[ref] = star.Pos
			q.outputs = append(q.outputs, output{expr: ref, name: name})
		}
	}
	return q.checkStar(star, seen)
}

// bindAll adds columns of the row around this query to the result.
func (q *selection) bindAll(columns []*ast.Column) error {
	for _, c := range columns {
		e, err := q.rows.column(c)
		if err != nil {
			return err
		}
		q.outputs = append(q.outputs, output{expr: e, name: q.outputName(c, e)})
	}
	return nil
}

// checkStar refuses to leave out or replace what is not there.
func (q *selection) checkStar(star *ast.Star, seen map[string]bool) error {
	names := slices.Clone(star.Exclude)
	for _, item := range star.Replace {
		names = append(names, *item.Alias)
	}
	for _, n := range names {
		if !seen[strings.ToLower(n.Text)] {
			return q.scope.missing(n, nil)
		}
	}
	return nil
}

// outputName is the name of a column without alias: that of the column, its last member or the function it comes from.
func (q *selection) outputName(e ast.Expr, bound plan.Expr) string {
	switch e := e.(type) {
	case *ast.Column:
		last := e.Parts[len(e.Parts)-1].Text
		if ref, ok := bound.(*plan.ColumnRef); ok && strings.EqualFold(ref.Name, last) {
			return ref.Name
		}
		return last
	case *ast.Call:
		return strings.ToLower(e.Name.Text)
	case *ast.Cast:
		return q.outputName(e.Input, bound)
	case *ast.Case:
		return "case"
	case *ast.Row:
		return "row"
	case *ast.Exists:
		return "exists"
	case *ast.Array, *ast.ArrayQuery:
		return "array"
	case *ast.Query:
		return nameOfValue(bound)
	default:
		return "?column?"
	}
}

// nameOfValue is the name of the column of a query that stands as a value.
func nameOfValue(bound plan.Expr) string {
	if s, ok := bound.(*plan.Subquery); ok && s.Test == nil && !s.Mark {
		if columns := s.Plan.Columns(); len(columns) == 1 {
			return columns[0].Name
		}
	}
	return "?column?"
}

func (q *selection) bindWhere() error {
	if q.ast.Where == nil {
		return nil
	}
	var err error
	q.where, err = q.plain.condition(q.ast.Where, "WHERE")
	return err
}

func (q *selection) bindHaving() error {
	if q.ast.Having == nil {
		return nil
	}
	var err error
	inner := *q.rows
	inner.windows, inner.spreads, inner.place = nil, nil, "HAVING"
	q.having, err = inner.condition(q.ast.Having, "HAVING")
	return err
}

func (q *selection) group(e ast.Expr) (plan.Expr, error) {
	if n, ok := e.(*ast.Number); ok {
		i, err := q.ordinal(n, "GROUP BY")
		if err != nil {
			return nil, err
		}
		return q.outputs[i].expr, nil
	}
	if name, ok := bareName(e); ok {
		if _, matches := q.scope.find(name.Text); len(matches) == 0 {
			i, err := q.alias(name)
			if err != nil || i >= 0 {
				return q.aliased(i), err
			}
		}
	}
	return q.plain.value(e)
}

func (q *selection) aliased(i int) plan.Expr {
	if i < 0 {
		return nil
	}
	return q.outputs[i].expr
}

// ordinal reads a number that stands for an output column.
func (q *selection) ordinal(n *ast.Number, clause string) (int, error) {
	lit, ok := numberLiteral(n.Text)
	if ok {
		if v, whole := bigintValue(lit); whole && v >= 1 && v <= int64(len(q.outputs)) {
			return int(v - 1), nil
		}
	}
	return 0, event.Errorf(event.CodeBadRequest, "%s %.20s is not a column of the result", clause, n.Text).At(n.Pos).
		WithHint("the columns of the result count from 1 to %d", len(q.outputs))
}

func bareName(e ast.Expr) (ast.Name, bool) {
	c, ok := e.(*ast.Column)
	if !ok || len(c.Parts) != 1 {
		return ast.Name{}, false
	}
	return c.Parts[0], true
}

// alias finds the output column of a name: exactly, else but for case; -1 where there is none. Several columns may share the name
// only if they are the same.
func (q *selection) alias(n ast.Name) (int, error) {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		found := -1
		for i, o := range q.outputs {
			switch {
			case !same(o.name, n.Text):
			case found >= 0 && !sameExpr(q.outputs[found].expr, o.expr):
				return -1, event.Errorf(event.CodeAmbiguousColumn, "column %q of the result is ambiguous", n.Text).At(n.Pos)
			case found < 0:
				found = i
			}
		}
		if found >= 0 {
			return found, nil
		}
	}
	return -1, nil
}

// bindKeys binds ORDER BY. As in PostgreSQL a name is a column of the result first and of the input second.
func (q *selection) bindKeys() error {
	for _, o := range q.orders() {
		key := sortKey{order: o}
		if err := q.bindKey(&key, "ORDER BY"); err != nil {
			return err
		}
		if key.index < 0 && q.ast.Distinct && len(q.ast.DistinctOn) == 0 {
			return event.Errorf(event.CodeBadRequest, "with DISTINCT, ORDER BY takes only columns of the result").At(o.Expr.Position())
		}
		q.keys = append(q.keys, key)
	}
	return nil
}

// orders are the keys of ORDER BY; rows of values are ordered by one after another.
func (q *selection) orders() []ast.Order {
	var out []ast.Order
	for _, o := range q.ast.OrderBy {
		for _, value := range q.values(o.Expr) {
			part := o
			part.Expr = value
			out = append(out, part)
		}
	}
	return out
}

// values are what a key consists of: itself, unless it is a row, and the values of rows inside it.
func (q *selection) values(e ast.Expr) []ast.Expr {
	row, ok := q.rowOf(e)
	if !ok {
		return []ast.Expr{e}
	}
	var out []ast.Expr
	for _, item := range row.Items {
		out = append(out, q.values(item)...)
	}
	return out
}

// bindKey finds the column of the result that a key is, or binds it as an expression.
func (q *selection) bindKey(key *sortKey, clause string) error {
	key.index = -1
	e := key.order.Expr
	var err error
	if n, ok := e.(*ast.Number); ok {
		key.index, err = q.ordinal(n, clause)
	} else if name, ok := bareName(e); ok {
		key.index, err = q.alias(name)
	}
	if err == nil && key.index < 0 {
		key.expr, err = q.rows.value(e)
	}
	if err != nil {
		return err
	}
	for i, out := range q.outputs {
		if key.index < 0 && sameExpr(out.expr, key.expr) {
			key.index = i
		}
	}
	return nil
}

// aggregated reports whether the result has a row for each group instead of one for each row.
func (q *selection) aggregated() bool {
	return len(q.groups) > 0 || q.sets != nil || len(q.rows.aggregates.calls) > 0 || q.having != nil
}
