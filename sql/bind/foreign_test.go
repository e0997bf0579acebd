package bind

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

var called = regexp.MustCompile(`([a-z_]+)\(`)

// TestForeignFunctionsNameOurs holds the hints to what there is: every function in one is known, and the name itself is not.
func TestForeignFunctionsNameOurs(t *testing.T) {
	t.Parallel()
	known := func(name string) bool {
		plain, ok := plainName(name)
		return ok || len(plan.FormsOf(plain)) > 0 || slices.Contains(formNames, name)
	}
	special := []string{"extract", "position"} // read by the parser
	for name, ours := range foreignFunctions {
		require.True(t, name == "position" || !known(name), "%s is a function of ours", name)
		for _, m := range called.FindAllStringSubmatch(ours, -1) {
			require.True(t, known(m[1]) || slices.Contains(special, m[1]), "%s: there is no function %s", name, m[1])
		}
		first := regexp.MustCompile(`, or `).Split(ours, 2)[0]
		_, err := parser.Parse("SELECT " + first + " FROM t")
		require.NoError(t, err, "%s: %s", name, ours)
	}
}
