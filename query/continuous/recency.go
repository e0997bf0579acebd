package continuous

import "slices"

// recency remembers for each key of an operator the step that touched it last, so that what was not needed for longest can go to the disk.
type recency struct {
	touched []uint32 // by the slot of the key
	step    uint32
}

// note remembers that keys were needed now. slots is one more than the greatest key.
func (r *recency) note(keys []uint32, slots int) {
	r.step++
	r.touched = lengthened(r.touched, slots)
	for _, k := range keys {
		r.touched[k] = r.step
	}
}

// coldest lists so many of some keys, those that were not needed for longest, in the order in which they were given. Of those that were
// touched in the same step as the last one, some stay.
func (r *recency) coldest(keys []uint32, slots, count int) []uint32 {
	r.touched = lengthened(r.touched, slots)
	steps := make([]uint32, len(keys))
	for i, k := range keys {
		steps[i] = r.touched[k]
	}
	slices.Sort(steps)
	last, same := steps[count-1], count
	for _, step := range steps {
		if step < last {
			same--
		}
	}
	out := make([]uint32, 0, count)
	for _, k := range keys {
		switch step := r.touched[k]; {
		case step < last:
			out = append(out, k)
		case step == last && same > 0:
			out = append(out, k)
			same--
		}
	}
	return out
}

// move follows keys to new slots: the key at from[i] is now i.
func (r *recency) move(from []uint32) {
	if r.touched == nil {
		return
	}
	was := lengthened(r.touched, highest(from))
	r.touched = make([]uint32, len(from))
	for i, k := range from {
		r.touched[i] = was[k]
	}
}

func (r *recency) bytes() int64 { return int64(4 * cap(r.touched)) }

// toSpill is how many of some keys go so that so many bytes of all those held are free: at least half, so that the others move together
// and memory is given back.
func toSpill(keys int, bytes, held int64) int {
	wanted := min(float64(keys), float64(keys)*float64(bytes)/float64(held)*2)
	return max((keys+1)/2, int(wanted))
}
