package optimize

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestRules prints each plan before and after the rule that the directive names, or after all of them.
func TestRules(t *testing.T) {
	t.Parallel()
	named := map[string]func(plan.Node) (plan.Node, error){
		"fold": foldConstants, "push-filters": pushFilters, "push-limits": pushLimits, "prune-columns": pruneColumns,
		"decorrelate": decorrelate, "drop-groups": dropDependentGroups, "drop-keys": dropFixedKeys, "order-joins": orderJoins, "share-sums": shareSums,
		"share-expressions": shareExpressions, "take-first-rows": takeFirstRows,
		"drop-projections": dropNoopProjections, "use-statistics": useStatistics, "optimize": Optimize,
		"answer-at-once": answerAtOnce, "split-marks": splitMarks, "read-members": readMembers,
		// Ranges show on scans that hold their filter.
		"ranges": func(n plan.Node) (plan.Node, error) {
			n, err := pushFilters(n)
			if err != nil {
				return nil, err
			}
			return addRanges(n)
		},
	}
	require.Len(t, named, len(Rules())+1, "every rule has its tests, and optimize is all of them")
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			rule, ok := named[d.Cmd]
			require.True(t, ok, "no rule %s", d.Cmd)
			before := readNode(parse(d.Input))
			printed := plan.Print(before)
			after, err := rule(before)
			require.NoError(t, err)
			require.Equal(t, printed, plan.Print(before), "the rule changed its input")
			if plan.Print(after) == printed {
				return printed + "unchanged\n"
			}
			return printed + "becomes\n" + plan.Print(after)
		})
	})
}

// TestOptimizeIsDone runs the optimizer over its own results: a second pass finds nothing more to do.
func TestOptimizeIsDone(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			n := readNode(parse(d.Input))
			once, err := Optimize(n)
			require.NoError(t, err)
			twice, err := Optimize(once)
			require.NoError(t, err)
			require.Equal(t, plan.Print(once), plan.Print(twice), strings.TrimSpace(d.Input))
			require.Equal(t, n.Columns(), once.Columns())
			return d.Expected
		})
	})
}
