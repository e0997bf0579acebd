package exec

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// drawKeyed is a column of row numbers and two columns of keys with few values, the first with a NULL here and there.
func drawKeyed(t *rapid.T, rows int) ([]arrow.Array, []plan.SortKey) {
	numbers, first := array.NewInt64Builder(memory.DefaultAllocator), array.NewInt64Builder(memory.DefaultAllocator)
	second := array.NewStringBuilder(memory.DefaultAllocator)
	few, nulls := rapid.Int64Range(0, 6).Draw(t, "values"), rapid.IntRange(0, 2).Draw(t, "nulls")
	for i := range rows {
		numbers.Append(int64(i))
		if nulls == 0 && rapid.IntRange(0, 20).Draw(t, "null") == 0 {
			first.AppendNull()
		} else {
			first.Append(rapid.Int64Range(-few, few).Draw(t, "first"))
		}
		second.Append("same start " + rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "second"))
	}
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	keys := []plan.SortKey{key(event.BigInt, flag("first down"), flag("first nulls")), key(event.Text, flag("second down"), false)}
	return []arrow.Array{numbers.NewArray(), first.NewArray(), second.NewArray()}, keys
}

// TestPickKeepsTheFirstOfEachGroup compares with sorting everything.
func TestPickKeepsTheFirstOfEachGroup(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 80).Draw(t, "rows")
		groups := rapid.IntRange(1, 5).Draw(t, "groups")
		columns, keys := drawKeyed(t, rows)
		whole := &Batch{Columns: columns, Rows: rows}
		ids := make([]uint32, rows)
		for i := range ids {
			ids[i] = uint32(rapid.IntRange(0, groups-1).Draw(t, "group"))
		}
		workers := []*pick{{keys: keys}, {keys: keys}}
		second := rapid.IntRange(0, rows).Draw(t, "second worker")
		for from := 0; from < rows; {
			to := min(rows, from+rapid.IntRange(1, 30).Draw(t, "batch"))
			worker := workers[0]
			if from >= second {
				worker = workers[1]
			}
			require.NoError(t, worker.update(whole.slice(from, to).Columns, ids[from:to], groups, sequence(to-from)))
			if rapid.IntRange(0, 3).Draw(t, "settle") == 0 {
				require.NoError(t, worker.settle())
			}
			from = to
		}
		require.NoError(t, workers[0].merge(workers[1], sequenceOf(groups), groups))

		want := make([]int64, groups)
		for g := range want {
			want[g] = -1
		}
		for _, row := range sorted(t, columns[1:], keys, rows) {
			if g := ids[row]; want[g] < 0 {
				want[g] = int64(row)
			}
		}
		kept, at, valid, err := workers[0].result(groups)
		require.NoError(t, err)
		got := kernel.TakeValid(kept[0], at, valid).(*array.Int64)
		for g, row := range want {
			require.Equal(t, row < 0, got.IsNull(g))
			if row >= 0 {
				require.Equal(t, row, got.Value(g))
			}
		}
	})
}

// TestRowsAreSortedWithinPartitions compares with sorting everything and then dealing the rows out.
func TestRowsAreSortedWithinPartitions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 60).Draw(t, "rows")
		columns, keys := drawKeyed(t, rows)
		ids := make([]uint32, rows)
		for i := range ids {
			ids[i] = uint32(min(i, rapid.IntRange(0, 3).Draw(t, "partition"))) // numbered by first appearance
			for ids[i] > 0 && (i == 0 || ids[i] > maximum(ids[:i])+1) {
				ids[i]--
			}
		}
		order, starts := byPartition(ids, rows)
		require.NoError(t, sortWithin(&kernel.Context{}, order, starts, columns[1:], keys))
		want := make([][]int32, len(starts)-1)
		for _, row := range sorted(t, columns[1:], keys, rows) {
			want[ids[row]] = append(want[ids[row]], row)
		}
		for p, part := range want {
			require.Equal(t, part, order[starts[p]:starts[p+1]])
		}
	})
}
