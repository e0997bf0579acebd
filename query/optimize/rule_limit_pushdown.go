package optimize

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pushLimits tells a sort how many of its rows are wanted, also through projections, which give one row for each that they get.
// The limit itself stays, for its offset.
func pushLimits(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		l, ok := n.(*plan.Limit)
		if !ok || l.Count < 0 || l.Bounds != nil || l.Offset > math.MaxInt64-l.Count {
			return n, nil
		}
		return plan.Over(l, limitSort(l.Input, l.Offset+l.Count)), nil
	})
}

func limitSort(n plan.Node, rows int64) plan.Node {
	switch n := n.(type) {
	case *plan.Project:
		return plan.Over(n, limitSort(n.Input, rows))
	case *plan.Sort:
		if n.Limit >= 0 {
			rows = min(rows, n.Limit)
		}
		return &plan.Sort{Input: n.Input, Keys: n.Keys, Limit: rows}
	default:
		return n
	}
}

// knownBounds puts the numbers of a limit into the plan where what computes them has been folded into literals.
func knownBounds(n plan.Node) plan.Node {
	l, ok := n.(*plan.Limit)
	if !ok || l.Bounds == nil {
		return n
	}
	p, ok := l.Bounds.(*plan.Project)
	if !ok {
		return n
	}
	if v, one := p.Input.(*plan.Values); !one || len(v.Rows) != 1 {
		return n
	}
	numbers := [2]int64{-1, 0}
	for i, e := range p.Exprs {
		literal, ok := e.(*plan.Literal)
		if !ok {
			return n
		}
		if isNullLiteral(literal) {
			continue
		}
		if numbers[i] = literal.Value.(*array.Int64).Value(0); numbers[i] < 0 {
			return n // to fail when it runs
		}
	}
	return &plan.Limit{Input: l.Input, Count: numbers[0], Offset: numbers[1]}
}
