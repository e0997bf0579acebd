package continuous

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestColumnsAreEncodedInPlace holds that room for a snapshot's columns is made once, and little more of it than they take.
func TestColumnsAreEncodedInPlace(t *testing.T) {
	t.Parallel()
	const rows = 10_000
	numbers, offsets, text := make([]int64, rows), make([]int32, rows+1), []byte(nil)
	for i := range rows {
		numbers[i] = int64(i)
		text = append(text, "a text of some length"[:i%21]...)
		offsets[i+1] = int32(len(text))
	}
	columns := []arrow.Array{event.NewInt64s(numbers, nil), event.NewStrings(offsets, text, nil)}
	out, err := encodeColumns(columns, rows)
	require.NoError(t, err)
	require.LessOrEqual(t, cap(out)-len(out), 4<<10)
	require.Greater(t, len(out), 8*rows+len(text))
}
