package exec

import (
	"context"
	"fmt"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// build makes the operator for a node. used says which of the node's columns its parent reads: operators that copy rows
// leave the others nil.
func (r *run) build(ctx context.Context, n plan.Node, used []bool) (operator, error) {
	if r.profile != nil {
		return r.buildProfiled(ctx, n, used)
	}
	return r.buildNode(ctx, n, used)
}

func (r *run) buildNode(ctx context.Context, n plan.Node, used []bool) (operator, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return r.newScan(ctx, n, used)
	case *plan.Values:
		return r.newValues(n)
	case *plan.Filter:
		return r.newFilter(ctx, n, used)
	case *plan.Project:
		return r.newProject(ctx, n)
	case *plan.Aggregate:
		return r.newAggregate(ctx, n)
	case *plan.Window:
		return r.newWindow(ctx, n, used)
	case *plan.Assign:
		return r.newAssign(ctx, n, used)
	case *plan.Sort:
		return r.newSort(ctx, n)
	case *plan.Fill:
		return r.newFill(ctx, n)
	case *plan.FirstRows:
		return r.newFirstRows(ctx, n, used)
	case *plan.Limit:
		return r.newLimit(ctx, n, used)
	case *plan.Join:
		return r.newJoin(ctx, n, used)
	case *plan.Apply:
		return r.newApply(ctx, n, used)
	case *plan.Series:
		return r.newSeries(n)
	case *plan.Union:
		return r.newUnion(ctx, n, used)
	case *plan.AsofJoin:
		return r.newAsof(ctx, n)
	case *plan.Unnest:
		return r.newUnnest(ctx, n, used)
	case *plan.Recursive:
		return r.newRecursive(ctx, n)
	case *plan.WorkTable:
		return r.newWorkTable(n)
	case *plan.Repeat:
		return r.newRepeat(ctx, n, used)
	case *plan.Insert:
		return r.newInsert(ctx, n)
	default:
		return nil, fmt.Errorf("run plan: unknown node %T", n)
	}
}

// inputFor builds an input of which only the columns that exprs refer to are read.
func (r *run) inputFor(ctx context.Context, input plan.Node, exprs ...plan.Expr) (operator, error) {
	used := make([]bool, plan.Width(input))
	plan.MarkColumns(used, exprs...)
	return r.build(ctx, input, used)
}

// compileAll compiles expressions over the same columns.
func compileAll(exprs []plan.Expr) ([]*kernel.Program, error) {
	out := make([]*kernel.Program, len(exprs))
	for i, e := range exprs {
		p, err := kernel.Compile(e)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}
