package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// runtimeFilter is what a join knows of the values of a key, once it has read its build side: a row of the probe side with another value
// is in no pair. The scan below leaves such rows out before it reads their other columns, and whole morsels without a look.
type runtimeFilter struct {
	key       *intJoinKey // nil until the build side has been read
	low, high int64       // the ends of the values; low > high where there are none
	present   event.Bitmap
}

const (
	// maxFilterBits bounds the bitmap of the values between both ends: 256 KiB stay in a core's second-level cache.
	maxFilterBits = 2 << 20
	// maxFilterSlots bounds the hash table that rows are looked up in where there is no bitmap. In a larger one, looking a row up for
	// nothing costs as much as the join itself.
	maxFilterSlots = touchSlots
)

// fill takes the values of the build side's key. It comes before the first row of the probe side is read.
func (f *runtimeFilter) fill(key *intJoinKey) {
	f.low, f.high = key.table.ends()
	if width := uint64(f.high) - uint64(f.low); f.low <= f.high && width < maxFilterBits {
		f.present = event.NewBitmap(int(width) + 1)
		for _, slot := range key.table.slots {
			if slot.id != 0 {
				f.present.Set(int(slot.key - f.low))
			}
		}
	}
	f.key = key
}

// ends are the least and the greatest key; the first is greater than the second where there is none.
func (t *intTable) ends() (low, high int64) {
	low, high = 1<<63-1, -1<<63
	for _, slot := range t.slots {
		if slot.id != 0 {
			low, high = min(low, slot.key), max(high, slot.key)
		}
	}
	return low, high
}

// excludes reports that no row of a morsel can be in a pair, as far as its bounds say.
func (f *runtimeFilter) excludes(m query.Morsel, column int) bool {
	if f.low > f.high {
		return true
	}
	ends, ok := m.Bounds(column)
	if !ok {
		return false
	}
	bounds := arrow.GetValues[int64](ends.Data(), 1)
	return bounds[1] < f.low || bounds[0] > f.high
}

// looks reports whether rows can be told apart at less than the join's own price.
func (f *runtimeFilter) looks() bool {
	return f.present != nil || len(f.key.table.slots) <= maxFilterSlots
}

// admits reports whether a value is one of the build side's.
func (f *runtimeFilter) admits(value int64) bool {
	if value < f.low || value > f.high {
		return false
	}
	if f.present != nil {
		return f.present.Valid(int(value - f.low))
	}
	return f.key.table.find(value) != 0
}

// narrowable is an operator that can leave out rows which a filter excludes, by one of the columns it gives. narrow reports whether
// somebody will look at the filter.
type narrowable interface {
	narrow(column int, filter *runtimeFilter) bool
}

func narrow(op operator, column int, filter *runtimeFilter) bool {
	n, ok := op.(narrowable)
	return ok && n.narrow(column, filter)
}

func (o *profiledOp) narrow(column int, filter *runtimeFilter) bool {
	return narrow(o.operator, column, filter)
}

func (o *filterOp) narrow(column int, filter *runtimeFilter) bool {
	return narrow(o.operator, column, filter)
}

func (o *projectOp) narrow(column int, filter *runtimeFilter) bool {
	ref, ok := o.exprs[column].(*plan.ColumnRef)
	return ok && narrow(o.operator, ref.Index, filter)
}

// narrow passes a filter of another join on: without a row of the probe side, what comes out lacks only rows that have its value,
// or NULL where that row would have been.
func (o *joinOp) narrow(column int, filter *runtimeFilter) bool {
	at := column - o.probeAt()
	return at >= 0 && at < len(o.columns)-o.buildWidth() && narrow(o.probe, at, filter)
}

func (o *scanOp) narrow(column int, filter *runtimeFilter) bool {
	o.runtime = append(o.runtime, scanFilter{column: column, filter: filter})
	return true
}

// narrowProbe gives the scan of the probe side filters by the keys that are plain columns, for a join that gives no row of the probe side
// without a pair.
func (o *joinOp) narrowProbe() {
	for i, e := range o.probeExprs {
		ref, isColumn := e.(*plan.ColumnRef)
		if !isColumn || !hasRuntimeFilter(o.keyTypes[i].Kind) {
			continue
		}
		filter := &runtimeFilter{}
		if narrow(o.probe, ref.Index-o.probeAt(), filter) {
			o.runtime = append(o.runtime, keyFilter{key: i, filter: filter})
		}
	}
}

// narrowMarked does so for a mark join under a filter that keeps marked rows only, as IN and EXISTS make it.
func narrowMarked(n *plan.Filter, input operator) {
	if p, ok := input.(*profiledOp); ok {
		input = p.operator
	}
	join, ok := input.(*joinOp)
	if !ok || join.node.Kind != plan.MarkJoin {
		return
	}
	for _, e := range plan.Conjuncts(n.Predicate) {
		if ref, ok := e.(*plan.ColumnRef); ok && ref.Index == join.leftWidth {
			join.narrowProbe()
			return
		}
	}
}

// keyFilter is the filter that a join fills for one of its keys.
type keyFilter struct {
	key    int
	filter *runtimeFilter
}

// fillFilters tells the scans below what the build side holds.
func (o *joinOp) fillFilters(table *joinTable) {
	for _, f := range o.runtime {
		if key, ok := table.keys[f.key].(*intJoinKey); ok {
			f.filter.fill(key)
		}
	}
}

// hasRuntimeFilter reports whether the integers of a type have the order of its values.
func hasRuntimeFilter(k event.Kind) bool {
	switch k {
	case event.BigInt, event.TimestampTZ, event.Integer, event.SmallInt, event.Date:
		return true
	default:
		return false
	}
}

// scanFilter is a filter over a column of a scan.
type scanFilter struct {
	column int
	filter *runtimeFilter
}

// filterUse is how one reader of a scan fares with a filter.
type filterUse struct {
	scanFilter
	looked, kept int64
	scratch      []int64
}

const (
	// filterTrial is after how many rows a filter has to have proved itself.
	filterTrial = 32 << 10
	// filterShare is the share of rows that a filter may keep at most to be worth its time.
	filterShare = 0.75
)

// looks reports whether the rows of a morsel are to be looked at.
func (u *filterUse) looks() bool {
	return u.filter.key != nil && u.filter.looks() && (u.looked < filterTrial || float64(u.kept) <= filterShare*float64(u.looked))
}

// rows are those of kept, or of all rows where that is nil, that the filter admits; nil again if these are all.
func (u *filterUse) rows(values arrow.Array, kept []int32) []int32 {
	rows := values.Len()
	u.scratch = resized(u.scratch, rows)
	integers := u.filter.key.integers(values, u.scratch)
	nulls := values.NullN() > 0
	admits := func(i int32) bool { return u.filter.admits(integers[i]) && (!nulls || values.IsValid(int(i))) }
	if kept == nil {
		kept = make([]int32, 0, rows)
		for i := range int32(rows) {
			if admits(i) {
				kept = append(kept, i)
			}
		}
		u.looked, u.kept = u.looked+int64(rows), u.kept+int64(len(kept))
		if len(kept) == rows {
			return nil
		}
		return kept
	}
	before := len(kept)
	out := kept[:0]
	for _, i := range kept {
		if admits(i) {
			out = append(out, i)
		}
	}
	u.looked, u.kept = u.looked+int64(before), u.kept+int64(len(out))
	return out
}
