package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// answerAtOnce gives each Apply that is still there a plan that answers many rows together: the different combinations of values that rows of the
// left side give are a table, which the right side is joined with where it compares with them (Neumann and Kemper, Unnesting Arbitrary
// Queries, 2015). An Apply whose right side has something that this does not know stays as it is.
func answerAtOnce(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Apply)
		if !ok || a.AtOnce != nil || a.Kind == plan.RightJoin || a.Kind == plan.FullJoin {
			return n, nil
		}
		d := newDomain(a)
		right, ok := d.spread(a.Right)
		if !ok {
			return n, nil
		}
		out := *a
		out.Domain = d.table.ID
		width := plan.Width(a.Right)
		out.AtOnce = taken(right, append(upTo(width), width)...)
		return &out, nil
	})
}

// domain is the table of the values that an Apply asks for.
type domain struct{ table *plan.WorkTable }

func newDomain(a *plan.Apply) *domain {
	table := &plan.WorkTable{ID: min(0, lowestWork(a)) - 1, Cols: []plan.Column{{Name: "number", Type: event.Type{Kind: event.BigInt}}}}
	for _, e := range a.Args {
		table.Cols = append(table.Cols, plan.Column{Name: e.String(), Type: e.Type()})
	}
	return &domain{table: table}
}

// lowestWork is the lowest ID of work tables in a plan.
func lowestWork(n plan.Node) int {
	lowest := 0
	if w, ok := n.(*plan.WorkTable); ok {
		lowest = w.ID
	}
	for _, in := range n.Inputs() {
		lowest = min(lowest, lowestWork(in))
	}
	return lowest
}

// width is the number of the table's columns.
func (d *domain) width() int { return len(d.table.Cols) }

// spread is n for all rows of the domain at once: its columns and then those of the domain's row that they belong to. Where n gives a row for
// any values, so does the outcome. ok is false where n has something else than what can be told apart by that row.
func (d *domain) spread(n plan.Node) (out plan.Node, ok bool) {
	if !readsOuter(n) {
		return &plan.Join{Left: n, Right: d.table, Kind: plan.InnerJoin}, true
	}
	switch n := n.(type) {
	case *plan.Filter:
		input, ok := d.spread(n.Input)
		return &plan.Filter{Input: input, Predicate: d.within(n.Predicate, plan.Width(n.Input))}, ok && !plan.Volatile(n.Predicate)
	case *plan.Scan:
		if slices.ContainsFunc(n.Filter, plan.Volatile) {
			return nil, false
		}
		bare := *n
		bare.Filter = nil
		joined := &plan.Join{Left: &bare, Right: d.table, Kind: plan.InnerJoin}
		return &plan.Filter{Input: joined, Predicate: conjunction(d.withinAll(n.Filter, plan.Width(n)))}, true
	case *plan.Project:
		return d.spreadProject(n)
	case *plan.Aggregate:
		return d.spreadAggregate(n)
	case *plan.Sort:
		if n.Limit < 0 { // nobody sees an order
			return d.spread(n.Input)
		}
		return nil, false
	case *plan.Limit:
		return d.spreadLimit(n)
	case *plan.FirstRows:
		return d.spreadFirstRows(n)
	case *plan.Window:
		return d.spreadWindow(n)
	case *plan.Union:
		return d.spreadUnion(n)
	case *plan.Repeat:
		input, ok := d.spread(n.Input)
		return &plan.Repeat{Input: input, Times: d.within(n.Times, plan.Width(n.Input))}, ok
	case *plan.Values:
		return d.spreadValues(n)
	case *plan.Unnest:
		return d.spreadUnnest(n)
	case *plan.Join:
		return d.spreadJoin(n)
	case *plan.Apply:
		return d.spreadApply(n)
	default:
		return nil, false
	}
}

