package kernel

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestEveryArrayFormIsImplemented holds plan.ArrayForms and the implementations equal.
func TestEveryArrayFormIsImplemented(t *testing.T) {
	t.Parallel()
	planned := map[string]bool{}
	for _, form := range plan.ArrayForms {
		key := form.Name + "/" + form.Args
		require.False(t, planned[key], "%s is planned twice", key)
		planned[key] = true
		require.Contains(t, arrayImplementations, key)
		for _, elem := range plan.ValueTypes {
			if elem.Kind == event.Numeric {
				elem.Precision, elem.Scale = 12, 3
			}
			_, ok := Lookup(form.Of(elem, len(form.Args)))
			require.True(t, ok, "%s over %s", key, elem)
		}
	}
	for key := range arrayImplementations {
		require.True(t, planned[key], "%s is implemented and not planned", key)
	}
}

// TestArrayFunctionsTakeSlices computes over arrays that begin in the middle of a larger column, and over a constant.
func TestArrayFunctionsTakeSlices(t *testing.T) {
	t.Parallel()
	bigint := event.Type{Kind: event.BigInt}
	values := event.NewInt64s([]int64{1, 2, 3, 4, 5, 6}, nil)
	valid := allValid(4)
	valid.Clear(2)
	whole := event.NewLists([]int32{0, 1, 3, 3, 6}, values, valid)
	for _, form := range plan.ArrayForms {
		if form.Args != "a" || form.Result == 'b' {
			continue
		}
		f, _ := Lookup(form.Of(bigint, 1))
		all, err := f(&Context{}, []Operand{{Array: whole}}, 4)
		require.NoError(t, err, form.Name)
		for i := range 4 {
			one, err := f(&Context{}, []Operand{{Array: array.NewSlice(whole, int64(i), int64(i+1))}}, 1)
			require.NoError(t, err, form.Name)
			require.Equal(t, array.NewSlice(all.Array, int64(i), int64(i+1)).String(), one.Array.String(), form.Name)
			constant, err := f(&Context{}, []Operand{{Array: array.NewSlice(whole, int64(i), int64(i+1)), Const: true}}, 3)
			require.NoError(t, err, form.Name)
			require.Equal(t, one.Array.String(), Decode(array.NewSlice(constant.Expand(3), 2, 3)).String(), form.Name)
		}
	}
}
