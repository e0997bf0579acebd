package optimize

import (
	"math"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pushLimits tells a sort how many of its rows are wanted, also through projections, which give one row for each that they get.
// The limit itself stays, for its offset.
func pushLimits(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		l, ok := n.(*plan.Limit)
		if !ok || l.Count < 0 || l.Offset > math.MaxInt64-l.Count {
			return n, nil
		}
		input, err := limitSort(l.Input, l.Offset+l.Count)
		if err != nil {
			return nil, err
		}
		return withInput(l, input)
	})
}

func limitSort(n plan.Node, rows int64) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.Project:
		input, err := limitSort(n.Input, rows)
		if err != nil {
			return nil, err
		}
		return withInput(n, input)
	case *plan.Sort:
		if n.Limit >= 0 {
			rows = min(rows, n.Limit)
		}
		return &plan.Sort{Input: n.Input, Keys: n.Keys, Limit: rows}, nil
	default:
		return n, nil
	}
}
