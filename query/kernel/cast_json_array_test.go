package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestArraysReadBackFromJSON holds arrays of every type, and arrays of these, equal to what their JSON is read as: streams store them so.
func TestArraysReadBackFromJSON(t *testing.T) {
	t.Parallel()
	for _, elem := range plan.ValueTypes {
		elem = concrete(elem)
		t.Run(elem.String(), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				random := rand.New(rand.NewPCG(seed, 3))
				values := sampleColumn(t, random, &plan.Function{}, elem, 12, false)
				lists := Operand{Array: event.NewLists([]int32{0, 3, 3, 7, 12}, Decode(values), event.Bitmap{0b1011})}
				checkReadsBack(t, lists, event.ArrayOf(elem), 4)
				nested := Operand{Array: event.NewLists([]int32{0, 1, 4}, lists.Array, nil)}
				checkReadsBack(t, nested, event.ArrayOf(event.ArrayOf(elem)), 2)
			}
		})
	}
}

func checkReadsBack(t *testing.T, lists Operand, typ event.Type, rows int) {
	t.Helper()
	document, err := Cast(&Context{}, lists, typ, event.Type{Kind: event.JSONB}, rows)
	require.NoError(t, err)
	back, err := Cast(&Context{}, document, event.Type{Kind: event.JSONB}, typ, rows)
	require.NoError(t, err)
	require.Equal(t, render(t, lists, typ, rows), render(t, back, typ, rows))
}

func TestWhatIsNoJSONArray(t *testing.T) {
	t.Parallel()
	for _, document := range []string{`{"0":1}`, `1`, `"[1]"`, `[true]`, `["x"]`} {
		in := Operand{Array: columnOf(t, event.Type{Kind: event.JSONB}, document)}
		_, err := Cast(&Context{}, in, event.Type{Kind: event.JSONB}, event.ArrayOf(event.Type{Kind: event.BigInt}), 1)
		require.Error(t, err, document)
	}
}
