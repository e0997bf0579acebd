package kernel

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestSetsAnswerAsComparisonsDo compares long lists with short ones, which are compared value by value: every type, with and
// without NULL among the constants, over columns and constants.
func TestSetsAnswerAsComparisonsDo(t *testing.T) {
	t.Parallel()
	for kind, values := range samples {
		typ := concrete(event.Type{Kind: kind})
		if kind == event.JSONB || kind == event.Unknown {
			continue
		}
		all := append(append([]string{"NULL"}, values.tame...), values.wild...)
		column := columnOf(t, typ, all...)
		for _, members := range [][]string{all[1:2:2], all[1:3:3], {all[1], "NULL"}, {"NULL"}} {
			for _, input := range []plan.Expr{ref(0, typ), literal(t, typ, all[1]), literal(t, typ, "NULL")} {
				short := compiled(t, inList(t, input, members))
				long := members
				for len(long) < manyMembers {
					long = append(long, members...)
				}
				set := compiled(t, inList(t, input, long))
				require.IsType(t, &setStep{}, set.root, typ)
				want, err := short.Eval(&Context{}, []arrow.Array{column}, column.Len())
				require.NoError(t, err)
				got, err := set.Eval(&Context{}, []arrow.Array{column}, column.Len())
				require.NoError(t, err)
				require.Equal(t, render(t, want, booleanType, column.Len()), render(t, got, booleanType, column.Len()), "%s in %v", typ, members)
			}
		}
	}
}

// inList is input = a OR input = b OR ...
func inList(t *testing.T, input plan.Expr, members []string) plan.Expr {
	t.Helper()
	var out plan.Expr
	for _, m := range members {
		for _, f := range plan.Functions["="] {
			if f.Args[0].Kind != input.Type().Kind || f.Args[1].Kind != input.Type().Kind {
				continue
			}
			test := plan.Expr(&plan.Call{Fn: plan.Concrete(f, []event.Type{input.Type(), input.Type()}), Args: []plan.Expr{input, literal(t, input.Type(), m)}})
			if out != nil {
				test = &plan.Call{Fn: plan.Functions["or"][0], Args: []plan.Expr{out, test}}
			}
			out = test
			break
		}
	}
	return out
}

// TestStoppedWorkEndsBetweenCalls: an expression of many calls does not go on to its end once nobody waits for it.
func TestStoppedWorkEndsBetweenCalls(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	close(done)
	column := columnOf(t, bigintType, "1", "2")
	for _, e := range []plan.Expr{
		callOf(t, "+(BIGINT, BIGINT)", ref(0, bigintType), ref(0, bigintType)), inList(t, ref(0, bigintType), []string{"1", "2"}),
	} {
		_, err := compiled(t, e).Eval(&Context{Done: done}, []arrow.Array{column}, 2)
		require.Error(t, err)
	}
}
