package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// windows are the window calls of one select, each once, with the windows of its WINDOW clause.
type windows struct {
	named []ast.NamedWindow
	calls []windowCall
	// ties put rows in order that a window leaves equal: by arrival, where they are events of a stream.
	ties []plan.SortKey
}

// windowCall is a bound call with its window. Its expressions are over the same columns as the clauses of the select.
type windowCall struct {
	plan.WindowCall
	partition []plan.Expr
	order     []plan.SortKey
	// gap is that of the sessions that partitions fall into, the frames of the call; nil for other frames.
	gap *plan.Literal
	// natural tells that the order is not the window's but that of events, which the call goes by.
	natural bool
}

// firstWindow is the index of the reference that stands for the first window call until the select is planned; the others follow
// below it. It is below all that stand for aggregates.
const firstWindow = -1 << 30

// add returns what stands for a call while the select is bound.
func (w *windows) add(call windowCall) *plan.ColumnRef {
	for i, known := range w.calls {
		if known.sameWindow(call) && sameWindowCall(known.WindowCall, call.WindowCall) {
			return w.standIn(i)
		}
	}
	w.calls = append(w.calls, call)
	return w.standIn(len(w.calls) - 1)
}

func (w *windows) standIn(i int) *plan.ColumnRef {
	fn := w.calls[i].Fn
	return &plan.ColumnRef{Index: firstWindow - i, Name: fn.Name, Typ: fn.Result}
}

// isWindow reports whether a reference stands for a window call.
func isWindow(ref *plan.ColumnRef) bool { return ref.Index <= firstWindow }

// findWindow reports whether a stand-in for a window call is in e.
func findWindow(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) {
		ref, ok := e.(*plan.ColumnRef)
		found = found || (ok && isWindow(ref))
	})
	return found
}

func (c windowCall) sameWindow(o windowCall) bool {
	return sameExprs(c.partition, o.partition) && sameKeys(c.order, o.order) && sameGap(c.gap, o.gap)
}

func sameKeys(a, b []plan.SortKey) bool {
	return slices.EqualFunc(a, b, func(a, b plan.SortKey) bool {
		return a.Descending == b.Descending && a.NullsFirst == b.NullsFirst && sameExpr(a.Expr, b.Expr)
	})
}

func sameWindowCall(a, b plan.WindowCall) bool {
	same := sameAggregation(plan.Aggregation{Fn: a.Fn, Args: a.Args, Filter: a.Filter, Distinct: a.Distinct},
		plan.Aggregation{Fn: b.Fn, Args: b.Args, Filter: b.Filter, Distinct: b.Distinct})
	return same && a.IgnoreNulls == b.IgnoreNulls && a.Frame.Unit == b.Frame.Unit && a.Frame.Exclude == b.Frame.Exclude &&
		sameBound(a.Frame.Start, b.Frame.Start) && sameBound(a.Frame.End, b.Frame.End)
}

func sameBound(a, b plan.FrameBound) bool {
	if a.Kind != b.Kind || (a.Offset == nil) != (b.Offset == nil) {
		return false
	}
	return a.Offset == nil || sameExpr(a.Offset, b.Offset)
}

// window binds a call with OVER and stands for it until the select is planned.
func (x *scalars) window(name string, e *ast.Call) (plan.Expr, error) {
	name, ok := plainName(name)
	if !ok {
		return nil, unknownWindow(name, e)
	}
	if err := x.checkWindow(name, e); err != nil {
		return nil, err
	}
	inner := *x
	inner.windows, inner.spreads, inner.nested = nil, nil, "another window function"
	call := windowCall{}
	call.IgnoreNulls = e.IgnoreNulls
	aggregation, err := inner.windowArguments(name, e)
	if err != nil {
		return nil, err
	}
	call.Fn, call.Args, call.Distinct = aggregation.Fn, aggregation.Args, aggregation.Distinct
	if e.Filter != nil {
		if call.Filter, err = inner.condition(e.Filter, "the condition of FILTER"); err != nil {
			return nil, err
		}
	}
	spec, err := x.windows.resolve(e.Over)
	if err != nil {
		return nil, err
	}
	if err := inner.bindWindow(&call, spec); err != nil {
		return nil, err
	}
	if err := call.follow(name, aggregation.Order, e); err != nil {
		return nil, err
	}
	return x.narrowSum(x.windows.add(call), &aggregation), nil
}

// checkWindow refuses what no window function can be called with, or where none can stand.
func (x *scalars) checkWindow(name string, e *ast.Call) error {
	pos, fn := e.Name.Pos, plan.Functions[name][0]
	switch {
	case x.windows == nil && x.nested != "":
		return event.Errorf(event.CodeBadRequest, "a window function cannot stand inside %s", x.nested).At(pos).
			WithHint("compute the inner one in a query of WITH first")
	case x.windows == nil:
		err := event.Errorf(event.CodeBadRequest, "the window function %s cannot stand in %s", name, x.place).At(pos)
		if x.place == "WHERE" || x.place == "HAVING" {
			err = err.WithHint("conditions on window functions go into QUALIFY")
		}
		return err
	case !fn.Aggregate && !fn.Window:
		return event.Errorf(event.CodeSyntax, "%s is neither a window function nor an aggregate and takes no OVER", name).At(e.Over.Pos)
	case e.Distinct && !fn.Aggregate:
		return event.Errorf(event.CodeSyntax, "%s is no aggregate and takes no DISTINCT", name).At(pos)
	case e.Star && !fn.Aggregate:
		return event.Errorf(event.CodeSyntax, "only count takes *").At(pos)
	case e.Filter != nil && !fn.Aggregate:
		return event.Errorf(event.CodeSyntax, "%s is no aggregate and takes no FILTER", name).At(pos)
	case e.IgnoreNulls && !fn.FetchesValue():
		return event.Errorf(event.CodeSyntax, "%s takes no IGNORE NULLS", name).At(pos).
			WithHint("lag, lead, first_value, last_value and nth_value do; aggregates ignore NULLs anyway")
	}
	return nil
}

