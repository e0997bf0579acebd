package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// readWindow reads (window (E ...) ((asc E) ...) ((call E ...) ...) N): the partition, the order and the calls.
func readWindow(args []list, input plan.Node) plan.Node {
	columns := input.Columns()
	out := &plan.Window{Input: input}
	out.Partition, _ = readNamed(args[0].items, columns)
	for _, item := range args[1].items {
		descending := item.items[0].atom == "desc"
		out.Order = append(out.Order, plan.SortKey{Expr: readExpr(item.items[1], columns), Descending: descending, NullsFirst: descending})
	}
	for _, item := range args[2].items {
		item, name := named(item)
		a := readAggregation(item, columns)
		if name == "" {
			name = a.Fn.Name
		}
		out.Calls = append(out.Calls, plan.WindowCall{Fn: a.Fn, Args: a.Args, Filter: a.Filter, Frame: plan.WholePartition})
		out.Names = append(out.Names, name)
	}
	return out
}

// readAssign reads (assign tumble|hop|cumulate E STEP SIZE N), where STEP is none or an interval.
func readAssign(args []list, input plan.Node) plan.Node {
	columns := input.Columns()
	kinds := []string{"tumble", "hop", "cumulate"}
	out := &plan.Assign{
		Input: input, Kind: plan.AssignKind(slices.Index(kinds, args[0].atom)), Time: readExpr(args[1], columns),
		Size: readExpr(args[3], columns).(*plan.Literal), Names: [2]string{"window_start", "window_end"},
	}
	if args[2].atom != "none" {
		out.Step = readExpr(args[2], columns).(*plan.Literal)
	}
	return out
}
