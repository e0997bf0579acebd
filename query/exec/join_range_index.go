package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

const (
	// rangeGroup is up to how many rows of a group are tried one by one: below, making and testing a pair costs as much as halving.
	rangeGroup = 16
	// rangeBytes is what a row of the build side takes while the ranges are indexed: integers for three values, of which one is
	// sorted with its row, the ranks of one, and the places of the row.
	rangeBytes = 64
)

// rangeIndex has integers in the place of the values of the build side's ranges. It is only read once it is made, from any goroutine.
type rangeIndex struct {
	codes []*rangeCodes // of the values of joinRanges.order, then of beside
	// order has the integers of the rows in joinTable.rows by which each group lies in order.
	order []uint64
	// beside has those of the other value, turned so that greater ones meet the condition; nil without one.
	beside *greatest
}

// indexRanges puts the rows of each group in order. Rows that are NULL in a range leave their groups, since they are in no pair. It gives nil
// where the groups are small, or where a value cannot be computed for all rows: pairs fail then, if one is asked for.
func (o *joinOp) indexRanges(build *joinBuild, groups []uint32) (*rangeIndex, error) {
	if o.ranges == nil || build.table.largest() <= o.run.engine.rangeGroup {
		return nil, nil
	}
	if err := build.memory.resize(build.memory.held + rangeBytes*int64(build.batch.Rows)); err != nil {
		return nil, err
	}
	values, err := o.evalKeys(o.ranges.build, o.buildAt(), build.batch)
	if err != nil {
		return nil, nil //nolint:nilerr // only a pair that asks for the value may fail
	}
	rows := rowsWithout(values, groups)
	out := &rangeIndex{}
	var order, beside []uint64
	for i, c := range o.ranges.conditions() {
		codes, integers, err := newRangeCodes(o.run.kernel, values[i], c.build, build.batch.Rows)
		if err != nil {
			return nil, err
		}
		out.codes = append(out.codes, codes)
		switch {
		case i == 0:
			order = integers
		case i >= len(o.ranges.order):
			beside = integers
		}
	}
	if rows, err = byInteger(o.run.kernel, order, rows); err != nil {
		return nil, err
	}
	build.table.layOut(groups, rows)
	out.order = make([]uint64, len(build.table.rows))
	for i, row := range build.table.rows {
		out.order[i] = order[row]
	}
	if beside != nil {
		out.beside = newGreatest(o.ranges.beside[0].turn(beside), build.table.rows)
	}
	return out, nil
}

// rowsWithout lists the rows that are in a group and NULL in no column.
func rowsWithout(columns []arrow.Array, groups []uint32) []int32 {
	out := make([]int32, 0, len(groups))
	for row, g := range groups {
		null := slices.ContainsFunc(columns, func(c arrow.Array) bool { return isNull(c, row) })
		if g != 0 && !null {
			out = append(out, int32(row))
		}
	}
	return out
}

// byInteger sorts rows by their integers; equal ones stay as they lie. It fails where nobody waits for the answer any more.
func byInteger(ctx *kernel.Context, integers []uint64, rows []int32) ([]int32, error) {
	sorted := make([]prefixed, len(rows))
	for i, row := range rows {
		sorted[i] = prefixed{prefix: integers[row], row: row}
	}
	err := kernel.SortFunc(ctx, sorted, func(a, b prefixed) int {
		switch {
		case a.prefix < b.prefix:
			return -1
		case a.prefix > b.prefix:
			return 1
		default:
			return int(a.row - b.row)
		}
	})
	out := make([]int32, len(rows))
	for i, p := range sorted {
		out[i] = p.row
	}
	return out, err
}

// turn makes integers of the build side such that a greater one meets the condition where a smaller one does.
func (j joinRange) turn(integers []uint64) []uint64 {
	if !j.above() {
		for i := range integers {
			integers[i] = ^integers[i]
		}
	}
	return integers
}

func (x *rangeIndex) bytes() int64 {
	if x == nil {
		return 0
	}
	out := int64(8 * cap(x.order))
	for _, c := range x.codes {
		out += int64(4 * cap(c.distinct))
	}
	return out + x.beside.bytes()
}

// rangeCodes give the values of a range integers of the same order. Where a type's values are no integers, the build side's are numbered
// in their order, and a value of the probe side gets the place between two of them that it would have.
type rangeCodes struct {
	typ event.Type
	// built are the build side's values and distinct one row for each of them, in order; nil where integers stand for the values.
	built    arrow.Array
	distinct []int32
}

// newRangeCodes makes the integers of the build side. Those of NULLs mean nothing.
func newRangeCodes(ctx *kernel.Context, values arrow.Array, key plan.Expr, rows int) (*rangeCodes, []uint64, error) {
	out, integers := &rangeCodes{typ: key.Type()}, make([]uint64, rows)
	if out.direct(values, integers) {
		return out, integers, nil
	}
	out.built = values
	compare := kernel.Comparer(values, values, out.typ)
	order, err := sortRows(ctx, []arrow.Array{values}, []plan.SortKey{{Expr: key}}, rows)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range order {
		if isNull(values, int(row)) {
			break // they come last
		}
		if n := len(out.distinct); n == 0 || compare(int(out.distinct[n-1]), int(row)) != 0 {
			out.distinct = append(out.distinct, row)
		}
		integers[row] = uint64(2*len(out.distinct) - 1)
	}
	return out, integers, nil
}

// direct writes the integers of values that have one by themselves.
func (c *rangeCodes) direct(values arrow.Array, integers []uint64) bool {
	if isAllNull(values) {
		return true
	}
	prefix, whole := prefixOf(values, c.typ)
	if !whole {
		return false
	}
	for i := range integers {
		integers[i] = prefix(i)
	}
	return true
}

// of writes the integers of the probe side's values. Those of NULLs mean nothing.
func (c *rangeCodes) of(values arrow.Array, integers []uint64) {
	if c.built == nil && c.direct(values, integers) || isAllNull(values) || isAllNull(c.built) {
		return
	}
	compare := kernel.Comparer(values, c.built, c.typ)
	for i := range integers {
		if values.IsNull(i) {
			continue
		}
		at, found := slices.BinarySearchFunc(c.distinct, i, func(row int32, i int) int { return -compare(i, int(row)) })
		integers[i] = uint64(2 * at)
		if found {
			integers[i]++
		}
	}
}
