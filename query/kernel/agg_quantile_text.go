package kernel

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerTextQuantile(all map[string]func() Accumulator) {
	newQuantile := func() Accumulator { return &textQuantile{fraction: math.NaN()} }
	all["percentile_disc(DOUBLE PRECISION, TEXT)"] = newQuantile
	all["percentile_disc(DOUBLE PRECISION, TEXT, BOOLEAN)"] = newQuantile
}

// textQuantile is percentile_disc of text. It counts how often each text comes in each group.
type textQuantile struct {
	fraction   float64
	descending bool
	counts     valueCounts
}

func (a *textQuantile) Update(groups Groups, args []Operand, rows int) error {
	if err := readFraction(&a.fraction, args[0], rows); err != nil {
		return err
	}
	readDescending(&a.descending, args, rows)
	return a.counts.update(groups, args[1], textual, rows)
}

func (a *textQuantile) Merge(other Accumulator, mapping []uint32, _ int) error {
	o := other.(*textQuantile)
	if math.IsNaN(a.fraction) {
		a.fraction, a.descending = o.fraction, o.descending
	}
	return a.counts.merge(&o.counts, textual, mapping)
}

func (a *textQuantile) State(groups []uint32) ([]arrow.Array, error) {
	counts, err := a.counts.state(groups, textual)
	return append([]arrow.Array{steadyDouble(a.fraction, len(groups)), steadyFlag(a.descending, len(groups))}, counts...), err
}

func (a *textQuantile) Restore(state []arrow.Array) error {
	if err := CheckState(state, doubleType, flagType, arrow.ListOf(textual.Arrow()), wordsType); err != nil {
		return err
	}
	a.fraction, a.descending = readSteady(state[0]), readSteadyFlag(state[1])
	return a.counts.restore(state[2:], textual)
}

func (a *textQuantile) Result(groups int) (arrow.Array, error) {
	counts, values, err := a.counts.byGroup(groups, textual)
	if err != nil {
		return nil, err
	}
	if values.Len() == 0 || math.IsNaN(a.fraction) {
		return event.NewNulls(textual, groups), nil
	}
	compare := Comparer(values, values, textual)
	rows, valid := make([]int32, groups), event.NewBitmap(groups)
	for g, counted := range counts {
		if len(counted) == 0 {
			continue
		}
		slices.SortFunc(counted, func(x, y valueCount) int { return compare(int(x.value), int(y.value)) })
		rows[g] = int32(a.pick(counted))
		valid.Set(g)
	}
	return Decode(gather(values, rows, valid)), nil
}

// pick walks to the value at the percentile's place; counted is in the order of the values.
func (a *textQuantile) pick(counted []valueCount) uint32 {
	total := int64(0)
	for _, c := range counted {
		total += c.n
	}
	left := int64(discrete(int(total), a.fraction, a.descending))
	at := 0
	for left >= counted[at].n {
		left -= counted[at].n
		at++
	}
	return counted[at].value
}

func (a *textQuantile) Bytes() int64 { return a.counts.bytes() }

// textual is TEXT.
var textual = event.Type{Kind: event.Text}