// bindWindow binds the partition, the order and the frame of a call.
func (x *scalars) bindWindow(call *windowCall, w *ast.Window) error {
	for _, e := range w.PartitionBy {
		key, err := x.value(e)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(call.partition, func(known plan.Expr) bool { return sameExpr(known, key) }) {
			call.partition = append(call.partition, key)
		}
	}
	for _, o := range w.OrderBy {
		key, err := x.value(o.Expr)
		if err != nil {
			return err
		}
		first := o.Nulls == ast.NullsFirst || (o.Nulls == ast.NullsDefault && o.Descending)
		call.order = append(call.order, plan.SortKey{Expr: key, Descending: o.Descending, NullsFirst: first})
	}
	if w.Session != nil {
		return x.bindSession(call, w)
	}
	var err error
	call.Frame, err = x.binder.frame(w.Frame, call.order)
	return err
}

// resolve finds the window that OVER asks for, with what the windows that it builds on say.
func (w *windows) resolve(over *ast.Over) (*ast.Window, error) {
	if over.Name == nil {
		return w.inherit(over.Window, len(w.named))
	}
	i, err := w.find(*over.Name, len(w.named))
	if err != nil {
		return nil, err
	}
	return w.inherit(w.named[i].Window, i)
}

// find is the place of a name among the first n windows.
func (w *windows) find(name ast.Name, n int) (int, error) {
	names := make([]string, n)
	for i, known := range w.named[:n] {
		if strings.EqualFold(known.Name.Text, name.Text) {
			return i, nil
		}
		names[i] = known.Name.Text
	}
	err := event.Errorf(event.CodeNotFound, "there is no window %q", name.Text).At(name.Pos)
	if n == 0 {
		return 0, err.WithHint("name it after the conditions: WINDOW %s AS (PARTITION BY ... ORDER BY ...)", name.Text)
	}
	return 0, suggest(err, name.Text, names)
}

// inherit adds to a window what its base says; only the first n windows can be one.
func (w *windows) inherit(window *ast.Window, n int) (*ast.Window, error) {
	if window.Base == nil {
		return window, nil
	}
	i, err := w.find(*window.Base, n)
	if err != nil {
		return nil, err
	}
	base, err := w.inherit(w.named[i].Window, i)
	if err != nil {
		return nil, err
	}
	refuse := func(what string) error {
		return event.Errorf(event.CodeBadRequest, "window %q %s", window.Base.Text, what).At(window.Base.Pos)
	}
	switch {
	case len(window.PartitionBy) > 0:
		return nil, refuse("is built on, so its PARTITION BY cannot be replaced")
	case len(window.OrderBy) > 0 && len(base.OrderBy) > 0:
		return nil, refuse("has an ORDER BY already")
	case base.Frame != nil, base.Session != nil:
		return nil, refuse("has a frame, so nothing can be built on it")
	}
	out := *window
	out.PartitionBy = base.PartitionBy
	if len(out.OrderBy) == 0 {
		out.OrderBy = base.OrderBy
	}
	return &out, nil
}

// bindWindows checks the windows of the WINDOW clause, also those that nothing uses.
func (q *selection) bindWindows() error {
	w := q.rows.windows
	inner := *q.rows
	inner.windows, inner.place = nil, "WINDOW"
	for i, named := range w.named {
		for _, earlier := range w.named[:i] {
			if strings.EqualFold(earlier.Name.Text, named.Name.Text) {
				return event.Errorf(event.CodeBadRequest, "window %q is defined twice", named.Name.Text).At(named.Name.Pos)
			}
		}
		spec, err := w.inherit(named.Window, i)
		if err != nil {
			return err
		}
		if err := inner.bindWindow(&windowCall{}, spec); err != nil {
			return err
		}
	}
	return nil
}

// bindQualify binds QUALIFY, in which a name is a column of the input first and of the result second.
func (q *selection) bindQualify() error {
	if q.ast.Qualify == nil {
		return nil
	}
	inner := *q.rows
	inner.byAlias = true
	var err error
	if q.qualify, err = inner.condition(q.ast.Qualify, "QUALIFY"); err != nil {
		return err
	}
	if len(q.rows.windows.calls) == 0 {
		return event.Errorf(event.CodeBadRequest, "QUALIFY needs a window function").At(q.ast.Qualify.Position()).
			WithHint("conditions on rows go into WHERE, conditions on groups into HAVING")
	}
	return nil
}

// aliased is the expression that a bare name stands for as a name of the result, where such names count; nil where it stands for none.
func (x *scalars) aliased(e *ast.Column) plan.Expr {
	if !x.byAlias || len(e.Parts) > 1 {
		return nil
	}
	q := selection{outputs: x.outputs}
	i, err := q.alias(e.Parts[0])
	if err != nil || i < 0 {
		return nil
	}
	return x.outputs[i].expr
}
