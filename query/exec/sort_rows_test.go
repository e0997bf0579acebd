package exec

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func key(kind event.Kind, descending, nullsFirst bool) plan.SortKey {
	return plan.SortKey{
		Expr: &plan.ColumnRef{Typ: event.Type{Kind: kind}}, Descending: descending, NullsFirst: nullsFirst,
	}
}

func sorted(t require.TestingT, columns []arrow.Array, keys []plan.SortKey, rows int) []int32 {
	order, err := sortRows(&kernel.Context{}, columns, keys, rows)
	require.NoError(t, err)
	return order
}

func TestSortPutsNaNLastAndNullsWhereAsked(t *testing.T) {
	t.Parallel()
	valid := event.NewBitmap(7)
	for _, i := range []int{0, 1, 2, 3, 5, 6} {
		valid.Set(i)
	}
	values := []float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), 0, 5, -3, math.Inf(-1)}
	columns := []arrow.Array{event.NewFloat64s(values, valid)}
	sort := func(descending, nullsFirst bool) []int32 {
		return sorted(t, columns, []plan.SortKey{key(event.Double, descending, nullsFirst)}, 7)
	}
	require.Equal(t, []int32{6, 5, 2, 3, 1, 0, 4}, sort(false, false))
	require.Equal(t, []int32{4, 6, 5, 2, 3, 1, 0}, sort(false, true))
	require.Equal(t, []int32{0, 1, 2, 3, 5, 6, 4}, sort(true, false))
	require.Equal(t, []int32{4, 0, 1, 2, 3, 5, 6}, sort(true, true))
}

func TestSortOfTextGoesBeyondThePrefix(t *testing.T) {
	t.Parallel()
	texts := event.NewStrings([]int32{0, 9, 18, 18, 26, 27}, []byte("prefix-_bprefix-_aprefix-_\x00"), nil)
	order := sorted(t, []arrow.Array{texts}, []plan.SortKey{key(event.Text, false, false)}, 5)
	require.Equal(t, []int32{2, 4, 3, 1, 0}, order)
}
