// Package optimize rewrites plans into ones that give the same rows with less work.
//
// Every rule keeps what a query may observe: its rows and columns, and that a condition raises no error on a row which an
// earlier condition of the same WHERE has already left out. A rule may avoid an error (by computing less), never add one.
// Rules are pure functions from tree to tree and may run on any goroutine; they read no data and no clock.
package optimize

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// rules run in this order: folding leaves simple conditions to push, pushed conditions become those of joins and say which inputs
// are small, they give ranges, groups are dropped before what they have in common hides that they depend on each other, and again for
// what it shows, sums share before expressions do, pruning comes after all that may drop the last use of a column, and what
// statistics can answer is seen once scans have their conditions.
var rules = []func(plan.Node) (plan.Node, error){
	foldConstants,
	decorrelate,
	pushFilters,
	orderJoins,
	dropDependentGroups,
	shareSums,
	shareExpressions,
	dropDependentGroups,
	dropFixedKeys,
	pushLimits,
	pruneColumns,
	dropNoopProjections,
	addRanges,
	useStatistics,
}

// Optimize gives an equivalent plan. The plan given stays as it is.
func Optimize(n plan.Node) (plan.Node, error) {
	var err error
	for _, rule := range rules {
		if n, err = rule(n); err != nil {
			return nil, err
		}
	}
	return n, nil
}
