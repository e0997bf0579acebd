// Package optimize rewrites plans into ones that give the same rows with less work.
//
// Every rule keeps what a query may observe: its rows and columns, and that a condition raises no error on a row which an
// earlier condition of the same WHERE has already left out. A rule may avoid an error (by computing less), never add one.
// Rules are pure functions from tree to tree and may run on any goroutine; they read no data and no clock.
package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// rules run in this order: folding leaves simple conditions to push, what no join answers is asked for many rows at once, pushed conditions become those
// of joins and say which inputs are small, those that meet constants on their way are folded, they give ranges, groups are dropped before what they have
// in common hides that they depend on each other, and again for what it shows, sums share before expressions do, first rows are taken before their keys
// are looked at, members of documents take the place of documents once expressions stand where they stay, pruning comes after all that may drop the last
// use of a column, and what statistics can answer is seen once scans have their conditions.
var rules = []rule{
	{"fold-constants", foldConstants},
	{"decorrelate", decorrelate},
	{"answer-at-once", answerAtOnce},
	{"push-filters", pushFilters},
	{"fold-constants", foldConstants},
	{"split-marks", splitMarks},
	{"order-joins", orderJoins},
	{"drop-groups", dropDependentGroups},
	{"share-sums", shareSums},
	{"share-expressions", shareExpressions},
	{"drop-groups", dropDependentGroups},
	{"take-first-rows", takeFirstRows},
	{"drop-keys", dropFixedKeys},
	{"push-limits", pushLimits},
	{"read-members", readMembers},
	{"prune-columns", pruneColumns},
	{"drop-projections", dropNoopProjections},
	{"add-ranges", addRanges},
	{"use-statistics", useStatistics},
}

type rule struct {
	name    string
	rewrite func(plan.Node) (plan.Node, error)
}

// Optimize gives an equivalent plan. The plan given stays as it is.
func Optimize(n plan.Node) (plan.Node, error) { return Without()(n) }

// Without is Optimize that leaves out the rules with these names. Answers do not depend on any, which tests hold them to.
func Without(names ...string) func(plan.Node) (plan.Node, error) {
	return func(n plan.Node) (plan.Node, error) {
		var err error
		for _, r := range rules {
			if slices.Contains(names, r.name) {
				continue
			}
			if n, err = r.rewrite(n); err != nil {
				return nil, err
			}
		}
		return n, nil
	}
}

// Rules are the names of all rules, in their order.
func Rules() []string {
	var names []string
	for _, r := range rules {
		if !slices.Contains(names, r.name) {
			names = append(names, r.name)
		}
	}
	return names
}
