package bind

import (
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// combinedPlan plans a set operation or VALUES, with ORDER BY and LIMIT over its columns.
func (b *binder) combinedPlan(s *ast.Select, w *withs, targets []event.Type) (plan.Node, error) {
	b.marks = b.marks && s.Limit == nil && s.Offset == nil && len(s.OrderBy) == 0
	node, err := b.combined(s, w, targets)
	if err != nil || (len(s.OrderBy) == 0 && s.Limit == nil && s.Offset == nil) {
		return node, err
	}
	q := b.newSelection(s, scopeOf(node, nil), w, nil)
	for i, c := range q.scope.columns {
		q.outputs = append(q.outputs, output{expr: q.scope.ref(i), name: c.name})
	}
	if err := q.bindKeys(); err != nil {
		return nil, err
	}
	return q.plan()
}

func (b *binder) combined(s *ast.Select, w *withs, targets []event.Type) (plan.Node, error) {
	if s.Set == nil {
		return b.valuesPlan(s.Rows, w, targets)
	}
	operands := b.operands
	if s.Set.ByName {
		operands = b.namedOperands
	}
	left, right, err := operands(s.Set, w, targets)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Set.Op != ast.Union:
		return matched(s.Set, left, right), nil
	case s.Set.All:
		return &plan.Union{Parts: []plan.Node{left, right}}, nil
	default:
		return distinct(&plan.Union{Parts: []plan.Node{left, right}}), nil
	}
}

// operands plans both sides and brings their columns to common types, under the names of the left ones. A literal without type
// takes the type of its column on the other side.
func (b *binder) operands(s *ast.SetOperation, w *withs, targets []event.Type) (left, right plan.Node, err error) {
	marks := b.marks && s.Op == ast.Union && s.All
	b.marks = marks
	if left, err = b.selectPlan(s.Left, w, targets); err != nil {
		return nil, nil, err
	}
	marks = b.marked
	wanted := targets
	if wanted == nil {
		wanted = typesOf(left)
	}
	b.marks = marks
	if right, err = b.selectPlan(s.Right, w, wanted); err != nil {
		return nil, nil, err
	}
	if marks && !b.marked { // the sides agree, or neither has them
		b.marks = false
		return b.operands(s, w, targets)
	}
	if l, r := plan.Width(left), plan.Width(right); l != r {
		return nil, nil, event.Errorf(event.CodeBadRequest, "%s of %d columns and %d columns", s.Op, l, r).At(s.Pos)
	}
	common, err := commonTypes(s, left, right)
	if err != nil && targets == nil {
		// The left side may hold literals that took TEXT before the right side's types were known.
		if again := b.countTable(s.Pos); again != nil {
			return nil, nil, again
		}
		b.marks = marks
		rebound, leftErr := b.selectPlan(s.Left, w, typesOf(right))
		if leftErr != nil {
			return nil, nil, err
		}
		left = rebound
		common, err = commonTypes(s, left, right)
	}
	if err != nil {
		return nil, nil, err
	}
	names := left.Columns()
	return converted(left, names, common), converted(right, names, common), nil
}

func typesOf(n plan.Node) []event.Type {
	var out []event.Type
	for _, c := range n.Columns() {
		out = append(out, c.Type)
	}
	return out
}

func commonTypes(s *ast.SetOperation, left, right plan.Node) ([]event.Type, error) {
	l, r := left.Columns(), right.Columns()
	out := make([]event.Type, len(l))
	for i := range l {
		args := []argument{{columnOf(l, i), s.Left.Pos}, {columnOf(r, i), s.Right.Pos}}
		typ, _, err := unify(args, "column "+strconv.Itoa(i+1)+" of "+s.Op.String())
		if err != nil {
			return nil, err
		}
		out[i] = typ
	}
	return out, nil
}

// converted gives a node's columns other types and names, where they differ.
func converted(n plan.Node, names []plan.Column, types []event.Type) plan.Node {
	p := &plan.Project{Input: n}
	columns := n.Columns()
	same := true
	for i, c := range columns {
		var e plan.Expr = columnOf(columns, i)
		if !c.Type.Equal(types[i]) || c.Type.Clock != types[i].Clock {
			e = &plan.Cast{Input: e, To: types[i]}
			same = false
		}
		same = same && c.Name == names[i].Name
		p.Exprs, p.Names = append(p.Exprs, e), append(p.Names, names[i].Name)
	}
	if same {
		return n
	}
	return p
}

// matched plans INTERSECT and EXCEPT: the rows of both sides are grouped by all columns, and the numbers of rows that each side
// has of a group say how often it comes out.
func matched(s *ast.SetOperation, left, right plan.Node) plan.Node {
	width := plan.Width(left)
	both := &plan.Union{Parts: []plan.Node{tagged(left, true), tagged(right, false)}}
	columns := both.Columns()
	agg := &plan.Aggregate{Input: both}
	for i, c := range columns[:width] {
		agg.Groups, agg.Names = append(agg.Groups, columnOf(columns, i)), append(agg.Names, c.Name)
	}
	isLeft := plan.Expr(columnOf(columns, width))
	isRight := &plan.Call{Fn: plan.Functions["not"][0], Args: []plan.Expr{isLeft}}
	for _, side := range []struct {
		name   string
		filter plan.Expr
	}{{"left", isLeft}, {"right", isRight}} {
		agg.Aggregates = append(agg.Aggregates, plan.Aggregation{Fn: plan.Functions["count"][0], Filter: side.filter})
		agg.Names = append(agg.Names, side.name)
	}
	counts := agg.Columns()
	l, r := columnOf(counts, width), columnOf(counts, width+1)
	zero := bigintLiteral(0)
	if !s.All {
		op := ">"
		if s.Op == ast.Except {
			op = "="
		}
		keep := call("and", boolean, call(">", bigint, l, zero), call(op, bigint, r, zero))
		return firstColumns(&plan.Filter{Input: agg, Predicate: keep}, width)
	}
	times := call("least", bigint, l, r)
	if s.Op == ast.Except {
		times = call("-", bigint, l, r)
	}
	return firstColumns(&plan.Repeat{Input: agg, Times: times}, width)
}

// tagged adds a column that tells the sides apart.
func tagged(n plan.Node, left bool) plan.Node {
	p := firstColumns(n, plan.Width(n)).(*plan.Project)
	p.Exprs, p.Names = append(p.Exprs, boolLiteral(left)), append(p.Names, "is_left")
	return p
}

// call applies the overload of a function whose first argument has the type given.
func call(name string, first event.Type, args ...plan.Expr) plan.Expr {
	for _, f := range plan.Functions[name] {
		if f.Args[0].Equal(first) && (len(f.Args) == len(args) || f.Variadic) {
			return &plan.Call{Fn: f, Args: args}
		}
	}
	return nil // every caller names an overload that there is
}
