package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// fromFrame computes first_value, last_value and nth_value: the value in one row of the frame, NULL where the frame has no such row.
func (w *windowRows) fromFrame(c *windowCall, args []kernel.Operand) (arrow.Array, error) {
	pieces, err := w.frames(c.Frame)
	if err != nil {
		return nil, err
	}
	values := args[0].Expand(w.count)
	if first := w.stretch.of(c).first; first != nil && c.Fn.Name == "first_value" {
		return w.fromFirst(values, first)
	}
	places, found := w.places(values, c.IgnoreNulls), make([]int32, w.count)
	var ns *array.Int64
	switch c.Fn.Name {
	case "nth_value":
		ns = args[1].Expand(w.count).(*array.Int64)
		if err := checkNth(ns); err != nil {
			return nil, err
		}
	case "last_value":
		slices.Reverse(pieces)
	}
	for i := range found {
		found[i] = -1
		n := int64(1)
		if ns != nil {
			if ns.IsNull(i) {
				continue
			}
			n = ns.Value(i)
		}
		for _, p := range pieces {
			var row int32
			var rows int64
			if c.Fn.Name == "last_value" {
				row = places.last(p.Low[i], p.High[i])
			} else {
				row, rows = places.nth(n, p.Low[i], p.High[i])
			}
			if row >= 0 {
				found[i] = row
				break
			}
			n -= rows
		}
	}
	return kernel.TakeOrNull(values, found), nil
}

func checkNth(ns *array.Int64) error {
	for i, n := range ns.Int64Values() {
		if n <= 0 && !ns.IsNull(i) {
			return event.Errorf(event.CodeInvalidValue, "nth_value of row %d: rows count from 1", n)
		}
	}
	return nil
}

// last is the last row of a stretch that counts, or -1.
func (p valuePlaces) last(from, to int32) int32 {
	if p.rows == nil {
		if to <= from {
			return -1
		}
		return to - 1
	}
	if p.before[to] <= p.before[from] {
		return -1
	}
	return p.rows[p.before[to]-1]
}
