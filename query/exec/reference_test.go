package exec_test

import (
	"math/big"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// row is one row as arrays of one value.
type row []arrow.Array

// reference answers a plan one row at a time, in the simplest way there is.
type reference struct{ table *table }

func (r reference) run(n plan.Node) []row {
	switch n := n.(type) {
	case *plan.Scan:
		var out []row
		for i := range r.table.rows {
			var one row
			for _, id := range n.Fields {
				one = append(one, array.NewSlice(r.table.columns[id-1], int64(i), int64(i+1)))
			}
			out = append(out, one)
		}
		for _, f := range n.Filter {
			out = keep(out, f)
		}
		return out
	case *plan.Filter:
		out := r.run(n.Input)
		for _, c := range plan.Conjuncts(n.Predicate) {
			out = keep(out, c)
		}
		return out
	case *plan.FirstRows:
		met := map[string]bool{}
		var out []row
		for _, in := range r.sort(&plan.Sort{Input: n.Input, Keys: n.Keys, Limit: -1}) {
			if by := renderRow(evalAll(n.By, in), 0); !met[by] {
				met[by] = true
				out = append(out, in)
			}
		}
		return out
	case *plan.Project:
		var out []row
		for _, in := range r.run(n.Input) {
			out = append(out, evalAll(n.Exprs, in))
		}
		return out
	case *plan.Aggregate:
		return r.aggregate(n)
	case *plan.Window:
		return r.window(n)
	case *plan.Sort:
		return r.sort(n)
	case *plan.Limit:
		out := r.run(n.Input)
		out = out[min(int64(len(out)), n.Offset):]
		if n.Count >= 0 {
			out = out[:min(int64(len(out)), n.Count)]
		}
		return out
	case *plan.Join:
		return r.pairUp(n)
	case *plan.Union:
		var out []row
		for _, part := range n.Parts {
			out = append(out, r.run(part)...)
		}
		return out
	case *plan.Repeat:
		var out []row
		for _, in := range r.run(n.Input) {
			for times := eval(n.Times, in).(*array.Int64).Value(0); times > 0; times-- {
				out = append(out, in)
			}
		}
		return out
	case *plan.Values:
		var out []row
		for _, exprs := range n.Rows {
			out = append(out, evalAll(exprs, nil))
		}
		return out
	default:
		panic("unknown node")
	}
}

func eval(e plan.Expr, in row) arrow.Array {
	p, err := kernel.Compile(e)
	if err != nil {
		panic(err)
	}
	out, err := p.Eval(&kernel.Context{}, in, 1)
	if err != nil {
		panic(err)
	}
	return out.Expand(1)
}

func evalAll(exprs []plan.Expr, in row) row {
	out := make(row, len(exprs))
	for i, e := range exprs {
		out[i] = eval(e, in)
	}
	return out
}

func isTrue(e plan.Expr, in row) bool {
	v := eval(e, in)
	return v.DataType().ID() != arrow.NULL && v.IsValid(0) && v.(*array.Boolean).Value(0)
}

func keep(rows []row, condition plan.Expr) []row {
	var out []row
	for _, in := range rows {
		if isTrue(condition, in) {
			out = append(out, in)
		}
	}
	return out
}

func (r reference) sort(n *plan.Sort) []row {
	out := r.run(n.Input)
	sort.SliceStable(out, func(i, j int) bool {
		for _, k := range n.Keys {
			a, b := eval(k.Expr, out[i]), eval(k.Expr, out[j])
			if a.IsNull(0) || b.IsNull(0) {
				if a.IsNull(0) != b.IsNull(0) {
					return a.IsNull(0) == k.NullsFirst
				}
				continue
			}
			if c := kernel.Compare(a, 0, b, 0, k.Expr.Type()); c != 0 {
				return (c < 0) != k.Descending
			}
		}
		return false
	})
	if n.Limit >= 0 {
		out = out[:min(int64(len(out)), n.Limit)]
	}
	return out
}

func (r reference) aggregate(n *plan.Aggregate) []row {
	var order []string
	keys, members := map[string]row{}, map[string][]row{}
	for _, in := range r.run(n.Input) {
		key := evalAll(n.Groups, in)
		name := renderRow(key, 0)
		if _, ok := keys[name]; !ok {
			keys[name] = key
			order = append(order, name)
		}
		members[name] = append(members[name], in)
	}
	if len(n.Groups) == 0 && len(order) == 0 {
		order, keys[""] = []string{""}, row{}
	}
	var out []row
	for _, name := range order {
		one := append(row{}, keys[name]...)
		for _, a := range n.Aggregates {
			one = append(one, aggregateOne(a, members[name]))
		}
		out = append(out, one)
	}
	return out
}

func aggregateOne(a plan.Aggregation, rows []row) arrow.Array {
	if a.Filter != nil {
		rows = keep(rows, a.Filter)
	}
	if len(a.Args) == 0 {
		return event.NewInt64s([]int64{int64(len(rows))}, nil)
	}
	var values []arrow.Array
	for _, in := range rows {
		if v := eval(a.Args[0], in); v.IsValid(0) {
			values = append(values, v)
		}
	}
	if a.Fn.Name == "count" {
		return event.NewInt64s([]int64{int64(len(values))}, nil)
	}
	if len(values) == 0 {
		return event.NewNulls(a.Fn.Result, 1)
	}
	switch a.Fn.Name {
	case "min", "max":
		return extremeOf(a, values)
	default:
		return sumOf(a, values)
	}
}

func extremeOf(a plan.Aggregation, values []arrow.Array) arrow.Array {
	best := values[0]
	for _, v := range values[1:] {
		if c := kernel.Compare(v, 0, best, 0, a.Fn.Result); c < 0 == (a.Fn.Name == "min") && c != 0 {
			best = v
		}
	}
	return best
}

func sumOf(a plan.Aggregation, values []arrow.Array) arrow.Array {
	if a.Fn.Args[0].Kind == event.Double {
		var sum float64
		for _, v := range values {
			sum += v.(*array.Float64).Value(0)
		}
		if a.Fn.Name == "avg" {
			sum /= float64(len(values))
		}
		return event.NewFloat64s([]float64{sum}, nil)
	}
	sum := new(big.Int)
	for _, v := range values {
		sum.Add(sum, big.NewInt(v.(*array.Int64).Value(0)))
	}
	if a.Fn.Name == "avg" {
		mean, _ := new(big.Rat).SetFrac(sum, big.NewInt(int64(len(values)))).Float64()
		return event.NewFloat64s([]float64{mean}, nil)
	}
	return event.NewFixed(a.Fn.Result.Arrow(), []decimal128.Num{decimal128.FromBigInt(sum)}, nil)
}
