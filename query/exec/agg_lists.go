package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// listRows turns rows, of which ids says the group, into the state of an aggregate that keeps rows: for each column, a list for each
// of groups, in the order of the rows.
func listRows(columns []arrow.Array, ids, groups []uint32) ([]arrow.Array, error) {
	var places []int32 // by group, its place among groups counted from 1; 0 for none
	if len(ids) > 0 {
		places = make([]int32, slices.Max(ids)+1)
	}
	for i, g := range groups {
		if int(g) < len(places) {
			places[g] = int32(i) + 1
		}
	}
	ends := make([]int, len(groups))
	for _, g := range ids {
		if place := places[g]; place > 0 {
			ends[place-1]++
		}
	}
	next, total := make([]int, len(groups)), 0
	for i, n := range ends {
		next[i] = total
		total += n
		ends[i] = total
	}
	rows := make([]int32, total)
	for row, g := range ids {
		if place := places[g]; place > 0 {
			rows[next[place-1]] = int32(row)
			next[place-1]++
		}
	}
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		var err error
		if out[i], err = kernel.NewLists(kernel.Take(c, rows), ends, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// openListRows undoes listRows: the rows and the place of each one's group.
func openListRows(state []arrow.Array, types []event.Type) (columns []arrow.Array, ids []uint32, err error) {
	lists := arrowTypes(types)
	for i, t := range lists {
		lists[i] = arrow.ListOf(t)
	}
	if err := kernel.CheckState(state, lists...); err != nil {
		return nil, nil, err
	}
	for i, s := range state {
		values, groups := kernel.OpenLists(s)
		if i > 0 && !slices.Equal(ids, groups) {
			return nil, nil, event.Errorf(event.CodeCorrupt, "state of an aggregate: lists of different lengths")
		}
		columns, ids = append(columns, values), groups
	}
	return columns, ids, nil
}

func arrowTypes(types []event.Type) []arrow.DataType {
	out := make([]arrow.DataType, len(types))
	for i, t := range types {
		out[i] = t.Arrow()
	}
	return out
}

// emptyColumns are columns without rows.
func emptyColumns(types []event.Type) []arrow.Array {
	out := make([]arrow.Array, len(types))
	for i, t := range types {
		out[i] = event.NewNulls(t, 0)
	}
	return out
}
