package kernel

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Retractable is an accumulator whose rows can go again. What is left then is exactly what it would hold had they never come, so only
// aggregates that lose nothing to rounding have one.
type Retractable interface {
	Accumulator
	// Retract takes out rows that Update added, whatever the order in which they came.
	Retract(groups Groups, args []Operand, rows int) error
}

// NewRetractable makes an empty accumulator whose rows can go. It reports false for a function that has none.
func NewRetractable(f *plan.Function) (Retractable, bool) {
	switch f.Signature() {
	case "sum(DOUBLE PRECISION)":
		return &exactDoubleSum{}, true
	case "avg(DOUBLE PRECISION)":
		return &exactDoubleSum{average: true}, true
	}
	if f.Name == "min" || f.Name == "max" {
		return newExtremeSet(f)
	}
	a, ok := NewAccumulator(f)
	if !ok {
		return nil, false
	}
	out, ok := a.(Retractable)
	return out, ok
}

// Retract takes rows out.
func (a *countAccumulator) Retract(groups Groups, args []Operand, rows int) error {
	a.counts = grown(a.counts, groups.Count, 0)
	var valid event.Bitmap
	if len(args) > 0 {
		valid = args[0].validity(rows)
	}
	for i := range rows {
		if valid.Valid(i) {
			a.counts[groupOf(groups, i)]--
		}
	}
	return nil
}

// Retract takes rows out.
func (a *bigintSum) Retract(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, wideSum{})
	values, valid := fixed[int64](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			v := values.at(i)
			a.states[groupOf(groups, i)].subtract(&wideSum{low: uint64(v), high: v >> 63, n: 1})
		}
	}
	return nil
}

// Retract takes rows out.
func (a *numericSum) Retract(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, widestSum{})
	values, valid := fixed[decimal128.Num](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			a.states[groupOf(groups, i)].subtract(values.at(i))
		}
	}
	return nil
}

// subtract takes one value out.
func (s *widestSum) subtract(v decimal128.Num) {
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, v.LowBits(), 0)
	s.middle, borrow = bits.Sub64(s.middle, uint64(v.HighBits()), borrow)
	s.high -= v.HighBits()>>63 + int64(borrow)
	s.n--
}

// Retract takes rows out.
func (a *intervalSum) Retract(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, intervalTotal{})
	values, valid := fixed[arrow.MonthDayNanoInterval](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			v := values.at(i)
			seconds, nanos := floorDivide(v.Nanoseconds, nanosPerSecond)
			a.states[groupOf(groups, i)].add(intervalTotal{-int64(v.Months), -int64(v.Days), -seconds, -nanos, -1})
		}
	}
	return nil
}
