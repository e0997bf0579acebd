package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// hasQuery reports whether a subquery is in e.
func hasQuery(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) {
		_, ok := e.(*plan.Subquery)
		found = found || ok
	})
	return found
}

// splitQueries takes the conditions with subqueries out of ON. In an inner join they are as conditions of WHERE. In the others a subquery
// becomes a column of the one side whose columns it takes, before the sides are joined.
func (j *joining) splitQueries() {
	var plain []plan.Expr
	for _, c := range j.on {
		if hasQuery(c) {
			j.queries = append(j.queries, c)
		} else {
			plain = append(plain, c)
		}
	}
	j.on = plain
}

// checkQueries looks for a subquery of an outer join that takes columns of both sides: the join then goes by rows, if it can.
func (j *joining) checkQueries(pos event.Position) error {
	kind := j.ast.Kind
	if kind == ast.InnerJoin || kind == ast.CrossJoin {
		return nil
	}
	outer := j.binder.outer
	canApply := (kind == ast.LeftJoin || kind == ast.RightJoin) && j.row == nil && (outer == nil || len(outer.args) == 0)
	for _, c := range j.queries {
		var err error
		plan.Walk(c, func(e plan.Expr) {
			s, ok := e.(*plan.Subquery)
			if !ok {
				return
			}
			left, right := j.readsSides(s)
			switch {
			case left && right && canApply && !nestedQuery(s):
				j.byRow = true
			case left && right || nestedQuery(s):
				err = event.Errorf(event.CodeNotSupported, "a query in ON of an outer join over columns of both its sides: not supported yet").At(pos).
					WithHint("join an inner query that has the condition as a column")
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nestedQuery reports whether a subquery's operands hold another one.
func nestedQuery(s *plan.Subquery) bool {
	for _, e := range plan.Operands(s) {
		if hasQuery(e) {
			return true
		}
	}
	return false
}

// readsSides says of which sides a subquery takes columns.
func (j *joining) readsSides(s *plan.Subquery) (left, right bool) {
	for _, e := range plan.Operands(s) {
		plan.Walk(e, func(e plan.Expr) {
			if c, ok := e.(*plan.ColumnRef); ok {
				left = left || c.Index < len(j.left.columns)
				right = right || c.Index >= len(j.left.columns)
			}
		})
	}
	return left, right
}

// joinWithQueries plans a join with subqueries in its conditions.
func (j *joining) joinWithQueries() plan.Node {
	if kind := j.ast.Kind; kind == ast.InnerJoin || kind == ast.CrossJoin {
		a := &attachment{node: j.plainJoin(j.left.node(), j.right.node(), j.on)}
		width := plan.Width(a.node)
		for _, c := range j.queries {
			predicate := a.rewrite(c)
			a.node = &plan.Filter{Input: a.node, Predicate: predicate}
		}
		return firstColumns(a.node, width)
	}
	if j.byRow {
		return j.joinByRow()
	}
	leftWidth, rightWidth := len(j.left.columns), len(j.right.columns)
	left, right := &attachment{node: j.left.node()}, &attachment{node: j.right.node()}
	for _, c := range j.queries {
		plan.Walk(c, func(e plan.Expr) {
			s, ok := e.(*plan.Subquery)
			if !ok {
				return
			}
			if _, ofRight := j.readsSides(s); ofRight {
				shifted := shiftQuery(s, -leftWidth)
				right.attach(shifted)
				right.done[s] = right.done[shifted]
			} else {
				left.attach(s)
			}
		})
	}
	added := plan.Width(left.node) - leftWidth
	place := func(e plan.Expr) plan.Expr { return placed(e, left, right, leftWidth, added) }
	join := j.plainJoin(left.node, right.node, append(each(j.on, place), each(j.queries, place)...))
	columns := join.Columns()
	out := &plan.Project{Input: join}
	for i := range leftWidth + rightWidth {
		at := i
		if i >= leftWidth {
			at += added
		}
		out.Exprs, out.Names = append(out.Exprs, columnOf(columns, at)), append(out.Names, columns[at].Name)
	}
	return out
}

// joinByRow plans an outer join whose conditions hold subqueries over both sides: for each row of the side that keeps all of its rows, those
// of the other one for which the conditions are true.
func (j *joining) joinByRow() plan.Node {
	outer, inner := j.left.node(), j.right.node()
	leftWidth := len(j.left.columns)
	isOuter, start := func(i int) bool { return i < leftWidth }, leftWidth
	if j.ast.Kind == ast.RightJoin {
		outer, inner = inner, outer
		isOuter, start = func(i int) bool { return i >= leftWidth }, 0
	}
	width := plan.Width(inner)
	apply := &plan.Apply{Left: outer, Kind: plan.LeftJoin}
	var place func(e plan.Expr) plan.Expr
	place = func(e plan.Expr) plan.Expr {
		switch e := e.(type) {
		case *plan.Subquery:
			out := &plan.Subquery{Plan: e.Plan, Args: each(e.Args, place), Mark: e.Mark}
			if e.Test != nil {
				out.Test = place(e.Test)
			}
			return out
		case *plan.ColumnRef:
			if !isOuter(e.Index) {
				return &plan.ColumnRef{Index: e.Index - start, Name: e.Name, Typ: e.Typ}
			}
			own := &plan.ColumnRef{Index: e.Index - (leftWidth - start), Name: e.Name, Typ: e.Typ}
			apply.Args = append(apply.Args, own)
			return &plan.OuterRef{Index: len(apply.Args) - 1, Name: e.Name, Typ: e.Typ}
		default:
			return overParts(e, place)
		}
	}
	right := &attachment{node: inner}
	for _, c := range append(each(j.on, place), each(j.queries, place)...) {
		predicate := right.rewrite(c)
		right.node = &plan.Filter{Input: right.node, Predicate: predicate}
	}
	apply.Right = firstColumns(right.node, width)
	if j.ast.Kind == ast.LeftJoin {
		return apply
	}
	columns := apply.Columns()
	out := &plan.Project{Input: apply}
	for i := range columns {
		at := (i + len(columns) - width) % len(columns) // the columns of the right side come behind
		out.Exprs, out.Names = append(out.Exprs, columnOf(columns, at)), append(out.Names, columns[at].Name)
	}
	return out
}

// shiftQuery is a subquery whose operands are over columns that stand so many places further.
func shiftQuery(s *plan.Subquery, by int) *plan.Subquery {
	shift := func(e plan.Expr) plan.Expr { return shiftColumns(e, func(int) int { return by }) }
	out := &plan.Subquery{Plan: s.Plan, Args: each(s.Args, shift), Mark: s.Mark}
	if s.Test != nil {
		out.Test = shift(s.Test)
	}
	return out
}

// placed is a condition over both sides, to which subqueries have added columns.
func placed(e plan.Expr, left, right *attachment, leftWidth, added int) plan.Expr {
	put := func(e plan.Expr) plan.Expr { return placed(e, left, right, leftWidth, added) }
	if s, ok := e.(*plan.Subquery); ok {
		if column, ok := left.done[s]; ok {
			return column
		}
		column := right.done[s].(*plan.ColumnRef)
		return &plan.ColumnRef{Index: column.Index + leftWidth + added, Name: column.Name, Typ: column.Typ}
	}
	if c, ok := e.(*plan.ColumnRef); ok {
		if c.Index < leftWidth {
			return c
		}
		return &plan.ColumnRef{Index: c.Index + added, Name: c.Name, Typ: c.Typ}
	}
	return overParts(e, put)
}

// shiftColumns moves the columns of an expression by what by says of each.
func shiftColumns(e plan.Expr, by func(index int) int) plan.Expr {
	if c, ok := e.(*plan.ColumnRef); ok {
		return &plan.ColumnRef{Index: c.Index + by(c.Index), Name: c.Name, Typ: c.Typ}
	}
	return overParts(e, func(e plan.Expr) plan.Expr { return shiftColumns(e, by) })
}

// overParts is e with f applied to what it is made of.
func overParts(e plan.Expr, f func(plan.Expr) plan.Expr) plan.Expr {
	switch e := e.(type) {
	case *plan.Call:
		return &plan.Call{Fn: e.Fn, Args: each(e.Args, f)}
	case *plan.Cast:
		return &plan.Cast{Input: f(e.Input), To: e.To, Try: e.Try}
	case *plan.Case:
		out := &plan.Case{Typ: e.Typ}
		for _, w := range e.Whens {
			out.Whens = append(out.Whens, plan.When{Condition: f(w.Condition), Then: f(w.Then)})
		}
		if e.Else != nil {
			out.Else = f(e.Else)
		}
		return out
	default:
		return e
	}
}
