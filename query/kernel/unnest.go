package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// Unnest spreads the arrays of some rows out: a row for each place, with the row that it comes from, the element of each array there,
// NULL beyond its end, and the place from 1.
func Unnest(arrays []arrow.Array, from, to int) (parents []int32, elements []arrow.Array, places []int64) {
	spread := make([]lists, len(arrays))
	picks := make([][]int32, len(arrays))
	for k, a := range arrays {
		spread[k] = listsOf(Operand{Array: a})
	}
	for row := from; row < to; row++ {
		longest := LongestList(arrays, row)
		for at := range longest {
			parents, places = append(parents, int32(row)), append(places, int64(at+1))
			for k := range spread {
				pick := int32(-1)
				if start, end := spread[k].span(row); arrays[k].IsValid(row) && start+at < end {
					pick = int32(start + at)
				}
				picks[k] = append(picks[k], pick)
			}
		}
	}
	for k := range spread {
		elements = append(elements, TakeOrNull(spread[k].values, picks[k]))
	}
	return parents, elements, places
}

// LongestList is the greatest number of elements that one of the arrays of a row has.
func LongestList(arrays []arrow.Array, row int) int {
	longest := 0
	for _, a := range arrays {
		if a.IsNull(row) {
			continue
		}
		l := listsOf(Operand{Array: a})
		start, end := l.span(row)
		longest = max(longest, end-start)
	}
	return longest
}

// AsLists gives a column of NULLs without type the type of arrays.
func AsLists(column arrow.Array, t event.Type) arrow.Array {
	if column.DataType().ID() == arrow.NULL {
		return event.NewNulls(t, column.Len())
	}
	return column
}
