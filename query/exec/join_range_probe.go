package exec

import (
	"math"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// span is where the rows lie that can be in a pair with a row of the probe side: from one place of joinTable.rows to before another.
type span struct {
	from, to int32
	least    uint64 // of the value beside the order
}

// halve finds the spans of the batch's rows, whose groups are known. Rows with an empty one, or a NULL, leave their groups. ranged stays
// false where a value cannot be computed for all rows: then all pairs of the groups are tried, and fail if one that is asked for does.
func (r *joinReader) halve() {
	r.ranged = false
	index := r.build.ranges
	if index == nil {
		return
	}
	ranges := r.op.ranges
	values, err := r.op.evalKeys(ranges.probe, r.op.probeAt(), r.batch)
	if err != nil {
		return
	}
	r.ranged = true
	r.spans = resized(r.spans, r.batch.Rows)
	for row, g := range r.groups {
		r.spans[row] = span{from: r.build.table.starts[g], to: r.build.table.starts[g+1]}
	}
	r.integers = resized(r.integers, r.batch.Rows)
	for i, c := range ranges.conditions() {
		index.codes[i].of(values[i], r.integers)
		for row, g := range r.groups {
			switch {
			case g == 0:
			case isNull(values[i], row):
				r.groups[row] = 0
			case i < len(ranges.order):
				r.spans[row].cut(c, index.order, r.integers[row])
			default:
				r.spans[row].bound(c, r.integers[row])
			}
		}
	}
	for row, s := range r.spans {
		if s.from >= s.to {
			r.groups[row] = 0
		}
	}
}

// cut leaves the rows that meet a condition on the value they lie in the order of.
func (s *span) cut(c joinRange, order []uint64, integer uint64) {
	if c.op == ">" || c.op == "<=" { // a whole number more: equal ones are not above, and are still below
		if integer == math.MaxUint64 {
			if c.above() {
				s.from = s.to
			}
			return
		}
		integer++
	}
	at := s.from + int32(firstFrom(order[s.from:s.to], integer))
	if c.above() {
		s.from = at
	} else {
		s.to = at
	}
}

// bound sets what the value beside the order has to reach.
func (s *span) bound(c joinRange, integer uint64) {
	if !c.above() {
		integer = ^integer
	}
	if c.op == ">" || c.op == "<" {
		if integer == math.MaxUint64 {
			s.to = s.from
			return
		}
		integer++
	}
	s.least = integer
}

// firstFrom is the first place of values in order that is not below v. It halves without a branch that depends on the values.
func firstFrom(values []uint64, v uint64) int {
	at := 0
	for n := len(values); n > 0; {
		half := (n + 1) / 2
		if values[at+half-1] < v {
			at += half
		}
		n -= half
	}
	return at
}

// listRanges is list where the spans of the rows are known.
func (r *joinReader) listRanges(room int) {
	one := r.onePairDecides()
	for r.row < r.batch.Rows && room > 0 {
		if r.groups[r.row] == 0 || (r.op.node.Kind == plan.MarkJoin && r.met.Valid(r.row)) {
			r.row, r.at = r.row+1, 0
			continue
		}
		limit := room
		if one {
			limit = 1
		}
		n, done := r.listSpan(limit)
		room -= n
		if !done && !one {
			return
		}
		r.row, r.at = r.row+1, 0
	}
}

// listSpan lists the next pairs of a row, limit at most. done says that there are no more.
func (r *joinReader) listSpan(limit int) (n int, done bool) {
	s, rows := r.spans[r.row], r.build.table.rows
	from, to := int(s.from)+r.at, int(s.to)
	if beside := r.build.ranges.beside; beside != nil {
		at := beside.next(from, to, s.least)
		for ; at < to && n < limit; n++ {
			r.probeRows, r.buildRows = append(r.probeRows, int32(r.row)), append(r.buildRows, rows[at])
			at = beside.next(at+1, to, s.least)
		}
		r.at = at - int(s.from)
		return n, at == to
	}
	n = min(to-from, limit)
	for range n {
		r.probeRows = append(r.probeRows, int32(r.row))
	}
	r.buildRows = append(r.buildRows, rows[from:from+n]...)
	r.at += n
	return n, from+n == to
}
