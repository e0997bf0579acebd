package decode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
)

// TestRecycledListsAreOnlyTheLists decodes chunks into memory that others have left: each keeps its values, and has its own texts.
func TestRecycledListsAreOnlyTheLists(t *testing.T) {
	t.Parallel()
	var kept []*Rows
	for round := range 5 {
		var lines strings.Builder
		for i := range 40 * (round + 1) {
			fmt.Fprintf(&lines, "{\"a\":\"%d-%d\"}\n", round, i)
		}
		schema, err := Infer([]byte(lines.String()), "")
		require.NoError(t, err)
		rows, err := NDJSON([]byte(lines.String()), schema, Options{})
		require.NoError(t, err)
		require.Len(t, rows.Raw, rows.Count)
		for i, raw := range rows.Raw {
			require.Equal(t, fmt.Sprintf("{\"a\":\"%d-%d\"}", round, i), string(raw))
			require.Equal(t, i, rows.Lines[i])
		}
		kept = append(kept, rows)
		rows.Recycle()
		rows.Recycle()
	}
	for round, rows := range kept {
		for i := range rows.Count {
			require.Equal(t, fmt.Sprintf("%d-%d", round, i), rows.Columns[0].(*array.String).Value(i))
		}
	}
}

func TestRecycledListsKeepNoText(t *testing.T) {
	t.Parallel()
	raw := make([][]byte, 1, leastListed)
	raw[0] = []byte("text")
	rows := &Rows{Raw: raw, lists: &rowLists{}}
	rows.Recycle()
	require.Nil(t, raw[0])
	require.Nil(t, rows.Raw)
}
