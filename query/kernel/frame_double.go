package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// doubleStates are compensated sums. They are never subtracted: what a large value has pushed out of a sum would stay lost.
type doubleStates struct {
	values column[float64]
	valid  event.Bitmap
}

func (d doubleStates) of(row int) compensatedSum {
	var s compensatedSum
	if d.valid.Valid(row) {
		s.add(d.values.at(row))
	}
	return s
}

func (d doubleStates) join(a, b *compensatedSum) { a.merge(*b) }

func (d doubleStates) drop(*compensatedSum) {}

func sumDoubleFrames(c FrameCall) (arrow.Array, error) {
	sums := &doubleSum{average: c.Fn.Name == "avg", states: make([]compensatedSum, c.results())}
	if before, ok := c.Before.(*doubleSum); ok {
		c.continued(func(i int) { sums.states[i] = before.states[0] })
	}
	states := doubleStates{values: fixed[float64](c.Args[0]), valid: c.Args[0].validity(c.Rows)}
	if err := fold(c, states, sums.states); err != nil {
		return nil, err
	}
	return sums.Result(len(sums.states))
}
