package continuous

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// pane is what came in one stretch of time: an accumulator for each key, at its place in ids.
type pane struct {
	start        int64
	ids          []uint32 // numbers of keys
	places       map[uint32]uint32
	accumulators []kernel.Accumulator
}

// sliding combines panes that follow each other. Those that a window has used are frozen: they are the first ones of panes, and of those
// again the first have in front[i] what panes[i] and all frozen ones up to the last of front hold together, while back holds the rest.
// A window then is the combination of two, whatever the number of its panes: every pane is moved to back once and to front once
// (the queue of two stacks: Tangwongsan and others, General Incremental Sliding-Window Aggregation, VLDB 2015).
type sliding struct {
	calls  []*exec.Call
	panes  []*pane // by start
	frozen int
	front  [][]kernel.Accumulator
	back   []kernel.Accumulator
}

func newSliding(calls []*exec.Call) *sliding {
	s := &sliding{calls: calls}
	s.back = s.empty()
	return s
}

func (s *sliding) empty() []kernel.Accumulator {
	out := make([]kernel.Accumulator, len(s.calls))
	for i, c := range s.calls {
		out[i] = c.NewAccumulator()
	}
	return out
}

// merge adds accumulators over keys to others.
func (s *sliding) merge(into, from []kernel.Accumulator, mapping []uint32, keys int) error {
	for i := range s.calls {
		if err := into[i].Merge(from[i], mapping, keys); err != nil {
			return err
		}
	}
	return nil
}

// window combines the panes from start to before end.
func (s *sliding) window(start, end int64, keys int) ([]kernel.Accumulator, error) {
	if err := s.evict(start, keys); err != nil {
		return nil, err
	}
	for s.frozen < len(s.panes) && s.panes[s.frozen].start < end {
		p := s.panes[s.frozen]
		if err := s.merge(s.back, p.accumulators, p.ids, keys); err != nil {
			return nil, err
		}
		s.frozen++
	}
	out := s.empty()
	all := identity(keys)
	if len(s.front) > 0 {
		if err := s.merge(out, s.front[0], all, keys); err != nil {
			return nil, err
		}
	}
	return out, s.merge(out, s.back, all, keys)
}

// evict drops the panes before a time.
func (s *sliding) evict(before int64, keys int) error {
	gone := 0
	for gone < len(s.panes) && s.panes[gone].start < before {
		gone++
	}
	if gone == 0 {
		return nil
	}
	inFront := len(s.front)
	s.panes = s.panes[gone:]
	s.frozen = max(0, s.frozen-gone)
	if gone <= inFront {
		s.front = s.front[gone:]
		return nil
	}
	return s.turn(keys) // back holds some that are gone
}

// turn builds front anew, over all frozen panes.
func (s *sliding) turn(keys int) error {
	s.back = s.empty()
	s.front = make([][]kernel.Accumulator, s.frozen)
	all := identity(keys)
	for i := s.frozen - 1; i >= 0; i-- {
		s.front[i] = s.empty()
		p := s.panes[i]
		if err := s.merge(s.front[i], p.accumulators, p.ids, keys); err != nil {
			return err
		}
		if i+1 < s.frozen {
			if err := s.merge(s.front[i], s.front[i+1], all, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

func identity(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

// at is the pane with a start, made where there is none.
func (s *sliding) at(start int64) *pane {
	at, ok := slices.BinarySearchFunc(s.panes, start, func(p *pane, start int64) int { return cmp.Compare(p.start, start) })
	if !ok {
		s.panes = slices.Insert(s.panes, at, &pane{start: start, places: map[uint32]uint32{}, accumulators: s.empty()})
	}
	return s.panes[at]
}

// placesOf are the places of keys with numbers, made for those that have none.
func (p *pane) placesOf(keys []uint32) []uint32 {
	out := make([]uint32, len(keys))
	for i, key := range keys {
		place, ok := p.places[key]
		if !ok {
			place = uint32(len(p.ids))
			p.places[key] = place
			p.ids = append(p.ids, key)
		}
		out[i] = place
	}
	return out
}

// update adds rows, of keys with numbers, to a pane that is not frozen.
func (s *sliding) update(p *pane, columns []arrow.Array, rows int, keys []uint32) error {
	places := p.placesOf(keys)
	for i, c := range s.calls {
		if err := c.Update(steady, p.accumulators[i], columns, rows, kernel.Groups{IDs: places, Count: len(p.ids)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *sliding) bytes() int64 {
	var total int64
	of := func(accumulators []kernel.Accumulator) {
		for _, a := range accumulators {
			total += a.Bytes()
		}
	}
	for _, p := range s.panes {
		total += int64(4*cap(p.ids) + 16*len(p.places))
		of(p.accumulators)
	}
	for _, f := range s.front {
		of(f)
	}
	of(s.back)
	return total
}
