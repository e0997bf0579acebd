package optimize

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/plan"
)

func TestCombinationsAreCountedWhereConditionsNameThem(t *testing.T) {
	t.Parallel()
	const scan = "(scan id ts region amount ok)"
	for text, want := range map[string]int{
		"(first-rows (region) ((desc ts)) (filter (= region 'EU') " + scan + "))":                                                                                1,
		"(first-rows (region) ((desc ts)) (filter (or (= region 'EU') (or (= 'US' region) (= region 'AP'))) " + scan + "))":                                      3,
		"(first-rows (region id) ((desc ts)) (filter (and (or (= region 'EU') (= region 'US')) (or (= id 1) (= id 2))) " + scan + "))":                           4,
		"(first-rows (region) ((desc ts)) (filter (or (= region 'EU') (= id 2)) " + scan + "))":                                                                  0,
		"(first-rows (region) ((desc ts)) (filter (or (= region 'EU') (> region 'US')) " + scan + "))":                                                           0,
		"(first-rows (region id) ((desc ts)) (filter (= region 'EU') " + scan + "))":                                                                             0,
		"(first-rows (amount) ((desc ts)) (filter (= amount 1.5) " + scan + "))":                                                                                 0,
		"(first-rows (region) ((desc ts)) (filter (or (= region 'a') (or (= region 'b') (or (= region 'c') (= region 'd')))) " + scan + "))":                     4,
		"(first-rows (region) ((desc ts)) (filter (or (or (= region 'a') (= region 'b')) (or (= region 'c') (or (= region 'd') (= region 'e')))) " + scan + "))": 0,
	} {
		require.Equal(t, want, Combinations(readNode(parse(text)).(*plan.FirstRows), 4), text)
	}
}
