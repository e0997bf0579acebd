package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestConcatAndTake lays pieces in all forms end to end and gathers from them, against the same done on their text.
func TestConcatAndTake(t *testing.T) {
	t.Parallel()
	for _, typ := range plan.ValueTypes {
		typ = concrete(typ)
		for seed := range uint64(30) {
			random := rand.New(rand.NewPCG(seed, 4))
			var pieces []arrow.Array
			var wanted []string
			mixed := random.IntN(2) == 0
			for k := range 1 + random.IntN(4) {
				piece := Operand{Array: sampleColumn(t, random, &plan.Function{}, typ, random.IntN(12), false)}
				wanted = append(wanted, render(t, piece, typ, piece.Array.Len())...)
				form := 3
				if mixed {
					form = k % 4
				}
				pieces = append(pieces, inForm(t, random, piece, form, false).Array)
			}
			all, err := Concat(pieces)
			require.NoError(t, err)
			require.Equal(t, wanted, render(t, Operand{Array: all}, typ, len(wanted)), "%s, seed %d", typ, seed)

			var rows []int32
			var taken []string
			for range random.IntN(20) {
				if len(wanted) > 0 {
					rows = append(rows, int32(random.IntN(len(wanted))))
					taken = append(taken, wanted[rows[len(rows)-1]])
				}
			}
			got := render(t, Operand{Array: Take(all, rows)}, typ, len(rows))
			require.True(t, slices.Equal(taken, got), "%s, seed %d: %v, not %v", typ, seed, got, taken)
		}
	}
}

func TestConcatSharesDictionaries(t *testing.T) {
	t.Parallel()
	values := columnOf(t, textType, "a", "b")
	whole := event.NewDictionary([]int32{0, 1, 0, 1}, values, nil)
	out, err := Concat([]arrow.Array{array.NewSlice(whole, 0, 2), array.NewSlice(whole, 2, 4)})
	require.NoError(t, err)
	require.Equal(t, 2, out.(*array.Dictionary).Dictionary().Len())
}

func TestDecodeAllNull(t *testing.T) {
	t.Parallel()
	nulls := event.NewDictionary([]int32{0, 0}, noText, event.NewBitmap(2))
	require.Equal(t, []string{"NULL", "NULL"}, render(t, Operand{Array: Decode(nulls)}, textType, 2))
	require.Equal(t, []string{"NULL", "NULL"}, render(t, Operand{Array: Take(nulls, []int32{1, 0})}, textType, 2))
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for _, typ := range plan.ValueTypes {
		typ = concrete(typ)
		for _, value := range []string{samples[typ.Kind].tame[0], "NULL"} {
			one := Operand{Array: columnOf(t, typ, value), Const: true}
			wanted := render(t, one, typ, 3)
			require.Equal(t, wanted, render(t, Operand{Array: one.Expand(3)}, typ, 3))
		}
	}
}