// within is an expression over n's columns, behind which those of the domain stand now.
func (d *domain) within(e plan.Expr, width int) plan.Expr {
	return rewriteExpr(e, func(e plan.Expr) plan.Expr {
		if outer, ok := e.(*plan.OuterRef); ok && outer.Index >= 0 {
			return d.column(outer.Index+1, width)
		}
		return e
	})
}

func (d *domain) withinAll(list []plan.Expr, width int) []plan.Expr {
	return mapAll(list, func(e plan.Expr) plan.Expr { return d.within(e, width) })
}

// column refers to a column of the domain behind others.
func (d *domain) column(i, width int) plan.Expr {
	return &plan.ColumnRef{Index: width + i, Name: d.table.Cols[i].Name, Typ: d.table.Cols[i].Type}
}

// columns are all columns of the domain behind others.
func (d *domain) columns(width int) (exprs []plan.Expr, names []string) {
	for i, c := range d.table.Cols {
		exprs, names = append(exprs, d.column(i, width)), append(names, c.Name)
	}
	return exprs, names
}

func (d *domain) spreadProject(n *plan.Project) (plan.Node, bool) {
	input, ok := d.spread(n.Input)
	if !ok || slices.ContainsFunc(n.Exprs, plan.Volatile) {
		return nil, false
	}
	width := plan.Width(n.Input)
	exprs, names := d.columns(width)
	return &plan.Project{
		Input: input, Exprs: append(slices.Clone(d.withinAll(n.Exprs, width)), exprs...), Names: append(slices.Clone(n.Names), names...),
	}, true
}

// spreadJoin joins sides that belong to the same row of the domain.
func (d *domain) spreadJoin(n *plan.Join) (plan.Node, bool) {
	if n.Kind == plan.RightJoin || n.Kind == plan.FullJoin {
		return nil, false
	}
	left, ok := d.spread(n.Left)
	if !ok {
		return nil, false
	}
	out := &plan.Join{Left: left, Right: n.Right, Kind: n.Kind, Mark: n.Mark}
	width, w := plan.Width(n.Left), d.width()
	beside := func(e plan.Expr) plan.Expr { return d.within(movedFrom(e, width, w), width) }
	out.On = mapAll(n.On, beside)
	if n.Test != nil {
		out.Test = beside(n.Test)
	}
	right := plan.Width(n.Right)
	if readsOuter(n.Right) {
		if out.Right, ok = d.spread(n.Right); !ok {
			return nil, false
		}
		number := d.column(0, width)
		same := &plan.Call{Fn: equality(number.Type()), Args: []plan.Expr{number, d.column(0, width+w+right)}}
		out.On = append([]plan.Expr{same}, out.On...)
	}
	if n.Kind == plan.MarkJoin {
		right = 1
	}
	return turned(out, width, w, right), true
}

// spreadApply gives the Apply inside the values of the domain as columns of its left side.
func (d *domain) spreadApply(n *plan.Apply) (plan.Node, bool) {
	left, ok := d.spread(n.Left)
	if !ok {
		return nil, false
	}
	width, w := plan.Width(n.Left), d.width()
	beside := func(e plan.Expr) plan.Expr { return d.within(movedFrom(e, width, w), width) }
	out := mapApply(n, beside).(*plan.Apply)
	out.Left = left
	right := plan.Width(n) - width
	return turned(out, width, w, right), true
}

// turned puts the second of three runs of columns behind the third, and drops what follows these.
func turned(n plan.Node, first, second, third int) plan.Node {
	order := upTo(first)
	for i := range third {
		order = append(order, first+second+i)
	}
	for i := range second {
		order = append(order, first+i)
	}
	return taken(n, order...)
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// taken is some columns of a node.
func taken(n plan.Node, columns ...int) *plan.Project {
	all := n.Columns()
	out := &plan.Project{Input: n}
	for _, i := range columns {
		out.Exprs, out.Names = append(out.Exprs, &plan.ColumnRef{Index: i, Name: all[i].Name, Typ: all[i].Type}), append(out.Names, all[i].Name)
	}
	return out
}
