package kernel

import (
	"math/bits"
	"slices"
)

// selectAt rearranges values so that the one that sorting would put at place k is there, none greater before it and none smaller after it:
// Hoare's selection by repeated partition, in linear time. Where pivots keep being bad it sorts, so that no values make it slower
// than that.
func selectAt(values []int64, k int) {
	const few = 24 // sorted faster than partitioned
	for rounds := 4 * bits.Len(uint(len(values))); rounds > 0 && len(values) > few; rounds-- {
		pivot := middling(values)
		less := partition(values, func(v int64) bool { return v < pivot })
		switch {
		case k < less:
			values = values[:less]
		case less > 0:
			values, k = values[less:], k-less
		default: // nothing is less than the pivot
			equal := partition(values, func(v int64) bool { return v == pivot })
			if k < equal {
				return
			}
			values, k = values[equal:], k-equal
		}
	}
	slices.Sort(values)
}

// partition moves the values that come first to the front and says how many they are. No branch depends on a value.
func partition(values []int64, first func(int64) bool) int {
	n := 0
	for i, v := range values {
		values[i], values[n] = values[n], v
		if first(v) {
			n++
		}
	}
	return n
}

// middling is the median of three medians of three.
func middling(values []int64) int64 {
	step := len(values) / 9
	median := func(i int) int64 { return medianOfThree(values[i], values[i+step], values[i+2*step]) }
	return medianOfThree(median(0), median(3*step), median(6*step))
}

func medianOfThree(a, b, c int64) int64 { return max(min(a, b), min(max(a, b), c)) }
