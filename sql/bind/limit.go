package bind

import (
	"math"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// limited puts LIMIT and OFFSET on top of a node: as numbers where they are written as such, else as what computes them when the plan
// runs.
func (q *selection) limited(node plan.Node) (plan.Node, error) {
	if q.ast.Limit == nil && q.ast.Offset == nil {
		return node, nil
	}
	x := q.binder.constants("LIMIT")
	x.withs, x.outer, x.queries = q.rows.withs, q.rows.outer, true
	var exprs [2]plan.Expr
	for i, e := range []ast.Expr{q.ast.Limit, q.ast.Offset} {
		var err error
		if exprs[i], err = x.rowCount(e, []string{"LIMIT", "OFFSET"}[i]); err != nil {
			return nil, err
		}
	}
	count, countKnown := knownRows(exprs[0], -1)
	offset, offsetKnown := knownRows(exprs[1], 0)
	if q.ast.Ties && offsetKnown { // withTies has left the rows that count
		count, countKnown = -1, true
	}
	if !countKnown || !offsetKnown {
		a := &attachment{node: oneRow()}
		bounds := &plan.Project{Exprs: each(exprs[:], a.rewrite), Names: []string{"limit", "offset"}}
		bounds.Input = a.node
		return &plan.Limit{Input: node, Count: -1, Bounds: bounds}, nil
	}
	if count < 0 && offset == 0 {
		return node, nil
	}
	return &plan.Limit{Input: node, Count: count, Offset: offset}, nil
}

// withTies adds the rank of rows in ORDER BY as the last column, and keeps those that LIMIT and OFFSET reach: OFFSET is still to be applied.
func (q *selection) withTies(node plan.Node) (plan.Node, error) {
	pos := q.ast.Limit.Position()
	if len(q.keys) == 0 {
		return nil, event.Errorf(event.CodeSyntax, "WITH TIES needs ORDER BY").At(pos).
			WithHint("it keeps the rows that are equal in ORDER BY to the last one")
	}
	x, reached := q.binder.constants("LIMIT"), int64(0)
	for i, e := range []ast.Expr{q.ast.Limit, q.ast.Offset} {
		bound, err := x.rowCount(e, []string{"FETCH FIRST", "OFFSET"}[i])
		if err != nil {
			return nil, err
		}
		n, known := knownRows(bound, 0)
		if !known || i == 0 && isNull(bound) {
			return nil, event.Errorf(event.CodeNotSupported, "WITH TIES with a number of rows that is computed").At(pos).WithHint("write the number out")
		}
		if reached += n; reached < 0 {
			reached = math.MaxInt64
		}
	}
	rank := plan.Functions["rank"][0]
	ranked := &plan.Window{Input: node, Order: planKeys(node.Columns(), q.keys), Calls: []plan.WindowCall{{Fn: rank}}, Names: []string{"rank"}}
	columns := ranked.Columns()
	last := argument{columnOf(columns, len(columns)-1), pos}
	keep, err := applied("<=", pos, last, argument{bigintLiteral(reached), pos})
	return &plan.Filter{Input: ranked, Predicate: keep}, err
}

// rowCount binds a number of rows; NULL stands for a clause that is not there.
func (x *scalars) rowCount(e ast.Expr, clause string) (plan.Expr, error) {
	if e == nil {
		return nullLiteral(bigint), nil
	}
	a, err := x.argumentAs(e, []event.Type{bigint})
	if err != nil {
		return nil, err
	}
	if kind := a.typ().Kind; kind == event.Unknown || a.typ().IsNumeric() {
		if a.expr, err = cast(a, bigint); err != nil {
			return nil, err
		}
	}
	n, known := bigintValue(a.expr)
	if a.typ().Kind != event.BigInt || (known && n < 0) {
		return nil, event.Errorf(event.CodeBadRequest, "%s takes a whole number from 0 on", clause).At(a.pos)
	}
	return a.expr, nil
}

// knownRows is the number that a literal is; none for NULL.
func knownRows(e plan.Expr, none int64) (rows int64, known bool) {
	if isNull(e) {
		return none, true
	}
	return bigintValue(e)
}

// oneRow is a table of one row without columns.
func oneRow() plan.Node { return &plan.Values{Rows: [][]plan.Expr{{}}} }
