package exec

import "math"

// groupBound puts bounds a number of groups of peers away from each row's own.
func (w *windowRows) groupBound(out []int32, offset int64, end bool) {
	offset = min(offset, math.MaxInt32) // more than there are rows, and far from where sums overflow
	if end {
		offset++
	}
	starts, g := w.peers(), 0
	w.partitions(func(_, to int32) {
		first := g
		for starts[g] < to {
			g++
		}
		for own := first; own < g; own++ {
			at := max(int64(first), min(int64(g), int64(own)+offset))
			fill(out[starts[own]:starts[own+1]], starts[at])
		}
	})
}
