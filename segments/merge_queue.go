package segments

import (
	"cmp"
	"container/heap"
	"context"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// mergeQueue is the segments of a merge, the one whose next row comes first on top.
type mergeQueue struct{ cursors []*mergeCursor }

func (q *mergeQueue) push(c *mergeCursor) { heap.Push(q, c) }

// take appends places until there are n.
func (q *mergeQueue) take(ctx context.Context, order []place, n int) ([]place, error) {
	for len(order) < n && len(q.cursors) > 0 {
		top := q.cursors[0]
		order = top.takeBelow(order, n, q.second())
		if top.at == len(top.times) {
			more, err := top.load(ctx)
			if err != nil {
				return nil, err
			}
			if !more {
				heap.Pop(q)
				continue
			}
		}
		heap.Fix(q, 0)
	}
	return order, nil
}

// second is the time of the next row of any cursor but the top one.
func (q *mergeQueue) second() int64 {
	least := int64(math.MaxInt64)
	for _, c := range q.cursors[1:min(3, len(q.cursors))] {
		least = min(least, c.times[c.at])
	}
	return least
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (q *mergeQueue) Len() int           { return len(q.cursors) }
func (q *mergeQueue) Less(i, j int) bool { return q.cursors[i].compare(q.cursors[j]) < 0 }
func (q *mergeQueue) Swap(i, j int)      { q.cursors[i], q.cursors[j] = q.cursors[j], q.cursors[i] }

// Push adds a *mergeCursor.
func (q *mergeQueue) Push(c any) { q.cursors = append(q.cursors, c.(*mergeCursor)) }

// Pop takes the last one out.
func (q *mergeQueue) Pop() any {
	last := len(q.cursors) - 1
	c := q.cursors[last]
	q.cursors = q.cursors[:last]
	return c
}

// mergeCursor reads the sorting columns of one segment, a page's worth at a time.
type mergeCursor struct {
	order     rowOrder
	parts     []part
	firstPart int // number of the first of parts among all of the merge

	part, next         int // next is the row of the part to load from, counted in its row group
	at, base           int // at is the present row among those loaded, base the row of the row group that the first of them is
	times              []int64
	keys               sortKeys
	partitions, offset []int64
	memory             event.Buffers
	loadedPart         int
}

// load reads the next stretch of rows; false at the end.
func (c *mergeCursor) load(ctx context.Context) (bool, error) {
	for c.part < len(c.parts) && max(c.next, c.parts[c.part].from) >= c.parts[c.part].to {
		c.part, c.next = c.part+1, 0
	}
	if c.part == len(c.parts) {
		return false, nil
	}
	p := c.parts[c.part]
	from := max(c.next, p.from)
	to := min(p.to, from+parquet.DefaultPageRows)
	c.memory.Reset()
	columns, err := p.readSorting(ctx, c.order, from, to, &c.memory)
	if err != nil {
		return false, err
	}
	own := len(columns) - fixedSorting
	c.times = mergeTimes(asTimes(columns[own]), asTimes(columns[own+1]))
	c.partitions, c.offset = columns[own+2].(*array.Int64).Int64Values(), columns[own+3].(*array.Int64).Int64Values()
	c.keys = sortKeys(columns[:own])
	c.loadedPart, c.base, c.at, c.next = c.firstPart+c.part, from, 0, to
	return true, nil
}

func asTimes(values arrow.Array) *array.Timestamp { return values.(*array.Timestamp) }

// mergeTimes are event times, with the time of arrival where there is none.
func mergeTimes(times, arrivals *array.Timestamp) []int64 {
	values := fixedValues[int64](times)
	if times.NullN() == 0 {
		return values
	}
	out := make([]int64, len(values))
	for i := range out {
		if out[i] = values[i]; times.IsNull(i) {
			out[i] = int64(arrivals.Value(i))
		}
	}
	return out
}

// takeBelow appends the present row, and those after it whose time is less than limit, until there are n places or no rows loaded.
func (c *mergeCursor) takeBelow(order []place, n int, limit int64) []place {
	for {
		order = append(order, place{time: c.times[c.at], batch: int32(c.loadedPart), row: int32(c.base + c.at)})
		c.at++
		if c.at == len(c.times) || len(order) == n || c.times[c.at] >= limit {
			return order
		}
	}
}

// compare orders the present rows of two cursors.
func (c *mergeCursor) compare(o *mergeCursor) int {
	if by := cmp.Compare(c.times[c.at], o.times[o.at]); by != 0 {
		return by
	}
	if by := c.keys.compare(c.at, o.keys, o.at); by != 0 {
		return by
	}
	return cmp.Or(cmp.Compare(c.partitions[c.at], o.partitions[o.at]), cmp.Compare(c.offset[c.at], o.offset[o.at]))
}
