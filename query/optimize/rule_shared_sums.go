package optimize

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// shareSums computes several sums that differ by a constant only, such as sum(x + 1) and sum(x + 2), from one sum and one count:
// sum(x) + 1 * count(x). Sums of BIGINT are exact, so that the order of adding does not matter, and an x + 1 that does not fit BIGINT
// is no longer computed.
func shareSums(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Aggregate)
		if !ok || a.Sets != nil {
			return n, nil
		}
		shared := sharedSums(a.Aggregates)
		if len(shared) == 0 {
			return n, nil
		}
		return withSharedSums(a, shared), nil
	})
}

// shiftedSum is a call sum(base + offset), by its index among the calls.
type shiftedSum struct {
	call   int
	base   plan.Expr
	offset decimal128.Num
}

// sharedSums are the shifted sums of which at least three have the same base: two calls take their place.
func sharedSums(calls []plan.Aggregation) []shiftedSum {
	var all []shiftedSum
	for i := range calls {
		if base, offset, ok := shiftOf(&calls[i]); ok {
			all = append(all, shiftedSum{i, base, offset})
		}
	}
	var out []shiftedSum
	for _, s := range all {
		same := 0
		for _, o := range all {
			if plan.Same(s.base, o.base) {
				same++
			}
		}
		if same >= 3 {
			out = append(out, s)
		}
	}
	return out
}

// shiftOf takes a call sum(base + offset) of BIGINT apart.
func shiftOf(a *plan.Aggregation) (base plan.Expr, offset decimal128.Num, ok bool) {
	if a.Fn.Signature() != "sum(BIGINT)" || a.Distinct || a.Filter != nil || len(a.Order) > 0 {
		return nil, offset, false
	}
	call, ok := a.Args[0].(*plan.Call)
	if !ok || len(call.Args) != 2 || call.Args[0].Type().Kind != event.BigInt || call.Args[1].Type().Kind != event.BigInt {
		return nil, offset, false
	}
	signature := call.Fn.Signature()
	if signature != "+(BIGINT, BIGINT)" && signature != "-(BIGINT, BIGINT)" {
		return nil, offset, false
	}
	if v, ok := wholeNumber(call.Args[1]); ok {
		offset = decimal128.FromI64(v)
		if call.Fn.Name == "-" {
			offset = offset.Negate()
		}
		return call.Args[0], offset, true
	}
	v, ok := wholeNumber(call.Args[0])
	return call.Args[1], decimal128.FromI64(v), ok && call.Fn.Name == "+"
}

// wholeNumber is the value of a constant of type BIGINT that is not NULL.
func wholeNumber(e plan.Expr) (int64, bool) {
	literal, ok := e.(*plan.Literal)
	if !ok || literal.Typ.Kind != event.BigInt || literal.Value.IsNull(0) {
		return 0, false
	}
	return literal.Value.(*array.Int64).Value(0), true
}

// withSharedSums is the aggregate with a sum and a count for each base, under a projection that gives the columns of the one before.
func withSharedSums(a *plan.Aggregate, shared []shiftedSum) plan.Node {
	fewer := &plan.Aggregate{Input: a.Input, Groups: a.Groups, Names: slices.Clone(a.Names[:len(a.Groups)])}
	place := make([]int, len(a.Aggregates)) // of each call that stays among those of fewer
	for i, call := range a.Aggregates {
		if slices.ContainsFunc(shared, func(s shiftedSum) bool { return s.call == i }) {
			continue
		}
		place[i] = len(fewer.Aggregates)
		fewer.Aggregates, fewer.Names = append(fewer.Aggregates, call), append(fewer.Names, a.Names[len(a.Groups)+i])
	}
	sums, counts := make([]int, len(a.Aggregates)), make([]int, len(a.Aggregates))
	for _, s := range shared {
		sums[s.call] = simpleCall(fewer, a.Aggregates[s.call].Fn, s.base)
		counts[s.call] = simpleCall(fewer, countOf(s.base.Type()), s.base)
	}

	columns := fewer.Columns()
	column := func(i int) plan.Expr { return &plan.ColumnRef{Index: i, Name: columns[i].Name, Typ: columns[i].Type} }
	out := &plan.Project{Input: fewer, Names: a.Names}
	for i := range a.Groups {
		out.Exprs = append(out.Exprs, column(i))
	}
	for i := range a.Aggregates {
		out.Exprs = append(out.Exprs, column(len(a.Groups)+place[i]))
	}
	for _, s := range shared {
		sum, count := column(len(a.Groups)+sums[s.call]), column(len(a.Groups)+counts[s.call])
		out.Exprs[len(a.Groups)+s.call] = shiftedBack(sum, count, s.offset)
	}
	return out
}

// simpleCall is the index of fn(base) among the calls of an aggregate, to which it is added where it is not there.
func simpleCall(a *plan.Aggregate, fn *plan.Function, base plan.Expr) int {
	for i, c := range a.Aggregates {
		plain := !c.Distinct && c.Filter == nil && len(c.Order) == 0 && len(c.Args) == 1
		if plain && c.Fn.Signature() == fn.Signature() && plan.Same(c.Args[0], base) {
			return i
		}
	}
	call := plan.Aggregation{Fn: fn, Args: []plan.Expr{base}}
	a.Aggregates, a.Names = append(a.Aggregates, call), append(a.Names, fn.Name+"("+base.String()+")")
	return len(a.Aggregates) - 1
}

// countOf is count of one argument of a type.
func countOf(t event.Type) *plan.Function {
	for _, f := range plan.Functions["count"] {
		if len(f.Args) == 1 && f.Args[0].Equal(t) {
			return f
		}
	}
	panic("no count of " + t.String())
}

// shiftedBack is sum + offset * count, a NUMERIC of all digits as the sum is.
func shiftedBack(sum, count plan.Expr, offset decimal128.Num) plan.Expr {
	narrow := plan.AsNumeric(event.Type{Kind: event.BigInt})
	constant := &plan.Literal{Value: event.NewFixed(narrow.Arrow(), []decimal128.Num{offset}, nil), Typ: narrow}
	product := numericCall("*", &plan.Cast{Input: count, To: narrow}, constant)
	return numericCall("+", sum, product)
}

func numericCall(symbol string, a, b plan.Expr) plan.Expr {
	for _, f := range plan.Functions[symbol] {
		if f.Signature() == symbol+"(NUMERIC, NUMERIC)" {
			return &plan.Call{Fn: plan.Concrete(f, []event.Type{a.Type(), b.Type()}), Args: []plan.Expr{a, b}}
		}
	}
	panic("NUMERIC has no operator " + symbol)
}
