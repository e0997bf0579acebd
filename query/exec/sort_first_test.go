package exec

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestFirstOfBatchHasTheFirst compares with sorting everything.
func TestFirstOfBatchHasTheFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 60).Draw(t, "rows")
		texts, numbers := array.NewStringBuilder(memory.DefaultAllocator), array.NewInt64Builder(memory.DefaultAllocator)
		for range rows {
			if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
				texts.AppendNull()
			} else {
				texts.Append("same start " + rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "text"))
			}
			numbers.Append(rapid.Int64Range(0, 3).Draw(t, "number"))
		}
		columns := []arrow.Array{texts.NewArray(), numbers.NewArray()}
		flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
		keys := []plan.SortKey{key(event.Text, flag("text down"), flag("text nulls")), key(event.BigInt, flag("number down"), false)}
		limit := rapid.IntRange(0, 10).Draw(t, "limit")
		kept := firstOfBatch(columns, keys, rows, limit)
		require.True(t, slices.IsSorted(kept))
		for _, row := range sorted(t, columns, keys, rows)[:min(limit, rows)] {
			require.Contains(t, kept, row)
		}
	})
}

func BenchmarkTopOfAscendingText(b *testing.B) {
	const rows = 32 << 10
	texts := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range rows {
		texts.Append(fmt.Sprintf("order-%09d", i))
	}
	columns := []arrow.Array{texts.NewArray()}
	keys := []plan.SortKey{key(event.Text, true, true)}
	for b.Loop() {
		firstOfBatch(columns, keys, rows, 5)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
