package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileLimit makes the operator of ORDER BY with LIMIT: the chain from the limit down to the order is computed as a whole, since
// what lies between two operators has no order. It is computed over few rows: of those that only come no more are kept than the limit lets through, of
// others the first are kept apart.
func (c *compiler) compileLimit(n plan.Node) (node, error) {
	sort := sortBelow(n)
	if sort == nil {
		return nil, event.Errorf(event.CodeNotSupported, "LIMIT without ORDER BY in a continuous query").
			WithHint("which rows it keeps would be left to chance: add an ORDER BY")
	}
	input, err := c.compileApart(sort.Input)
	if err != nil {
		return nil, err
	}
	most, limited := mostRowsOf(n)
	few := limited && most <= mostTop
	bounds := map[int]int64{}
	if c.options.Emit == OnWindowClose {
		bounds = leadingBounds(n, input.traits())
	}
	switch count := int(max(most, 1)); {
	case few && input.traits().provisional:
		if input, err = c.firstSoFar(sort.Input, input, nil, sort.Keys, count); err == nil {
			input, err = c.compileFront(sort, input, count)
		}
	case few && input.traits().appendOnly:
		input, err = c.compileTop(sort, input, nil, sort.Keys, count)
	case few:
		if input, err = c.compileFront(sort, input, count); err == nil {
			err = c.bounded(input, sort)
		}
	default:
		input = soFarOver(input)
	}
	if err != nil {
		return nil, err
	}
	out, err := c.recompute(sort, []node{input}, [][]plan.Expr{nil})
	if err != nil {
		return nil, err
	}
	out.plan, out.cols, out.tr.bounds = overSort(n, out.plan), n.Columns(), bounds
	if few {
		return out, nil
	}
	return out, c.boundedRecompute(out, n)
}

// leadingBounds is how the column that comes first in an order below limits follows the watermark, if it ascends: a row that enters moves those
// behind it, which are no earlier.
func leadingBounds(n plan.Node, input *traits) map[int]int64 {
	var place func(n plan.Node) int
	place = func(n plan.Node) int {
		switch n := n.(type) {
		case *plan.Limit:
			return place(n.Input)
		case *plan.Project:
			below := place(n.Input)
			return slices.IndexFunc(n.Exprs, func(e plan.Expr) bool { return isColumn(e, below) })
		case *plan.Sort:
			return ascendingColumn(n.Keys)
		default:
			return -1
		}
	}
	out := map[int]int64{}
	if at := place(n); at >= 0 {
		if lag, ok := input.bounds[ascendingColumn(sortBelow(n).Keys)]; ok {
			out[at] = lag
		}
	}
	return out
}

// ascendingColumn is the column that rows ascend by first, -1 where they do not.
func ascendingColumn(keys []plan.SortKey) int {
	if len(keys) == 0 || keys[0].Descending {
		return -1
	}
	ref, ok := keys[0].Expr.(*plan.ColumnRef)
	if !ok {
		return -1
	}
	return ref.Index
}

// isColumn reports whether an expression is nothing but a column.
func isColumn(e plan.Expr, column int) bool {
	ref, ok := e.(*plan.ColumnRef)
	return ok && ref.Index == column
}

// mostRowsOf is how many of the first rows of the order below them limits let through; ok is false where nothing says it before the query
// runs.
func mostRowsOf(n plan.Node) (most int64, ok bool) {
	switch n := n.(type) {
	case *plan.Sort:
		return n.Limit, n.Limit >= 0
	case *plan.Project:
		return mostRowsOf(n.Input)
	case *plan.Limit:
		if n.Bounds != nil || n.Count < 0 {
			return 0, false
		}
		below, ok := mostRowsOf(n.Input)
		most = n.Offset + n.Count
		if most < 0 { // both are great
			return below, ok
		}
		if ok {
			most = min(most, below)
		}
		return most, true
	default:
		return 0, false
	}
}

// sortBelow finds the order of a limit, through projections; nil where there is none.
func sortBelow(n plan.Node) *plan.Sort {
	switch n := n.(type) {
	case *plan.Sort:
		return n
	case *plan.Limit:
		return sortBelow(n.Input)
	case *plan.Project:
		return sortBelow(n.Input)
	default:
		return nil
	}
}

// overSort is the chain down to its order, with that replaced.
func overSort(n, sort plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Limit:
		return &plan.Limit{Input: overSort(n.Input, sort), Count: n.Count, Offset: n.Offset}
	case *plan.Project:
		return &plan.Project{Input: overSort(n.Input, sort), Exprs: n.Exprs, Names: n.Names}
	default:
		return sort
	}
}
