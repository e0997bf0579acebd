package exec_test

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

var memoryAllocator = memory.DefaultAllocator

// scan reads all columns of a table.
func scan(t *table) *plan.Scan {
	n := &plan.Scan{Stream: "t", Schema: t.schema}
	for _, c := range t.schema.Columns {
		n.Fields = append(n.Fields, c.ID)
	}
	return n
}

// col refers to a column of a node by name.
func col(n plan.Node, name string) plan.Expr {
	for i, c := range n.Columns() {
		if c.Name == name {
			return &plan.ColumnRef{Index: i, Name: name, Typ: c.Type}
		}
	}
	panic("no column " + name)
}

// call applies the overload that takes the arguments' types.
func call(name string, args ...plan.Expr) plan.Expr {
	return &plan.Call{Fn: overload(name, false, args), Args: args}
}

// agg is the aggregate overload that takes the arguments' types.
func agg(name string, args ...plan.Expr) plan.Aggregation {
	return plan.Aggregation{Fn: overload(name, true, args), Args: args}
}

func overload(name string, aggregate bool, args []plan.Expr) *plan.Function {
next:
	for _, f := range plan.Functions[name] {
		if f.Aggregate != aggregate || (len(f.Args) != len(args) && !f.Variadic) {
			continue
		}
		for i, a := range args {
			if !f.Args[min(i, len(f.Args)-1)].Equal(a.Type()) {
				continue next
			}
		}
		return f
	}
	panic("no overload of " + name)
}

func lit(v any) plan.Expr {
	switch v := v.(type) {
	case int:
		return &plan.Literal{Value: event.NewInt64s([]int64{int64(v)}, nil), Typ: bigint}
	case float64:
		return &plan.Literal{Value: event.NewFloat64s([]float64{v}, nil), Typ: double}
	case bool:
		b := event.NewBitmap(1)
		if v {
			b.Set(0)
		}
		return &plan.Literal{Value: event.NewBooleans(b, 1, nil), Typ: boolean}
	case string:
		return &plan.Literal{Value: event.NewStrings([]int32{0, int32(len(v))}, []byte(v), nil), Typ: text}
	case arrow.MonthDayNanoInterval:
		values := event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, []arrow.MonthDayNanoInterval{v}, nil)
		return &plan.Literal{Value: values, Typ: interval}
	default:
		panic("no such literal")
	}
}

func project(input plan.Node, exprs ...plan.Expr) *plan.Project {
	n := &plan.Project{Input: input, Exprs: exprs}
	for _, e := range exprs {
		n.Names = append(n.Names, e.String())
	}
	return n
}

func aggregate(input plan.Node, groups []plan.Expr, calls ...plan.Aggregation) *plan.Aggregate {
	n := &plan.Aggregate{Input: input, Groups: groups, Aggregates: calls}
	for _, e := range groups {
		n.Names = append(n.Names, e.String())
	}
	for _, a := range calls {
		n.Names = append(n.Names, a.String())
	}
	return n
}

func where(input plan.Node, conditions ...plan.Expr) *plan.Filter {
	predicate := conditions[0]
	for _, c := range conditions[1:] {
		predicate = call("and", predicate, c)
	}
	return &plan.Filter{Input: input, Predicate: predicate}
}

func asc(e plan.Expr) plan.SortKey { return plan.SortKey{Expr: e} }

func desc(e plan.Expr) plan.SortKey { return plan.SortKey{Expr: e, Descending: true, NullsFirst: true} }

func sorted(input plan.Node, keys ...plan.SortKey) *plan.Sort {
	return &plan.Sort{Input: input, Keys: keys, Limit: -1}
}
