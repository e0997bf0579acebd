package bind

import (
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// aggregates are the aggregate calls of one select, each once.
type aggregates struct {
	calls      []plan.Aggregation
	groupingAt event.Position // of the latest call of grouping
	// fills says by call what its gaps have, where locf or interpolate says so; filling is what the calls have that are being bound.
	fills   []plan.FillMode
	filling plan.FillMode
}

// add returns what stands for a call while the select is bound: a reference to column -1-i, where i counts the calls.
func (a *aggregates) add(call plan.Aggregation) *plan.ColumnRef {
	for i, known := range a.calls {
		if sameAggregation(known, call) && a.fills[i] == a.filling {
			return standIn(i, known)
		}
	}
	a.calls, a.fills = append(a.calls, call), append(a.fills, a.filling)
	return standIn(len(a.calls)-1, call)
}

func standIn(i int, call plan.Aggregation) *plan.ColumnRef {
	return &plan.ColumnRef{Index: -1 - i, Name: call.String(), Typ: call.Fn.Result}
}

// hasAggregate reports whether a stand-in for an aggregate call is in e.
func hasAggregate(e plan.Expr) bool {
	if ref, ok := e.(*plan.ColumnRef); ok {
		return ref.Index < 0 && !isSpread(ref)
	}
	for _, in := range inputs(e) {
		if hasAggregate(in) {
			return true
		}
	}
	return false
}

// grouping rewrites expressions over the rows of a select into expressions over its groups.
type grouping struct {
	groups []plan.Expr
	// sampled is the time column that the first group, its bucket, stands for; nil without SAMPLE BY.
	sampled *plan.ColumnRef
	at      map[*plan.ColumnRef]event.Position
}

// rewrite replaces what equals a group by the group's column, and stand-ins by the columns of their calls. A column that is
// left has many values in a group, so it is an error.
func (g *grouping) rewrite(e plan.Expr) (plan.Expr, error) {
	for i, group := range g.groups {
		if sameExpr(e, group) {
			return &plan.ColumnRef{Index: i, Name: group.String(), Typ: group.Type()}, nil
		}
	}
	switch e := e.(type) {
	case *plan.ColumnRef:
		if isWindow(e) || isSpread(e) {
			return e, nil
		}
		if e.Index < 0 {
			return &plan.ColumnRef{Index: len(g.groups) - 1 - e.Index, Name: e.Name, Typ: e.Typ}, nil
		}
		if g.sampled != nil && e.Index == g.sampled.Index {
			return &plan.ColumnRef{Name: e.Name, Typ: e.Typ}, nil
		}
		return nil, event.Errorf(event.CodeBadRequest, "column %q is neither grouped nor aggregated", e.Name).At(g.at[e]).
			WithHint("add it to GROUP BY, or take one value of each group, as in max(%s)", e.Name)
	case *plan.Literal, *plan.OuterRef:
		return e, nil
	case *plan.Subquery:
		return g.rewriteSubquery(e)
	case *plan.Call:
		args, err := g.rewriteAll(readable(e))
		return &plan.Call{Fn: e.Fn, Args: args}, err
	case *plan.Cast:
		input, err := g.rewrite(e.Input)
		return &plan.Cast{Input: input, To: e.To, Try: e.Try}, err
	case *plan.Case:
		return g.rewriteCase(e)
	default:
		return nil, event.Errorf(event.CodeInternal, "regroup: %T is not a known expression", e)
	}
}

// readable are the arguments of a call that can be read: what stands in COALESCE behind a literal cannot.
func readable(e *plan.Call) []plan.Expr {
	if e.Fn.Name != "coalesce" {
		return e.Args
	}
	for i, arg := range e.Args {
		if lit, ok := arg.(*plan.Literal); ok && !lit.Value.IsNull(0) {
			return e.Args[:i+1]
		}
	}
	return e.Args
}

func (g *grouping) rewriteAll(list []plan.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = g.rewrite(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (g *grouping) rewriteCase(e *plan.Case) (plan.Expr, error) {
	list, err := g.rewriteAll(inputs(e))
	if err != nil {
		return nil, err
	}
	out := &plan.Case{Typ: e.Typ}
	for i := range e.Whens {
		out.Whens = append(out.Whens, plan.When{Condition: list[2*i], Then: list[2*i+1]})
	}
	if e.Else != nil {
		out.Else = list[len(list)-1]
	}
	return out, nil
}

func sameAggregation(a, b plan.Aggregation) bool {
	if (a.Filter == nil) != (b.Filter == nil) || !a.Fn.Same(b.Fn) || a.Distinct != b.Distinct || !sameExprs(a.Args, b.Args) {
		return false
	}
	if !sameKeys(a.Order, b.Order) {
		return false
	}
	return a.Filter == nil || sameExpr(a.Filter, b.Filter)
}

func sameExprs(a, b []plan.Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameExpr(a[i], b[i]) {
			return false
		}
	}
	return true
}

// sameExpr reports whether two expressions over the same input are written the same, names apart.
func sameExpr(a, b plan.Expr) bool {
	if a == b {
		return true
	}
	switch a := a.(type) {
	case *plan.ColumnRef:
		b, ok := b.(*plan.ColumnRef)
		return ok && a.Index == b.Index
	case *plan.Literal:
		b, ok := b.(*plan.Literal)
		return ok && a.Typ.Equal(b.Typ) && array.Equal(a.Value, b.Value)
	case *plan.Call:
		b, ok := b.(*plan.Call)
		return ok && a.Fn.Same(b.Fn) && sameExprs(a.Args, b.Args)
	case *plan.Cast:
		b, ok := b.(*plan.Cast)
		return ok && a.To.Equal(b.To) && a.Try == b.Try && sameExpr(a.Input, b.Input)
	case *plan.Case:
		b, ok := b.(*plan.Case)
		return ok && (a.Else == nil) == (b.Else == nil) && sameExprs(inputs(a), inputs(b))
	default:
		return false
	}
}
