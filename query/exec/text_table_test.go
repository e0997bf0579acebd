package exec

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func TestTextTableStaysExactAsItGrows(t *testing.T) {
	t.Parallel()
	table := newTextTable()
	for round := range 2 {
		for i := range 5000 {
			require.EqualValues(t, i, table.insert(fmt.Sprint(i)), "round %d", round)
		}
	}
	require.Equal(t, 5000, table.count())
	column, err := table.column()
	require.NoError(t, err)
	for i := range 5000 {
		require.Equal(t, fmt.Sprint(i), column.(*array.String).Value(i))
	}
}

func TestTextKeysKeepDictionariesApart(t *testing.T) {
	t.Parallel()
	first := event.NewStrings([]int32{0, 1, 2, 2}, []byte("ab"), nil)
	second := event.NewStrings([]int32{0, 1, 1, 2}, []byte("bc"), nil)
	keys := newTextKeys()
	encode := func(codes []int32, values *array.String, valid event.Bitmap) []uint32 {
		out := make([]uint32, len(codes))
		keys.encode(event.NewDictionary(codes, values, valid), out)
		return out
	}
	require.Equal(t, []uint32{0, 1, 0}, encode([]int32{1, 0, 1}, first.(*array.String), nil))
	require.Equal(t, []uint32{0, 2, 3}, encode([]int32{0, 0, 2}, second.(*array.String), event.Bitmap{0b101}))
	require.Equal(t, []uint32{4, 1, 0}, encode([]int32{2, 0, 1}, first.(*array.String), nil))
	require.Equal(t, 5, keys.count(), "b, a, NULL, c and the empty text")
	out, err := keys.decode([]uint32{3, 2, 4})
	require.NoError(t, err)
	require.Equal(t, "c", event.StringAt(out, 0))
	require.True(t, out.IsNull(1))
	require.Empty(t, event.StringAt(out, 2))
}
