package exec

import (
	"container/heap"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// firstOfBatch lists, in the order in which they lie, rows of a batch among which are the first limit by the keys, NULLs counted apart.
// It keeps a heap of that many rows, so that a batch costs little more than a look at each row's first key, however the rows lie: sorting
// whole batches is slow where every row comes before all those before it.
func firstOfBatch(columns []arrow.Array, keys []plan.SortKey, rows, limit int) []int32 {
	compare := comparers(columns, keys)
	nulls, values := splitNulls(columns[0], rows)
	prefixes, whole := firstPrefixes(columns[0], keys[0], values)
	from := 0
	if whole {
		from = 1 // equal prefixes mean equal values
	}
	kept := leastRows(prefixes, limit, compare[from:])
	if len(nulls) > 0 {
		level := make([]prefixed, len(nulls))
		for i, row := range nulls {
			level[i].row = row
		}
		kept = append(kept, leastRows(level, limit, compare[1:])...)
	}
	slices.Sort(kept)
	return kept
}

// leastRows lists the first limit of some rows, in no order. It may turn rows round.
func leastRows(rows []prefixed, limit int, compare []func(i, j int) int) []int32 {
	h := &rowHeap{compare: compare}
	if n := len(rows); n > 1 && h.before(rows[n-1], rows[0]) {
		slices.Reverse(rows) // where they lie the wrong way round, the first ones are met at once
	}
	h.rows = append(make([]prefixed, 0, min(limit, len(rows))), rows[:min(limit, len(rows))]...)
	heap.Init(h)
	for _, r := range rows[len(h.rows):] {
		if len(h.rows) > 0 && h.before(r, h.rows[0]) {
			h.rows[0] = r
			heap.Fix(h, 0)
		}
	}
	out := make([]int32, len(h.rows))
	for i, r := range h.rows {
		out[i] = r.row
	}
	return out
}

// rowHeap has the row that comes last at its root.
type rowHeap struct {
	rows    []prefixed
	compare []func(i, j int) int
}

func (h *rowHeap) before(a, b prefixed) bool {
	if a.prefix != b.prefix {
		return a.prefix < b.prefix
	}
	return compareRows(h.compare, a.row, b.row) < 0
}

func (h *rowHeap) Len() int           { return len(h.rows) }
func (h *rowHeap) Less(i, j int) bool { return h.before(h.rows[j], h.rows[i]) }
func (h *rowHeap) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *rowHeap) Push(any)           {} // its size is fixed
func (h *rowHeap) Pop() any           { return nil }
