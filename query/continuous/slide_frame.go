package continuous

import (
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// frame is a frame that only moves forward as its row does: from a bound to another that is not before it.
type frame struct {
	start, end boundKind
	// before and behind are how far the start and the end lie back, in microseconds or rows.
	before, behind int64
	// first says that a call asks for the first row of the frame.
	first bool
	// whole leaves the frame without a first row unless it reaches as far back as it can: lag looks at one row only.
	whole bool
}

// boundKind says how a bound of a frame is found.
type boundKind uint8

const (
	fromStart boundKind = iota // of the partition
	byTime
	byRows
	byPeers // the first, or the last, of the rows that are equal in all keys of the order
)

// mostRows bounds how many rows back a frame slides: rows are counted in 32 bits, and around.
const mostRows = 1 << 30

// slidingFrame is the frame of a call; ok is false for one that does not slide.
func slidingFrame(call plan.WindowCall) (f frame, ok bool) {
	switch call.Fn.Name {
	case "row_number", "rank", "dense_rank":
		return frame{start: fromStart, end: byRows}, true
	case "lag":
		far, ok := callReach(call)
		return frame{start: byRows, before: far.rows, end: byRows, first: true, whole: true}, ok && !far.all && far.rows < mostRows
	case "first_value":
		f.first = call.Frame.Start.Kind != plan.UnboundedPreceding
	case "last_value":
	default:
		if !call.Fn.Aggregate {
			return f, false
		}
	}
	if call.Distinct || call.Frame.Exclude != plan.ExcludeNothing || call.Frame.Unit == plan.FrameGroups {
		return f, false
	}
	if f.start, f.before, ok = slidingBound(call.Frame.Unit, call.Frame.Start); !ok {
		return f, false
	}
	if f.end, f.behind, ok = slidingBound(call.Frame.Unit, call.Frame.End); !ok || f.end == fromStart {
		return f, false
	}
	if f.start == f.end {
		return f, f.before >= f.behind
	}
	return f, f.start == fromStart || f.end == byPeers // a start at the row's peers, and an end before them, leave nothing
}

func slidingBound(unit plan.FrameUnit, b plan.FrameBound) (kind boundKind, back int64, ok bool) {
	switch {
	case b.Kind == plan.UnboundedPreceding:
		return fromStart, 0, true
	case b.Kind == plan.CurrentRow && unit == plan.FrameRows:
		return byRows, 0, true
	case b.Kind == plan.CurrentRow:
		return byPeers, 0, true
	case b.Kind == plan.Preceding && unit == plan.FrameRows:
		back = b.Offset.Value.(*array.Int64).Value(0)
		return byRows, back, back < mostRows
	case b.Kind == plan.Preceding:
		back, ok = micros(b.Offset)
		return byTime, back, ok
	default:
		return 0, 0, false
	}
}

// reachesBack reports whether the frame loses rows, or takes them only after they have been given.
func (f frame) reachesBack() bool { return f.start != fromStart || f.lags() }

// lags reports whether the frame ends before its row.
func (f frame) lags() bool { return f.end == byTime || (f.end == byRows && f.behind > 0) }

// cursor is a place among the rows of a partition: the number of a row, counted from the partition's first and around after 2^32, and its
// slot plus one where it is kept.
type cursor struct{ at, slot uint32 }

// frameCursors are, by partition, the first row of a frame and, where the frame lags, the row behind its last. Frames without a start need
// none for it, and those that end at their row have it behind the last row of all.
type frameCursors struct{ low, high []cursor }

func (c *frameCursors) reach(keys int) {
	c.low, c.high = lengthened(c.low, keys), lengthened(c.high, keys)
}

func (c *frameCursors) clear(key uint32) { c.low[key], c.high[key] = cursor{}, cursor{} }

func (c *frameCursors) bytes() int64 { return 8 * int64(cap(c.low)+cap(c.high)) }

// keyBatches groups rows by partition, keeping their order.
type keyBatches struct {
	counts []int32 // by key; all 0 between calls
	keys   []uint32
	rows   []int32
	ends   []int32 // by place in keys
}

func (b *keyBatches) group(order []int32, keys []uint32, count int) {
	b.counts, b.keys, b.ends = lengthened(b.counts, count), b.keys[:0], b.ends[:0]
	for _, row := range order {
		key := keys[row]
		if b.counts[key] == 0 {
			b.keys = append(b.keys, key)
		}
		b.counts[key]++
	}
	end := int32(0)
	for _, key := range b.keys {
		n := b.counts[key]
		b.counts[key] = end // where the next of its rows goes
		end += n
		b.ends = append(b.ends, end)
	}
	b.rows = lengthened(b.rows, len(order))[:len(order)]
	for _, row := range order {
		at := &b.counts[keys[row]]
		b.rows[*at] = row
		*at++
	}
	for _, key := range b.keys {
		b.counts[key] = 0
	}
}

// each calls visit for every partition with its rows.
func (b *keyBatches) each(visit func(key uint32, rows []int32)) {
	from := int32(0)
	for i, key := range b.keys {
		visit(key, b.rows[from:b.ends[i]])
		from = b.ends[i]
	}
}

func (b *keyBatches) bytes() int64 {
	return 4 * int64(cap(b.counts)+cap(b.keys)+cap(b.rows)+cap(b.ends))
}
