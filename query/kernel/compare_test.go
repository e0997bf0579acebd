package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestCompareIsTheOrderOfTheOperators checks on all triples of samples that Compare is a total order and that the six operators
// follow it.
func TestCompareIsTheOrderOfTheOperators(t *testing.T) {
	t.Parallel()
	for _, typ := range plan.ValueTypes {
		typ = concrete(typ)
		values := append(append([]string(nil), samples[typ.Kind].tame...), samples[typ.Kind].wild...)
		column := columnOf(t, typ, values...)
		n := len(values)
		for i := range n {
			for j := range n {
				order := Compare(column, i, column, j, typ)
				require.Equal(t, -order, Compare(column, j, column, i, typ), "%s and %s", values[i], values[j])
				for k := range n {
					if order <= 0 && Compare(column, j, column, k, typ) <= 0 {
						require.LessOrEqual(t, Compare(column, i, column, k, typ), 0, "%s, %s, %s", values[i], values[j], values[k])
					}
				}
				checkOperators(t, typ, Operand{Array: Take(column, []int32{int32(i)})}, Operand{Array: Take(column, []int32{int32(j)})}, order)
			}
		}
	}
}

func checkOperators(t *testing.T, typ event.Type, a, b Operand, order int) {
	t.Helper()
	for symbol, holds := range map[string]bool{
		"=": order == 0, "<>": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
	} {
		f, ok := Lookup(&plan.Function{Name: symbol, Args: []event.Type{typ, typ}, Result: booleanType, Strict: true})
		require.True(t, ok)
		out, err := f(&Context{}, []Operand{a, b}, 1)
		require.NoError(t, err)
		require.Equal(t, holds, len(True(out, 1, nil)) == 1, "%v %s %v", a.Array, symbol, b.Array)
	}
}
