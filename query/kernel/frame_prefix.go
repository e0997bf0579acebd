package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// countFrames counts the rows, or the values that are not NULL, up to each row; a frame's count is a difference.
func countFrames(c FrameCall) arrow.Array {
	out := make([]int64, c.results())
	if before, ok := c.Before.(*countAccumulator); ok {
		c.continued(func(i int) { out[i] = before.counts[0] })
	}
	var valid event.Bitmap
	if len(c.Args) > 0 {
		valid = c.Args[0].validity(c.Rows)
	}
	if valid == nil {
		for _, piece := range c.Pieces {
			for i := range out {
				out[i] += int64(piece.High[i] - piece.Low[i])
			}
		}
		return event.NewInt64s(out, nil)
	}
	before := make([]int32, c.Rows+1)
	for i := range c.Rows {
		before[i+1] = before[i]
		if valid.Valid(i) {
			before[i+1]++
		}
	}
	for _, piece := range c.Pieces {
		for i := range out {
			out[i] += int64(before[piece.High[i]] - before[piece.Low[i]])
		}
	}
	return event.NewInt64s(out, nil)
}

// sumBigintFrames adds up to each row in 128 bits; a frame's sum is a difference, and exact.
func sumBigintFrames(c FrameCall) (arrow.Array, error) {
	if err := c.Reserve(stateBytes * int64(c.Rows+c.results())); err != nil {
		return nil, err
	}
	values, valid := fixed[int64](c.Args[0]), c.Args[0].validity(c.Rows)
	before := make([]wideSum, c.Rows+1)
	for i := range c.Rows {
		before[i+1] = before[i]
		if valid.Valid(i) {
			v := values.at(i)
			before[i+1].add(uint64(v), v>>63, 1)
		}
	}
	sums := &bigintSum{average: c.Fn.Name == "avg", states: make([]wideSum, c.results())}
	if before, ok := c.Before.(*bigintSum); ok {
		c.continued(func(i int) { sums.states[i] = before.states[0] })
	}
	for _, piece := range c.Pieces {
		for i := range sums.states {
			s := &sums.states[i]
			high, low := &before[piece.High[i]], &before[piece.Low[i]]
			s.add(high.low, high.high, high.n)
			s.subtract(low)
		}
	}
	return sums.Result(len(sums.states))
}

// subtract takes o out again: in two's complement, the sum with its complement and 1.
func (s *wideSum) subtract(o *wideSum) {
	s.add(^o.low, ^o.high, -o.n)
	s.add(1, 0, 0)
}
