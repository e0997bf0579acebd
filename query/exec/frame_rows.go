package exec

import "math"

// rowBound puts bounds a number of rows away from each row.
func (w *windowRows) rowBound(out []int32, offset int64, end bool) {
	offset = min(offset, math.MaxInt32) // more than there are rows, and far from where sums overflow
	if end {
		offset++
	}
	w.partitions(func(from, to int32) {
		for i := from; i < to; i++ {
			out[i] = int32(max(int64(from), min(int64(to), int64(i)+offset)))
		}
	})
}
