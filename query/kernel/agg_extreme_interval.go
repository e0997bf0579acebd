package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerIntervalExtreme(all map[string]func() Accumulator) {
	all["min(INTERVAL)"] = func() Accumulator { return &intervalExtremeAccumulator{sign: 1} }
	all["max(INTERVAL)"] = func() Accumulator { return &intervalExtremeAccumulator{sign: -1} }
}

// intervalExtremeAccumulator is min and max of intervals. Of intervals that are equal though written differently, the first stays.
type intervalExtremeAccumulator struct {
	sign int // -1 for max
	best []arrow.MonthDayNanoInterval
	seen []bool
}

func (a *intervalExtremeAccumulator) Update(groups Groups, args []Operand, rows int) error {
	a.grow(groups.Count)
	values, valid := fixed[arrow.MonthDayNanoInterval](args[0]), args[0].validity(rows)
	for i := range rows {
		if !valid.Valid(i) {
			continue
		}
		g := uint32(0)
		if groups.IDs != nil {
			g = groups.IDs[i]
		}
		a.add(g, values.at(i))
	}
	return nil
}

func (a *intervalExtremeAccumulator) add(g uint32, v arrow.MonthDayNanoInterval) {
	if !a.seen[g] || compareIntervals(v, a.best[g])*a.sign < 0 {
		a.seen[g], a.best[g] = true, v
	}
}

func (a *intervalExtremeAccumulator) grow(count int) {
	a.best = grown(a.best, count, arrow.MonthDayNanoInterval{})
	a.seen = grown(a.seen, count, false)
}

func (a *intervalExtremeAccumulator) Merge(other Accumulator, mapping []uint32, count int) error {
	a.grow(count)
	o := other.(*intervalExtremeAccumulator)
	for g, v := range o.best {
		if o.seen[g] {
			a.add(mapping[g], v)
		}
	}
	return nil
}

func (a *intervalExtremeAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	a.grow(reach(groups))
	return seenColumn(arrow.FixedWidthTypes.MonthDayNanoInterval, a.best, a.seen, groups), nil
}

func (a *intervalExtremeAccumulator) Restore(state []arrow.Array) (err error) {
	a.best, a.seen, err = openSeen[arrow.MonthDayNanoInterval](state, arrow.FixedWidthTypes.MonthDayNanoInterval)
	return err
}

func (a *intervalExtremeAccumulator) Result(groups int) (arrow.Array, error) {
	a.grow(groups)
	valid := event.NewBitmap(groups)
	for g, seen := range a.seen[:groups] {
		if seen {
			valid.Set(g)
		}
	}
	return event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, slices.Clone(a.best[:groups]), valid), nil
}

func (a *intervalExtremeAccumulator) Bytes() int64 { return sizeOf(a.best) + sizeOf(a.seen) }
