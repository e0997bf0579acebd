package optimize

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// pruneColumns makes scans read only what is used above them, and drops projections' and aggregates' outputs that nobody reads.
func pruneColumns(n plan.Node) (plan.Node, error) {
	used := make([]bool, plan.Width(n))
	for i := range used {
		used[i] = true
	}
	out, _, err := prune(n, used)
	return out, err
}

// places maps the columns that a node had to where they are after pruning; dropped ones to -1.
type places []int

// prune drops columns of n that are not used, where n can, and says where the others went.
func prune(n plan.Node, used []bool) (plan.Node, places, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return pruneScan(n, used)
	case *plan.Values, *plan.Series, *plan.WorkTable:
		return ownLeaf(n), identity(plan.Width(n)), nil
	case *plan.Filter:
		input, at, err := pruneInput(n.Input, used, n.Predicate)
		if err != nil {
			return nil, nil, err
		}
		return &plan.Filter{Input: input, Predicate: at.move(n.Predicate)}, at, nil
	case *plan.Fill:
		input, err := pruneColumns(n.Input)
		out := *n
		out.Input = input
		return &out, identity(plan.Width(n)), err
	case *plan.FirstRows:
		input, at, err := pruneInput(n.Input, used, n.Exprs()...)
		if err != nil {
			return nil, nil, err
		}
		return mapExpressions(&plan.FirstRows{Input: input, By: n.By, Keys: n.Keys}, at.move), at, nil
	case *plan.Limit:
		input, at, err := prune(n.Input, used)
		if err != nil {
			return nil, nil, err
		}
		out := *n
		out.Input = input
		if n.Bounds != nil {
			out.Bounds, err = pruneColumns(n.Bounds)
		}
		return &out, at, err
	case *plan.Window:
		return pruneWindow(n, used)
	case *plan.Assign:
		return pruneAssign(n, used)
	case *plan.Sort:
		return pruneSort(n, used)
	case *plan.Project:
		return pruneProject(n, used)
	case *plan.Aggregate:
		return pruneAggregate(n, used)
	case *plan.Join:
		return pruneJoin(n, used)
	case *plan.Apply:
		return pruneApply(n, used)
	case *plan.Unnest:
		return pruneUnnest(n, used)
	case *plan.Recursive:
		return pruneRecursive(n)
	case *plan.AsofJoin:
		return pruneAsof(n, used)
	case *plan.Union:
		return pruneUnion(n, used)
	case *plan.Repeat:
		input, at, err := pruneInput(n.Input, used, n.Times)
		if err != nil {
			return nil, nil, err
		}
		return &plan.Repeat{Input: input, Times: at.move(n.Times)}, at, nil
	case *plan.Insert:
		input, err := pruneColumns(n.Input)
		return &plan.Insert{Input: input, Stream: n.Stream, Names: n.Names}, identity(1), err
	default:
		return nil, nil, fmt.Errorf("optimize plan: unknown node %T", n)
	}
}

// ownLeaf is a copy of a leaf, so that a query that is read twice has nodes of its own in both places: what they cost is counted by node.
func ownLeaf(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Values:
		out := *n
		return &out
	case *plan.Series:
		out := *n
		return &out
	default:
		return n
	}
}

// pruneInput prunes an input whose columns are used as said and by expressions.
func pruneInput(input plan.Node, used []bool, exprs ...plan.Expr) (plan.Node, places, error) {
	needed := make([]bool, plan.Width(input))
	copy(needed, used)
	plan.MarkColumns(needed, exprs...)
	return prune(input, needed)
}

func pruneScan(n *plan.Scan, used []bool) (plan.Node, places, error) {
	needed := append([]bool(nil), used...)
	plan.MarkColumns(needed, n.Filter...)
	at := compact(needed)
	out := *n
	out.Fields = make([]event.FieldID, 0, len(n.Fields))
	for i, id := range n.Fields {
		if needed[i] {
			out.Fields = append(out.Fields, id)
		}
	}
	out.Members = nil
	for i, m := range n.Members {
		if needed[len(n.Fields)+i] {
			out.Members = append(out.Members, m)
		}
	}
	out.Filter = mapAll(n.Filter, at.move)
	return &out, at, nil
}

func pruneSort(n *plan.Sort, used []bool) (plan.Node, places, error) {
	exprs := make([]plan.Expr, len(n.Keys))
	for i, k := range n.Keys {
		exprs[i] = k.Expr
	}
	input, at, err := pruneInput(n.Input, used, exprs...)
	if err != nil {
		return nil, nil, err
	}
	sorted := mapExpressions(&plan.Sort{Input: input, Keys: n.Keys, Limit: n.Limit}, at.move)
	return sorted, at, nil
}

func pruneProject(n *plan.Project, used []bool) (plan.Node, places, error) {
	at := compact(used)
	out := &plan.Project{}
	for i, e := range n.Exprs {
		if used[i] {
			out.Exprs, out.Names = append(out.Exprs, e), append(out.Names, n.Names[i])
		}
	}
	input, below, err := pruneInput(n.Input, nil, out.Exprs...)
	if err != nil {
		return nil, nil, err
	}
	out.Input, out.Exprs = input, mapAll(out.Exprs, below.move)
	return out, at, nil
}

// pruneAggregate keeps all groups, which decide what rows there are.
func pruneAggregate(n *plan.Aggregate, used []bool) (plan.Node, places, error) {
	kept := append([]bool(nil), used...)
	exprs := append([]plan.Expr(nil), n.Groups...)
	out := &plan.Aggregate{Groups: n.Groups, Sets: n.Sets, Names: append([]string(nil), n.Names[:len(n.Groups)]...)}
	for i := range n.Groups {
		kept[i] = true
	}
	for i, a := range n.Aggregates {
		if !kept[len(n.Groups)+i] {
			continue
		}
		out.Aggregates, out.Names = append(out.Aggregates, a), append(out.Names, n.Names[len(n.Groups)+i])
		exprs = append(exprs, a.Exprs()...)
	}
	input, below, err := pruneInput(n.Input, nil, exprs...)
	if err != nil {
		return nil, nil, err
	}
	out.Input = input
	return mapExpressions(out, below.move), compact(kept), nil
}

// move points an expression at the columns' new places.
func (p places) move(e plan.Expr) plan.Expr {
	return replaceColumns(e, func(c *plan.ColumnRef) plan.Expr {
		if p[c.Index] == c.Index {
			return c
		}
		return &plan.ColumnRef{Index: p[c.Index], Name: c.Name, Typ: c.Typ}
	})
}

// compact closes the gaps that unused columns leave.
func compact(used []bool) places {
	at, next := make(places, len(used)), 0
	for i, u := range used {
		at[i] = -1
		if u {
			at[i] = next
			next++
		}
	}
	return at
}

func identity(n int) places {
	at := make(places, n)
	for i := range at {
		at[i] = i
	}
	return at
}
