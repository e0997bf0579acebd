package exec

import (
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// lead is what an operator that keeps a few first rows of an order lets the scan below it know: the value, in the order's first key, behind
// which no row is kept any more. The scan begins with the morsels whose rows may come first, and leaves out those whose rows all
// come too late: of a stream that is asked for its newest rows it reads the end.
type lead struct {
	descending bool
	// everything says that all morsels are wanted, those whose rows may come first sooner.
	everything bool
	// rows is how many rows a sort keeps in all, as long as each row below it is one of those that it sorts; 0 where that is not so.
	rows int64
	// groups knows more, for an operator that keeps a first row of each group; nil for others.
	groups *groupLead
	// bound is nil before enough rows are kept.
	bound atomic.Pointer[int64]
}

// newLead makes the lead of an operator whose first key is a plain column of whole numbers, and tells the scan below it. It is nil where
// there is no such key or no scan. A morsel with a NULL has no bounds, so that it is read wherever NULLs come.
func newLead(input operator, keys []plan.SortKey, rows int64) *lead {
	l := &lead{rows: rows}
	if !l.begin(input, keys, leadColumns{group: -1}) {
		return nil
	}
	return l
}

// begin tells the scan below an operator. columns say which of its input's columns the group is, if any.
func (l *lead) begin(input operator, keys []plan.SortKey, columns leadColumns) bool {
	if len(keys) == 0 {
		return false
	}
	ref, ok := keys[0].Expr.(*plan.ColumnRef)
	if !ok || (ref.Typ.Kind != event.TimestampTZ && ref.Typ.Kind != event.BigInt) {
		return false
	}
	l.descending, columns.order = keys[0].Descending, ref.Index
	return led(input, columns, l)
}

// reach says that enough rows are kept which come no later than a value.
func (l *lead) reach(value int64) {
	for {
		old := l.bound.Load()
		if (old != nil && !l.later(*old, value)) || l.bound.CompareAndSwap(old, &value) {
			return
		}
	}
}

// reachFirst says so of the value that comes first in a column, if there is any.
func (l *lead) reachFirst(column arrow.Array) {
	values, found, best := arrow.GetValues[int64](column.Data(), 1), false, int64(0)
	for i, v := range values {
		if column.IsValid(i) && (!found || l.later(best, v)) {
			found, best = true, v
		}
	}
	if found {
		l.reach(best)
	}
}

// reachLast says so of the value that comes last in some rows of a column, if as many of them as are needed have one.
func (l *lead) reachLast(column arrow.Array, rows []int32, needed int) {
	values, found, worst := arrow.GetValues[int64](column.Data(), 1), 0, int64(0)
	for _, row := range rows {
		if !column.IsValid(int(row)) {
			continue
		}
		if v := values[row]; found == 0 || l.later(v, worst) {
			worst = v
		}
		found++
	}
	if found >= needed && needed > 0 {
		l.reach(worst)
	}
}

// later reports that a comes after b.
func (l *lead) later(a, b int64) bool {
	if l.descending {
		return a < b
	}
	return a > b
}

// first is the value of a morsel's bounds that comes first.
func (l *lead) first(bounds arrow.Array) int64 {
	ends := arrow.GetValues[int64](bounds.Data(), 1)
	if l.descending {
		return ends[1]
	}
	return ends[0]
}

// excludes reports that all rows of a morsel come too late. bytes is the size of what had to be decoded to know.
func (l *lead) excludes(m query.Morsel, at leadColumns) (excluded bool, bytes int64, err error) {
	bound := l.bound.Load()
	valued, ok := m.(query.Valued)
	grouped := ok && l.groups != nil && at.group >= 0
	if bound == nil && !grouped {
		return false, 0, nil
	}
	ends, ok := m.Bounds(at.order)
	switch {
	case !ok:
		return false, 0, nil
	case bound != nil && l.later(l.first(ends), *bound):
		return true, 0, nil
	case !grouped:
		return false, 0, nil
	default:
		return l.groups.settles(valued, at.group, l.first(ends))
	}
}

// arrange brings morsels into the order in which their rows may come. Those of which nothing is known come first.
func (l *lead) arrange(morsels []query.Morsel, column int) []query.Morsel {
	type placed struct {
		query.Morsel
		known bool
		first int64
	}
	all := make([]placed, len(morsels))
	for i, m := range morsels {
		all[i].Morsel = m
		if ends, ok := m.Bounds(column); ok {
			all[i].known, all[i].first = true, l.first(ends)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		switch {
		case a.known != b.known:
			return map[bool]int{false: -1, true: 1}[a.known]
		case !a.known || a.first == b.first:
			return 0
		case l.later(a.first, b.first):
			return 1
		default:
			return -1
		}
	})
	out := make([]query.Morsel, len(all))
	for i := range all {
		out[i] = all[i].Morsel
	}
	return out
}

// leadColumns are columns that an operator gives.
type leadColumns struct {
	order int // the order's first key
	group int // what groups are made by, where that is one column of which query.Valued may know the values; -1 where it is not
}

// leadable is an operator that passes a lead on to a scan, by some of the columns it gives, or is that scan.
type leadable interface {
	led(at leadColumns, l *lead) bool
}

func led(op operator, at leadColumns, l *lead) bool {
	o, ok := op.(leadable)
	return ok && o.led(at, l)
}

func (o *profiledOp) led(at leadColumns, l *lead) bool { return led(o.operator, at, l) }

func (o *filterOp) led(at leadColumns, l *lead) bool {
	l.rows = 0
	return led(o.operator, at, l)
}

func (o *projectOp) led(at leadColumns, l *lead) bool {
	ref := timeBehind(o.exprs[at.order], l.descending)
	if ref == nil {
		return false
	}
	below := leadColumns{order: ref.Index, group: -1}
	if at.group >= 0 {
		if ref, ok := o.exprs[at.group].(*plan.ColumnRef); ok {
			below.group = ref.Index
		}
	}
	return led(o.operator, below, l)
}

func (o *scanOp) led(at leadColumns, l *lead) bool {
	if len(o.morsels) < 2 {
		return false // nothing to leave out, and no order to begin in
	}
	if at.group >= len(o.fields) {
		at.group = -1 // a member, of which no morsel knows the values
	}
	o.lead, o.leadColumns = l, at
	o.morsels = l.arrange(o.morsels, at.order)
	if l.everything {
		return true
	}
	o.shares = newShares(len(o.morsels), 1)
	o.shares.inOrder = true
	return true
}
