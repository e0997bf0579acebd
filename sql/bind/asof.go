package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// asof takes the condition of an ASOF JOIN apart: equalities, and one inequality that says which row is the nearest.
func (j *joining) asof() error {
	if j.ast.On == nil && len(j.ast.Using) == 0 && !j.temporal {
		return event.Errorf(event.CodeSyntax, "ASOF JOIN needs ON or USING").At(j.ast.Pos).
			WithHint("as in ASOF JOIN q ON t.sym = q.sym AND t.ts >= q.ts, or USING (sym, ts); ASOF LEFT JOIN keeps rows without a partner")
	}
	pos := j.ast.Pos
	if j.ast.On != nil {
		pos = j.ast.On.Position()
	}
	width := len(j.left.columns)
	out := &plan.AsofJoin{Kind: joinKinds[j.ast.Kind]}
	toRight := func(e plan.Expr) plan.Expr { return shiftColumns(e, func(int) int { return -width }) }
	var left, right plan.Expr
	conditions := slices.Concat(j.on, j.queries)
	for i, c := range conditions {
		if l, r, ok := plan.SplitLookup(c, width); ok {
			out.LeftKeys, out.RightKeys = append(out.LeftKeys, l), append(out.RightKeys, toRight(r))
			continue
		}
		l, r, op, ok := plan.SplitInequality(c, width)
		if j.temporal && i < len(conditions)-1 && !hasQuery(c) { // the last one is that of the time
			if err := noVersionBy(c, width, pos); err != nil {
				return err
			}
			if j.ofPair != nil {
				c = call("and", boolean, j.ofPair, c)
			}
			j.ofPair = c
			continue
		}
		if !ok || out.Op != "" || hasQuery(c) {
			return event.Errorf(event.CodeBadRequest, "the condition of ASOF JOIN is equalities and one inequality of both sides").At(pos).
				WithHint("as in ON t.sym = q.sym AND t.ts >= q.ts; other conditions go into WHERE or into a query in FROM")
		}
		left, right, out.Op = l, r, op
	}
	if out.Op == "" {
		return event.Errorf(event.CodeBadRequest, "ASOF JOIN needs an inequality such as t.ts >= q.ts").At(pos)
	}
	out.LeftAt, out.RightAt = left, toRight(right)
	if j.row != nil && len(j.row.args) > 0 {
		return event.Errorf(event.CodeNotSupported, "a lateral right side of ASOF JOIN: not supported yet").At(j.ast.Pos)
	}
	j.nearest = out
	if j.ast.Tolerance == nil {
		return nil
	}
	within, err := j.tolerance(left, right, out.Op)
	out.Within = within
	return err
}

// noVersionBy refuses an equality of both sides that versions cannot be looked up by, since their types differ: it is meant to choose one.
func noVersionBy(e plan.Expr, width int, pos event.Position) error {
	c, ok := e.(*plan.Call)
	if !ok || c.Fn.Name != "=" || c.Args[0].Type().Equal(c.Args[1].Type()) {
		return nil
	}
	same := &plan.Call{Fn: plan.Functions["="][0], Args: c.Args}
	if _, _, both := plan.SplitEquality(same, width); !both {
		return nil
	}
	return event.Errorf(event.CodeNotSupported, "versions by an equality of %s and %s", c.Args[0].Type(), c.Args[1].Type()).At(pos).
		WithHint("convert one side, as in (o.attrs->>'id')::BIGINT = r.id")
}

// tolerance is the condition that the two values are at most so far apart.
func (j *joining) tolerance(left, right plan.Expr, op string) (plan.Expr, error) {
	a, err := j.binder.constants("TOLERANCE").argument(j.ast.Tolerance)
	if err != nil {
		return nil, err
	}
	earlier, later := argument{right, a.pos}, argument{left, a.pos}
	if op[0] == '<' {
		earlier, later = later, earlier
	}
	latest, err := applied("+", a.pos, earlier, a)
	if err != nil {
		return nil, err
	}
	return applied("<=", a.pos, later, argument{latest, a.pos})
}

// asofPlan joins two nodes; the right one is put into order, events of the same time by partition and offset.
func (j *joining) asofPlan() plan.Node {
	out := *j.nearest
	out.Left = j.left.node()
	keys := withTies([]plan.SortKey{{Expr: out.RightAt}}, j.right.eventOrder(false))
	out.Right = &plan.Sort{Input: j.right.node(), Keys: keys, Limit: -1}
	if j.ofPair == nil {
		return &out
	}
	return j.judged(&out)
}

// judged holds the pairs of a join with versions to the other conditions of ON: the version is chosen by key and time alone, and is a
// partner if they hold for it.
func (j *joining) judged(pairs *plan.AsofJoin) plan.Node {
	if pairs.Kind == plan.InnerJoin {
		return &plan.Filter{Input: pairs, Predicate: j.ofPair}
	}
	columns := pairs.Columns()
	out := firstColumns(pairs, len(columns)).(*plan.Project)
	for i := plan.Width(pairs.Left); i < len(columns); i++ {
		if typ := columns[i].Type; typ.Kind != event.Unknown {
			out.Exprs[i] = &plan.Case{Whens: []plan.When{{Condition: j.ofPair, Then: out.Exprs[i]}}, Typ: typ}
		}
	}
	return out
}

// bareColumns reports whether a condition is nothing but names, as where others write ON (sym).
func bareColumns(on ast.Expr) (pos event.Position, bare bool) {
	switch on := on.(type) {
	case *ast.Column:
		return on.Position(), true
	case *ast.Row:
		for _, item := range on.Items {
			if _, bare := bareColumns(item); !bare {
				return pos, false
			}
		}
		return on.Position(), true
	default:
		return pos, false
	}
}

// checkAsof refuses the kinds of join that know no nearest row.
func checkAsof(t *ast.Join) error {
	if pos, bare := bareColumns(t.On); bare {
		return event.Errorf(event.CodeBadRequest, "ON of ASOF JOIN compares columns").At(pos).
			WithHint("write a ASOF LEFT JOIN b ON a.sym = b.sym AND a.ts >= b.ts, with the times of both, or USING (sym, ts); " +
				"ASOF JOIN leaves out rows without a partner, ASOF LEFT JOIN keeps them")
	}
	if t.Kind == ast.InnerJoin || t.Kind == ast.LeftJoin {
		return nil
	}
	return event.Errorf(event.CodeNotSupported, "ASOF %s: not supported yet", t.Kind).At(t.Pos).WithHint("ASOF JOIN and ASOF LEFT JOIN are there")
}
