package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

var joinKinds = map[ast.JoinKind]plan.JoinKind{
	ast.CrossJoin: plan.InnerJoin, ast.InnerJoin: plan.InnerJoin, ast.LeftJoin: plan.LeftJoin, ast.RightJoin: plan.RightJoin,
	ast.FullJoin: plan.FullJoin,
}

// joining binds one join: two scopes become one, whose columns are those of the left followed by those of the right and, for
// USING and NATURAL, one for each pair of columns that they equate.
type joining struct {
	binder      *binder
	ast         *ast.Join
	left, right *scope
	both        *scope
	on          []plan.Expr
	queries     []plan.Expr // conditions with subqueries in them
	byRow       bool        // one of them takes columns of both sides of an outer join
	withs       *withs
	// nearest is an ASOF JOIN, without inputs; nil for other joins.
	nearest *plan.AsofJoin
	// temporal tells that it is one by FOR SYSTEM_TIME AS OF, and ofPair is what its other conditions say, which choose no version; nil where there are
	// none.
	temporal bool
	ofPair   plan.Expr
	// row is what a lateral right side takes of the left one; nil for other joins.
	row *outerRow
	// merged are the columns after those of both sides.
	merged []output
}

// join makes the scope of two tables.
func (b *binder) join(t *ast.Join, w *withs) (*scope, error) {
	t, asOf := temporal(t)
	if t.Asof {
		if err := checkAsof(t); err != nil {
			return nil, err
		}
	}
	left, err := b.from(t.Left, w)
	if err != nil {
		return nil, err
	}
	left.whole()
	right, row, err := b.rightSide(t, left, w)
	if err != nil {
		return nil, err
	}
	for _, name := range right.tables {
		if left.has(name.Text) {
			return nil, event.Errorf(event.CodeBadRequest, "FROM calls two tables %q", name.Text).At(name.Pos).
				WithHint("give one of them another name, as in %s AS other", name.Text)
		}
	}
	right.whole()
	j := &joining{binder: b, ast: t, left: left, right: right, withs: w, row: row}
	j.both = j.scope()
	j.temporal = asOf != nil
	if err := j.condition(); err != nil {
		return nil, err
	}
	if err := j.within(); err != nil {
		return nil, err
	}
	if asOf != nil {
		if err := j.asOfTime(asOf); err != nil {
			return nil, err
		}
	}
	if t.Asof {
		if err := j.asof(); err != nil {
			return nil, err
		}
	}
	j.both.node = j.node
	return j.both, nil
}

func (j *joining) scope() *scope {
	out := &scope{parts: []*scope{j.left, j.right}, tables: append(append([]ast.Name(nil), j.left.tables...), j.right.tables...)}
	out.columns = append(append(out.columns, j.left.columns...), j.right.columns...)
	out.star = append(out.star, j.left.star...)
	for _, i := range j.right.star {
		out.star = append(out.star, len(j.left.columns)+i)
	}
	return out
}

func (j *joining) node() plan.Node {
	var out plan.Node
	switch {
	case j.nearest != nil:
		out = j.asofPlan()
	case len(j.queries) == 0:
		out = j.plainJoin(j.left.node(), j.right.node(), j.on)
	default:
		out = j.joinWithQueries()
	}
	if len(j.merged) == 0 {
		return out
	}
	columns := out.Columns()
	p := firstColumns(out, len(columns)).(*plan.Project)
	for _, m := range j.merged {
		p.Exprs, p.Names = append(p.Exprs, m.expr), append(p.Names, m.name)
	}
	return p
}

// plainJoin joins two nodes.
func (j *joining) plainJoin(left, right plan.Node, on []plan.Expr) plan.Node {
	kind := joinKinds[j.ast.Kind]
	if j.row != nil && len(j.row.args) > 0 {
		return &plan.Apply{Left: left, Right: right, Kind: kind, Args: j.row.args, On: on}
	}
	return &plan.Join{Left: left, Right: right, Kind: kind, On: on}
}

func (j *joining) condition() error {
	switch {
	case j.ast.On != nil:
		x := &scalars{binder: j.binder, scope: j.both, place: "ON", withs: j.withs, outer: j.binder.outer, queries: true}
		on, err := x.condition(j.ast.On, "the condition of ON")
		if err != nil {
			return err
		}
		j.on = plan.Conjuncts(on)
		j.splitQueries()
		return j.checkQueries(j.ast.On.Position())
	case j.ast.Natural:
		return j.equateAll(j.common())
	default:
		return j.equateAll(j.ast.Using)
	}
}

