package bind

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// resolveArray chooses the form of a function over arrays and brings the arguments to its types. found is false where the name has no
// such form, or another meaning for arguments none of which is an array.
func resolveArray(name string, pos event.Position, args []argument) (fn *plan.Function, exprs []plan.Expr, found bool, err error) {
	forms := plan.FormsOf(name)
	isArray := func(a argument) bool { return a.typ().Kind == event.Array }
	if len(forms) == 0 || (len(plan.Functions[name]) > 0 && !slices.ContainsFunc(args, isArray)) {
		return nil, nil, false, nil
	}
	var first error
	for _, form := range forms {
		if len(args) != len(form.Args) && !form.Variadic || form.Variadic && len(args) == 0 {
			continue
		}
		fn, exprs, err := useForm(form, args)
		if err == nil {
			return fn, exprs, true, nil
		}
		if first == nil {
			first = err
		}
	}
	if len(plan.Functions[name]) > 0 && first == nil {
		return nil, nil, false, nil
	}
	if first == nil {
		first = event.Errorf(event.CodeTypeMismatch, "%s does not take %d arguments", name, len(args)).At(pos)
	}
	return nil, nil, true, first
}

// useForm brings arguments to the types of one form.
func useForm(form plan.ArrayForm, args []argument) (*plan.Function, []plan.Expr, error) {
	var elements []argument
	for i, a := range args {
		letter, kind := form.Parameter(i), a.typ().Kind
		switch {
		case letter == 'a' && kind == event.Array:
			elements = append(elements, argument{&plan.ColumnRef{Typ: *a.typ().Elem}, a.pos})
		case letter == 'a' && kind != event.Unknown:
			err := event.Errorf(event.CodeTypeMismatch, "%s takes an array here, not %s", form.Name, a.typ()).At(a.pos)
			if form.Name == "&&" {
				err = err.WithHint("conditions are joined by AND")
			}
			return nil, nil, err
		case letter == 'e':
			elements = append(elements, a)
		}
	}
	elem, err := commonType(elements, "the arrays and elements of "+form.Name)
	if err != nil {
		return nil, nil, err
	}
	if elem.Kind == event.Unknown {
		elem = text
	}
	fn := form.Of(elem, len(args))
	exprs := make([]plan.Expr, len(args))
	for i, a := range args {
		if exprs[i], err = coerce(a, fn.Args[i]); err != nil {
			return nil, nil, err
		}
	}
	return fn, exprs, nil
}

// array binds ARRAY[...]: its elements take one type.
func (x *scalars) array(e *ast.Array) (plan.Expr, error) {
	if len(e.Items) == 0 {
		return nil, event.Errorf(event.CodeTypeMismatch, "an empty array needs a type").At(e.Pos).WithHint("as in ARRAY[]::BIGINT[]")
	}
	args, err := x.arguments(e.Items)
	if err != nil {
		return nil, err
	}
	fn, exprs, err := useForm(plan.FormsOf("array")[0], args)
	if err != nil {
		return nil, err
	}
	return &plan.Call{Fn: fn, Args: exprs}, nil
}

// arrayAs binds ARRAY[...] behind which a type is written: each element is cast by itself.
func (x *scalars) arrayAs(e *ast.Array, to event.Type) (plan.Expr, error) {
	fn := plan.FormsOf("array")[0].Of(*to.Elem, len(e.Items))
	fn.Result = to
	out := &plan.Call{Fn: fn}
	for _, item := range e.Items {
		inner, nested := item.(*ast.Array)
		var value plan.Expr
		var err error
		if nested && to.Elem.Kind == event.Array {
			value, err = x.arrayAs(inner, *to.Elem)
		} else {
			var a argument
			if a, err = x.argument(item); err == nil {
				value, err = cast(a, *to.Elem)
			}
		}
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, value)
	}
	return out, nil
}

