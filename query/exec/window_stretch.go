package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// stretch is what the rows of a window that are held continue: rows before them, of their first partition, have been let go of.
type stretch struct {
	rows, groups int64 // how many rows, and groups of peers, that were
	calls        map[*windowCall]carried
}

// carried is what rows that were let go of mean to a call.
type carried struct {
	state kernel.Accumulator // of an aggregate whose frames begin with the partition; nil for none
	first arrow.Array        // the partition's first value, for first_value of such frames
	whole arrow.Array        // the one value that an aggregate has in all rows
}

// of is what a call is to know; nothing where all rows of the partition are held.
func (s *stretch) of(c *windowCall) carried {
	if s == nil {
		return carried{}
	}
	return s.calls[c]
}

// before is how many rows, and groups of peers, of the partition that starts at start were let go of.
func (w *windowRows) before(start int32) (rows, groups int64) {
	if w.stretch == nil || start > 0 {
		return 0, 0
	}
	return w.stretch.rows, w.stretch.groups
}

// fromFirst is first_value of frames that begin with the partition and are never empty, of which first was the first one's.
func (w *windowRows) fromFirst(values, first arrow.Array) (arrow.Array, error) {
	both, err := kernel.Concat([]arrow.Array{values, first})
	if err != nil {
		return nil, err
	}
	found := make([]int32, w.count)
	w.partitions(func(start, end int32) {
		from := start
		if start == 0 {
			from = int32(w.count)
		}
		fill(found[start:end], from)
	})
	return kernel.Take(both, found), nil
}

// callSpan says how a call can be computed of a stretch of rows.
type callSpan uint8

const (
	noSpan      callSpan = iota // it cannot: it needs its partition whole
	rowSpan                     // by the row and how many come before it
	shiftSpan                   // by a row at a fixed distance
	frameSpan                   // by a frame that ends and begins near the row
	runningSpan                 // by a frame that begins with the partition and ends near the row
	wholeSpan                   // by all rows of the only partition, in any order
)

// spanOf finds it for a call.
func (o *windowOp) spanOf(c *windowCall) callSpan {
	peers := len(o.node.Peers()) > 0
	switch name := c.Fn.Name; {
	case name == "row_number":
		return rowSpan
	case name == "rank" || name == "dense_rank":
		return spanIf(peers, rowSpan)
	case name == "lag" || name == "lead":
		_, fixed := distanceOf(c)
		return spanIf(fixed && !c.IgnoreNulls, shiftSpan)
	case !c.Fn.Aggregate && name != "first_value" && name != "last_value" && name != "nth_value":
		return noSpan
	}
	f := c.Frame
	toEnd := f.End.Kind == plan.UnboundedFollowing || (f.End.Kind == plan.CurrentRow && f.Unit != plan.FrameRows && !peers)
	fromStart := f.Start.Kind == plan.UnboundedPreceding || (f.Start.Kind == plan.CurrentRow && f.Unit != plan.FrameRows && !peers)
	simple := !c.Distinct && f.Exclude == plan.ExcludeNothing
	switch {
	case fromStart && toEnd:
		return spanIf(simple && len(o.partition) == 0 && c.hasFixedState() && !plan.OrdersRows(c.Fn.Name), wholeSpan)
	case toEnd || !isNear(f.Start) || !isNear(f.End):
		return noSpan
	case !fromStart:
		return frameSpan
	case c.Fn.Aggregate:
		return spanIf(simple && c.hasFixedState(), runningSpan)
	case c.Fn.Name == "first_value":
		return spanIf(simple && !c.IgnoreNulls && f.End.Kind != plan.Preceding, runningSpan)
	default:
		return spanIf(simple && !c.IgnoreNulls && c.Fn.Name == "last_value", runningSpan)
	}
}

// hasFixedState reports whether an aggregate's state takes the same memory for any number of rows.
func (c *windowCall) hasFixedState() bool {
	call := aggregateCall{node: plan.Aggregation{Fn: c.Fn, Args: c.Args}}
	return c.Fn.Aggregate && call.fixedState()
}

func spanIf(can bool, s callSpan) callSpan {
	if can {
		return s
	}
	return noSpan
}

// isNear reports whether a bound moves forward from row to row. One that is some months away may move back: months differ in length.
func isNear(b plan.FrameBound) bool {
	if b.Offset == nil {
		return true
	}
	months, ok := b.Offset.Value.(*array.MonthDayNanoInterval)
	return !ok || months.Value(0).Months == 0
}

// distanceOf is how many rows forward a call looks, if that is the same for all rows.
func distanceOf(c *windowCall) (rows int64, fixed bool) {
	rows = 1
	if len(c.Args) > 1 {
		literal, ok := c.Args[1].(*plan.Literal)
		if !ok {
			return 0, false
		}
		number, ok := literal.Value.(*array.Int64)
		if !ok || number.IsNull(0) {
			return 0, false
		}
		rows = number.Value(0)
	}
	const most = 1 << 20 // further away the rows between are a large part of what is held
	if c.Fn.Name == "lag" {
		rows = -rows
	}
	return rows, rows > -most && rows < most
}
