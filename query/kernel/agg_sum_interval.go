package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerIntervalSum(all map[string]func() Accumulator) {
	all["sum(INTERVAL)"] = func() Accumulator { return &intervalSum{} }
	all["avg(INTERVAL)"] = func() Accumulator { return &intervalSum{average: true} }
}

// intervalSum adds months, days and the rest apart, as adding intervals does. An average shares them out as a division does.
type intervalSum struct {
	states  []intervalTotal
	average bool
}

// intervalTotal is the sums of the parts of n intervals. Nanoseconds are kept as whole seconds and the rest, which cannot overflow.
type intervalTotal struct{ months, days, seconds, nanos, n int64 }

func (t *intervalTotal) add(o intervalTotal) {
	t.months, t.days, t.n = t.months+o.months, t.days+o.days, t.n+o.n
	seconds, nanos := floorDivide(t.nanos+o.nanos, nanosPerSecond)
	t.seconds, t.nanos = t.seconds+o.seconds+seconds, nanos
}

const nanosPerSecond = 1_000_000_000

func (a *intervalSum) Update(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, intervalTotal{})
	values, valid := fixed[arrow.MonthDayNanoInterval](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			v := values.at(i)
			seconds, nanos := floorDivide(v.Nanoseconds, nanosPerSecond)
			a.states[groupOf(groups, i)].add(intervalTotal{int64(v.Months), int64(v.Days), seconds, nanos, 1})
		}
	}
	return nil
}

func (a *intervalSum) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, intervalTotal{})
	for g, s := range other.(*intervalSum).states {
		a.states[mapping[g]].add(s)
	}
	return nil
}

func (a *intervalSum) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), intervalTotal{})
	return wordColumns(a.states, groups), nil
}

func (a *intervalSum) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[intervalTotal](state)
	return err
}

func (a *intervalSum) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, intervalTotal{})
	out, valid := make([]arrow.MonthDayNanoInterval, groups), event.NewBitmap(groups)
	for g, s := range a.states[:groups] {
		if s.n == 0 {
			continue
		}
		valid.Set(g)
		sum, ok := newInterval(
			func() (int64, bool) { return s.months, true }, func() (int64, bool) { return s.days, true },
			func() (int64, bool) {
				nanos, ok := multiplyInt64(s.seconds, nanosPerSecond)
				return nanos + s.nanos, ok && nanos+s.nanos >= nanos
			})
		if ok && a.average {
			sum, ok = scaledInterval(sum, func(v float64) float64 { return v / float64(s.n) })
		}
		if !ok {
			return nil, event.Errorf(event.CodeInvalidValue, "INTERVAL overflow in sum")
		}
		out[g] = sum
	}
	return event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, out, valid), nil
}

func (a *intervalSum) Bytes() int64 { return sizeOf(a.states) }
