package exec

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// linear fills the cells without a row that lie between two values of their group. values has one for each cell and for each row
// without a time.
func (g *fillGrid) linear(values arrow.Array, t event.Type) arrow.Array {
	valid := event.NewBitmap(values.Len())
	for i := range values.Len() {
		if values.IsValid(i) {
			valid.Set(i)
		}
	}
	switch t.Kind {
	case event.SmallInt:
		return event.NewFixed(t.Arrow(), integersBetween[int16](g, values, valid), valid)
	case event.Integer:
		return event.NewFixed(t.Arrow(), integersBetween[int32](g, values, valid), valid)
	case event.Real:
		return event.NewFixed(t.Arrow(), doublesBetween[float32](g, values, valid), valid)
	case event.Double:
		return event.NewFixed(t.Arrow(), doublesBetween[float64](g, values, valid), valid)
	default: // BIGINT and TIMESTAMPTZ
		return event.NewFixed(t.Arrow(), integersBetween[int64](g, values, valid), valid)
	}
}

func integersBetween[T int16 | int32 | int64](g *fillGrid, values arrow.Array, valid event.Bitmap) []T {
	out := slices.Clone(arrow.GetValues[T](values.Data(), 1))
	g.betweenValues(valid, func(before, cell, after int, part, of float64) {
		out[cell] = T(integerBetween(int64(out[before]), int64(out[after]), part/of))
	})
	return out
}

func doublesBetween[T float32 | float64](g *fillGrid, values arrow.Array, valid event.Bitmap) []T {
	out := slices.Clone(arrow.GetValues[T](values.Data(), 1))
	g.betweenValues(valid, func(before, cell, after int, part, of float64) {
		out[cell] = T(doubleBetween(float64(out[before]), float64(out[after]), part, of))
	})
	return out
}

// betweenValues calls set for each cell without a row between two that have a value, with which part of the way in time it is at, and marks
// it as valid.
func (g *fillGrid) betweenValues(valid event.Bitmap, set func(before, cell, after int, part, of float64)) {
	var filled []int // marked at the end, so that none is taken for a value
	for group := range g.groups {
		before := -1
		for cell := group; cell < len(g.rows); cell += g.groups {
			if !valid.Valid(cell) {
				continue
			}
			if before >= 0 {
				filled = g.between(before, cell, filled, set)
			}
			before = cell
		}
	}
	for _, cell := range filled {
		valid.Set(cell)
	}
}

func (g *fillGrid) between(before, after int, filled []int, set func(before, cell, after int, part, of float64)) []int {
	from, to := g.times[before/g.groups], g.times[after/g.groups]
	for cell := before + g.groups; cell < after; cell += g.groups {
		if g.rows[cell] >= 0 {
			continue // its value is NULL in the data
		}
		set(before, cell, after, float64(g.times[cell/g.groups])-float64(from), float64(to)-float64(from))
		filled = append(filled, cell)
	}
	return filled
}

// doubleBetween divides last, so that what is a whole number comes out as one. Where a product is beyond what a double can hold, it adds the shares of
// both values.
func doubleBetween(from, to, part, of float64) float64 {
	if from == to {
		return from
	}
	if out := (from*(of-part) + to*part) / of; !math.IsInf(out, 0) && !math.IsNaN(out) {
		return out
	}
	share := part / of
	return from*(1-share) + to*share
}

// integerBetween rounds to the nearest integer. The difference is taken as a double, which cannot overflow.
func integerBetween(from, to int64, share float64) int64 {
	difference := float64(to) - float64(from)
	out := float64(from) + difference*share
	if math.Abs(difference) < 1<<53 {
		return from + int64(math.Round(difference*share))
	}
	return int64(math.Round(max(math.MinInt64, min(out, math.MaxInt64-1024))))
}
