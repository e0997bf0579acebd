package exec

import "math"

// estimateRows guesses how many rows an operator gives, to choose the cheaper of two ways. What no one knows is a lot.
func estimateRows(op operator) float64 {
	switch op := op.(type) {
	case *statisticsOp:
		return 1
	case *profiledOp:
		return estimateRows(op.operator)
	case *scanOp:
		rows := 0.0
		for _, m := range op.morsels {
			rows += float64(m.Rows())
		}
		return rows * selectivity(len(op.conditions))
	case *valuesOp:
		return float64(op.batch.Rows)
	case *workTableOp:
		rows := 0.0
		for _, b := range op.batches {
			rows += float64(b.Rows)
		}
		return rows
	case *filterOp:
		return estimateRows(op.operator) * selectivity(len(op.filter.conjuncts))
	case *projectOp:
		return estimateRows(op.operator)
	case *limitOp:
		rows := estimateRows(op.input)
		if op.node.Count >= 0 {
			rows = min(rows, float64(op.node.Count))
		}
		return rows
	case *sortOp:
		return estimateRows(op.input)
	case *aggregateOp:
		if len(op.groups) == 0 {
			return 1
		}
		return math.Sqrt(estimateRows(op.input))
	case *unionOp:
		rows := 0.0
		for _, in := range op.inputs {
			rows += estimateRows(in)
		}
		return rows
	case *repeatOp:
		return estimateRows(op.operator)
	case *joinOp:
		left, right := estimateRows(op.left), estimateRows(op.right)
		if len(op.node.On) == 0 {
			return left * right
		}
		return max(left, right)
	default:
		return math.MaxInt32
	}
}

// selectivity is the share of rows that so many conditions keep, for want of statistics: the third part each.
func selectivity(conditions int) float64 { return math.Pow(1.0/3, float64(conditions)) }
