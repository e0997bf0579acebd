package exec

import "sync"

// shares divides the morsels of a scan among its readers. Each reader begins with a stretch of its own, because neighbouring
// morsels share their dictionaries and whoever groups by one looks its texts up once; a reader that has finished takes over half of
// what another still has. It may be used from any goroutine.
type shares struct {
	// inOrder says that all readers take from one share, for a scan whose first morsels may make the others superfluous.
	inOrder bool

	mu struct {
		sync.Mutex
		left []share // by reader
	}
}

// share is morsels from from to before to.
type share struct{ from, to int }

func newShares(morsels, readers int) *shares {
	s := &shares{}
	for i := range readers {
		s.mu.left = append(s.mu.left, share{morsels * i / readers, morsels * (i + 1) / readers})
	}
	return s
}

// take is the next morsel for a reader; ok is false when none is left. A reader beyond those that were planned for lives on what
// it takes over.
func (s *shares) take(reader int) (morsel int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inOrder {
		reader = 0
	}
	for reader >= len(s.mu.left) {
		s.mu.left = append(s.mu.left, share{})
	}
	own := &s.mu.left[reader]
	if own.from == own.to {
		*own = s.half()
	}
	if own.from == own.to {
		return 0, false
	}
	own.from++
	return own.from - 1, true
}

// half cuts the later half off the largest share. The lock is held.
func (s *shares) half() share {
	largest := &s.mu.left[0]
	for i := range s.mu.left {
		if x := &s.mu.left[i]; x.to-x.from > largest.to-largest.from {
			largest = x
		}
	}
	cut := share{(largest.from + largest.to) / 2, largest.to}
	largest.to = cut.from
	return cut
}
