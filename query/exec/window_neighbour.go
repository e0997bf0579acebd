package exec

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// neighbours computes lag and lead: the value some rows before or after in the partition, one if no number is given. Where there is
// no such row it is the current row's default, and NULL where the number is.
func (w *windowRows) neighbours(c *windowCall, args []kernel.Operand) (arrow.Array, error) {
	values := args[0].Expand(w.count)
	distances, known := w.distances(c.Fn.Name == "lag", args)
	found := make([]int32, w.count)
	places := w.places(values, c.IgnoreNulls)
	w.partitions(func(start, end int32) {
		for i := start; i < end; i++ {
			found[i] = -1
			if known == nil || !known.IsNull(int(i)) {
				found[i] = places.away(i, distances(int(i)), start, end)
			}
		}
	})
	if len(args) < 3 {
		return kernel.TakeOrNull(values, found), nil
	}
	if w.count > math.MaxInt32/2 {
		return nil, event.Errorf(event.CodeTooLarge, "%s with a default over more than %d rows", c.Fn.Name, math.MaxInt32/2)
	}
	both, err := kernel.Concat([]arrow.Array{values, args[2].Expand(w.count)})
	if err != nil {
		return nil, err
	}
	for i, row := range found {
		if row < 0 && (known == nil || !known.IsNull(i)) {
			found[i] = int32(w.count + i)
		}
	}
	return kernel.TakeOrNull(both, found), nil
}

// distances gives how many rows forward each row looks. known says where the number is not NULL; nil means everywhere.
func (w *windowRows) distances(back bool, args []kernel.Operand) (distance func(i int) int64, known *array.Int64) {
	sign := int64(1)
	if back {
		sign = -1
	}
	if len(args) < 2 {
		return func(int) int64 { return sign }, nil
	}
	known = args[1].Expand(w.count).(*array.Int64)
	values := known.Int64Values()
	// Distances are cut at what no partition holds, so that they can be added to rows.
	limit := int64(w.count) + 1
	return func(i int) int64 { return sign * max(-limit, min(limit, values[i])) }, known
}

// valuePlaces finds rows by their distance, passing over NULLs where it is made for that.
type valuePlaces struct {
	rows   []int32 // those whose value is not NULL; nil where all count
	before []int32 // how many of rows come before each row, and before the end
}

func (w *windowRows) places(values arrow.Array, ignoreNulls bool) valuePlaces {
	if !ignoreNulls {
		return valuePlaces{}
	}
	p := valuePlaces{rows: []int32{}, before: make([]int32, w.count+1)}
	for i := range w.count {
		if !isNull(values, i) {
			p.rows = append(p.rows, int32(i))
		}
		p.before[i+1] = int32(len(p.rows))
	}
	return p
}

// away is the row at a distance from row i, or -1 where that is outside of the partition. A distance of 0 is row i itself.
func (p valuePlaces) away(i int32, distance int64, start, end int32) int32 {
	if p.rows == nil || distance == 0 {
		to := int64(i) + distance
		if to < int64(start) || to >= int64(end) {
			return -1
		}
		return int32(to)
	}
	at := int64(p.before[i]) + distance
	if distance > 0 {
		at = int64(p.before[i+1]) + distance - 1
	}
	if at < int64(p.before[start]) || at >= int64(p.before[end]) {
		return -1
	}
	return p.rows[at]
}

// nth is the nth row, counted from 1, of a stretch of rows, or -1, and how many rows that count the stretch has.
func (p valuePlaces) nth(n int64, from, to int32) (row int32, rows int64) {
	if p.rows == nil {
		if rows = int64(to - from); n > rows {
			return -1, rows
		}
		return from + int32(n-1), rows
	}
	first := p.before[from]
	if rows = int64(p.before[to] - first); n > rows {
		return -1, rows
	}
	return p.rows[int64(first)+n-1], rows
}