// within adds to the conditions of a join how far the event times of its sides may lie apart.
func (j *joining) within() error {
	w := j.ast.Within
	if w == nil {
		return nil
	}
	left, right := j.left.timeline(), j.right.timeline()
	if left == nil || right == nil {
		return event.Errorf(event.CodeBadRequest, "WITHIN needs a stream on either side").At(w.Pos).
			WithHint("bound the time in ON: b.ts BETWEEN a.ts - INTERVAL '10 seconds' AND a.ts + INTERVAL '10 seconds'")
	}
	right = j.both.ref(len(j.left.columns) + right.Index)
	for _, bound := range []struct {
		op, sign string
		width    ast.Expr
	}{{">=", "-", w.Before}, {"<=", "+", w.After}} {
		width, err := j.binder.constantInterval("WITHIN", bound.width)
		if err != nil {
			return err
		}
		limit, err := applied(bound.sign, w.Pos, argument{left, w.Pos}, argument{width, w.Pos})
		if err != nil {
			return err
		}
		condition, err := applied(bound.op, w.Pos, argument{right, w.Pos}, argument{limit, w.Pos})
		if err != nil {
			return err
		}
		j.on = append(j.on, condition)
	}
	return nil
}

// common are the columns that both sides have, as NATURAL joins by them.
func (j *joining) common() []ast.Name {
	var out []ast.Name
	for _, i := range j.left.star {
		name := j.left.columns[i].name
		for _, k := range j.right.star {
			if j.right.columns[k].name == name {
				out = append(out, ast.Name{Text: name, Quoted: true, Pos: j.ast.Pos})
				break
			}
		}
	}
	return out
}

// equateAll joins by columns of the same name on both sides, which * then shows once, before the others. The last column of an ASOF JOIN
// is the one to be nearest in, at the left side's value or before.
func (j *joining) equateAll(names []ast.Name) error {
	var first []int
	seen := map[int]bool{}
	for i, n := range names {
		l, matches := j.left.find(n.Text)
		if len(matches) != 1 {
			return j.left.missing(n, matches)
		}
		r, matches := j.right.find(n.Text)
		if len(matches) != 1 {
			return j.right.missing(n, matches)
		}
		if seen[l] {
			return event.Errorf(event.CodeBadRequest, "column %q stands twice in USING", n.Text).At(n.Pos)
		}
		seen[l], seen[len(j.left.columns)+r] = true, true
		comparison := "="
		if j.ast.Asof && !j.temporal && i == len(names)-1 {
			comparison = ">=" // as DuckDB has it
		}
		at, err := j.equate(n, l, r, comparison)
		if err != nil {
			return err
		}
		first = append(first, at)
	}
	for _, i := range j.both.star {
		if !seen[i] {
			first = append(first, i)
		}
	}
	j.both.star = first
	return nil
}

// equate finds the column that stands for column l of the left side and r of the right one: the one that always holds their value, else
// one that it adds.
func (j *joining) equate(n ast.Name, l, r int, comparison string) (int, error) {
	r += len(j.left.columns)
	left, right := argument{j.both.ref(l), n.Pos}, argument{j.both.ref(r), n.Pos}
	condition, err := applied(comparison, n.Pos, left, right)
	if err != nil {
		return 0, err
	}
	j.on = append(j.on, condition)
	typ, values, err := unify([]argument{left, right}, "column "+n.Text)
	if err != nil {
		return 0, err
	}
	value, at, other := values[0], l, r
	switch j.ast.Kind {
	case ast.RightJoin:
		value, at, other = values[1], r, l
	case ast.FullJoin:
		if value, err = applied("coalesce", n.Pos, argument{values[0], n.Pos}, argument{values[1], n.Pos}); err != nil {
			return 0, err
		}
	default: // the left value is the one that is there
	}
	columns := j.both.columns
	columns[other].covered = true
	if ref, ok := value.(*plan.ColumnRef); ok && ref.Index == at && columns[at].name == columns[l].name {
		return at, nil
	}
	columns[at].covered = true
	j.merged = append(j.merged, output{expr: value, name: columns[l].name})
	j.both.columns = append(j.both.columns, scopeColumn{name: columns[l].name, typ: typ})
	return len(columns), nil
}

// starred lists the columns that * or table.* means.
func (s *scope) starred(table *ast.Name) []int {
	if table == nil {
		return s.star
	}
	var out []int
	for i, c := range s.columns {
		if !c.hidden && strings.EqualFold(c.table, table.Text) {
			out = append(out, i)
		}
	}
	return out
}
