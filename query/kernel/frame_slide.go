package kernel

// slider keeps the state of a frame whose ends only move forward. It needs no way to take a row back out: rows come in at the back,
// joined into one state; when the frame's start overtakes the front, the rows of the back become the new front, each with the state
// from it to the end of the front. So each row is joined twice at most (two stacks make a queue).
type slider[S any, A states[S]] struct {
	states A
	frames Frames
	// The frame is the rows from low to before high: the front those before middle, the back the rest.
	low, middle, high int
	// front holds the states from each row to before middle, beginning with row first.
	front []S
	first int
	back  S
}

func (s *slider[S, A]) fold(from int, out []S) {
	for i := range out {
		s.move(int(s.frames.Low[from+i]), int(s.frames.High[from+i]))
		s.give(&out[i])
	}
}

// move makes the frame the rows from low to before high.
func (s *slider[S, A]) move(low, high int) {
	if low >= s.high {
		s.forget()
		s.middle, s.high, s.first = low, low, low
	}
	for ; s.high < high; s.high++ {
		state := s.states.of(s.high)
		s.states.join(&s.back, &state)
		s.states.drop(&state)
	}
	s.low = low
	if low > s.middle {
		s.turn()
	}
}

// turn makes the back the front.
func (s *slider[S, A]) turn() {
	s.forget()
	n := s.high - s.low
	if cap(s.front) < n {
		s.front = make([]S, n, n+n/4)
	}
	s.front = s.front[:n]
	for i := n - 1; i >= 0; i-- {
		state := s.states.of(s.low + i)
		if i+1 < n {
			s.states.join(&state, &s.front[i+1])
		}
		s.front[i] = state
	}
	s.first, s.middle = s.low, s.high
}

// forget drops all states.
func (s *slider[S, A]) forget() {
	for i := range s.front {
		s.states.drop(&s.front[i])
	}
	s.front = s.front[:0]
	s.states.drop(&s.back)
	var none S
	s.back = none
}

// give joins the frame's state to what out holds.
func (s *slider[S, A]) give(out *S) {
	if s.low < s.middle {
		s.states.join(out, &s.front[s.low-s.first])
	}
	if s.high > s.middle {
		s.states.join(out, &s.back)
	}
}
