package kernel

// tree answers frames whose ends jump back and forth. Level k holds the states of stretches of 2^k rows; a frame is made of at most
// two stretches of each level.
type tree[S any] struct {
	frames Frames
	levels [][]S
	join   func(a, b *S)
}

func newTree[S any, A states[S]](a A, frames Frames, rows int) *tree[S] {
	level := make([]S, rows)
	for i := range level {
		level[i] = a.of(i)
	}
	t := &tree[S]{frames: frames, levels: [][]S{level}, join: a.join}
	for len(level) > 1 {
		next := make([]S, len(level)/2) // a last stretch without a partner is never needed above
		for i := range next {
			a.join(&next[i], &level[2*i]) // not a copy: states may be pointers
			a.join(&next[i], &level[2*i+1])
		}
		t.levels = append(t.levels, next)
		level = next
	}
	return t
}

func (t *tree[S]) fold(from int, out []S) {
	for i := range out {
		t.give(&out[i], int(t.frames.Low[from+i]), int(t.frames.High[from+i]))
	}
}

// give joins the states from low to before high to what out holds: growing stretches up to the middle, then shrinking ones.
func (t *tree[S]) give(out *S, low, high int) {
	k := 0
	for low < high {
		switch {
		case low&(1<<k) != 0 && low+1<<k <= high:
			t.join(out, &t.levels[k][low>>k])
			low += 1 << k
			k++
		case low+1<<(k+1) <= high:
			k++
		default:
			t.descend(out, low, high, k)
			return
		}
	}
}

// descend joins the rest of a frame, which is shorter than two stretches of level k.
func (t *tree[S]) descend(out *S, low, high, k int) {
	for ; k >= 0; k-- {
		if low+1<<k <= high {
			t.join(out, &t.levels[k][low>>k])
			low += 1 << k
		}
	}
}
