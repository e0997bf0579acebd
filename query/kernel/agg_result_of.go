package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// ResultsOf is what accumulators have of which some groups can be asked for without the others, as views do that show what a step touched.
type ResultsOf interface {
	// ResultOf is the result of some groups, which may be asked for again after more rows.
	ResultOf(groups []uint32) (arrow.Array, error)
}

// ResultOf implements ResultsOf.
func (a *countAccumulator) ResultOf(groups []uint32) (arrow.Array, error) {
	a.counts = grown(a.counts, reach(groups), 0)
	return event.NewInt64s(chosen(a.counts, groups), nil), nil
}

// ResultOf implements ResultsOf.
func (a *bigintSum) ResultOf(groups []uint32) (arrow.Array, error) {
	a.states = grown(a.states, reach(groups), wideSum{})
	return (&bigintSum{average: a.average, states: chosen(a.states, groups)}).Result(len(groups))
}

// ResultOf implements ResultsOf.
func (a *numericSum) ResultOf(groups []uint32) (arrow.Array, error) {
	a.states = grown(a.states, reach(groups), widestSum{})
	some := *a
	some.states = chosen(a.states, groups)
	return some.Result(len(groups))
}

// ResultOf implements ResultsOf.
func (a *doubleSum) ResultOf(groups []uint32) (arrow.Array, error) {
	a.states = grown(a.states, reach(groups), compensatedSum{})
	return (&doubleSum{average: a.average, states: chosen(a.states, groups)}).Result(len(groups))
}

// ResultOf implements ResultsOf.
func (a *extremeAccumulator) ResultOf(groups []uint32) (arrow.Array, error) {
	a.grow(reach(groups))
	some := &extremeAccumulator{form: a.form, flip: a.flip, least: chosen(a.least, groups), seen: chosen(a.seen, groups)}
	return some.Result(len(groups))
}

// ResultOf implements ResultsOf.
func (a *wordExtreme) ResultOf(groups []uint32) (arrow.Array, error) {
	a.grow(reach(groups))
	some := &wordExtreme{result: a.result, sign: a.sign, compare: a.compare, best: chosen(a.best, groups), seen: chosen(a.seen, groups)}
	return some.Result(len(groups))
}