// arrayQuery binds ARRAY(query): an array of the values of its one column, in its order; an empty one where it has no row.
func (x *scalars) arrayQuery(e *ast.ArrayQuery) (plan.Expr, error) {
	s, err := x.query(e.Query, e.Pos, nil)
	if err != nil {
		return nil, err
	}
	if err := oneColumn(s, e.Pos); err != nil {
		return nil, err
	}
	columns := s.Plan.Columns()
	call := plan.Aggregation{Fn: plan.ArrayAgg(columns[0].Type), Args: []plan.Expr{columnOf(columns, 0)}}
	s.Plan = &plan.Aggregate{Input: s.Plan, Aggregates: []plan.Aggregation{call}, Names: []string{"array"}}
	empty := &plan.Literal{Value: event.NewLists([]int32{0, 0}, event.NewNulls(columns[0].Type, 0), nil), Typ: s.Type()}
	return applied("coalesce", e.Pos, argument{s, e.Pos}, argument{empty, e.Pos})
}

// quantifiedArray binds x op ANY (array) and x op ALL (array).
func (x *scalars) quantifiedArray(e *ast.QuantifiedArray) (plan.Expr, error) {
	args, err := x.arguments([]ast.Expr{e.Input, e.Array})
	if err != nil {
		return nil, err
	}
	name := e.Op + " any"
	if e.All {
		name = e.Op + " all"
	}
	if kind := args[1].typ().Kind; kind != event.Array && kind != event.Unknown {
		return nil, event.Errorf(event.CodeTypeMismatch, "ANY and ALL take an array or a query, not %s", args[1].typ()).At(args[1].pos)
	}
	return applied(name, e.Pos, args...)
}

// subscript binds x[i]: an element of an array, or a member of JSONB.
func (x *scalars) subscript(e *ast.Call) (plan.Expr, error) {
	args, err := x.arguments(e.Args)
	if err != nil {
		return nil, err
	}
	if args[0].typ().Kind == event.JSONB {
		return applied("->", e.Name.Pos, args...)
	}
	return applied("subscript", e.Name.Pos, args...)
}

// readList reads quoted text as an array.
func readList(s string, to event.Type, pos event.Position) (*plan.Literal, error) {
	items, ok := event.ParseList(s)
	if !ok {
		return nil, event.Errorf(event.CodeInvalidValue, "%.80q is not a value of %s", s, to).At(pos).WithHint("write it as '{1,2,3}'")
	}
	elements := []arrow.Array{event.NewNulls(*to.Elem, 0)}
	for _, item := range items {
		lit := nullLiteral(*to.Elem)
		if !item.Null {
			var err error
			if lit, err = readLiteral(item.Text, *to.Elem, pos); err != nil {
				return nil, err
			}
		}
		elements = append(elements, lit.Value)
	}
	values, err := array.Concatenate(elements, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	return &plan.Literal{Value: event.NewLists([]int32{0, int32(len(items))}, values, nil), Typ: to}, nil
}

// aggregateOfArrays is the overload of an aggregate or window function that takes arrays.
func aggregateOfArrays(name string, args []argument) (*plan.Function, []plan.Expr, bool) {
	if len(args) == 0 || args[0].typ().Kind != event.Array {
		return nil, nil, false
	}
	arrays := args[0].typ()
	if len(args) > 1 {
		return neighbourOfArrays(name, arrays, args)
	}
	exprs := []plan.Expr{args[0].expr}
	switch name {
	case "array_agg":
		return plan.ArrayAgg(arrays), exprs, true
	case "count":
		return &plan.Function{Name: "count", Args: []event.Type{arrays}, Result: bigint, Aggregate: true}, exprs, true
	case "min", "max", "mode", "first", "last", "any_value":
		return &plan.Function{Name: name, Args: []event.Type{arrays}, Result: arrays, Aggregate: true}, exprs, true
	case "lag", "lead", "first_value", "last_value":
		return &plan.Function{Name: name, Args: []event.Type{arrays}, Result: arrays, Window: true}, exprs, true
	default:
		return nil, nil, false
	}
}

// neighbourOfArrays is the overload of a window function that takes a place beside an array, and perhaps an array for where there is none.
func neighbourOfArrays(name string, arrays event.Type, args []argument) (*plan.Function, []plan.Expr, bool) {
	types := []event.Type{arrays, bigint, arrays}
	if name != "lag" && name != "lead" && (name != "nth_value" || len(args) > 2) || len(args) > len(types) {
		return nil, nil, false
	}
	fn := &plan.Function{Name: name, Args: types[:len(args)], Result: arrays, Window: true}
	exprs, err := coerceAll(fn, args)
	return fn, exprs, err == nil
}
