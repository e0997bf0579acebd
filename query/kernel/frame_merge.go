package kernel

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// mergedAtOnce bounds how many results' states are held side by side before they become values.
const mergedAtOnce = 256

// mergeFrames serves every aggregate that has no form of its own here: states are accumulators of one group.
func mergeFrames(c FrameCall) (arrow.Array, error) {
	a := &mergedStates{call: c, toFirst: []uint32{0}}
	folders := make([]folder[Accumulator], len(c.Pieces))
	for i, piece := range c.Pieces {
		folders[i] = newFolder[Accumulator](a, piece, c.Rows)
	}
	var parts []arrow.Array
	for from := 0; from < c.results() && a.err == nil; from += mergedAtOnce {
		out := make([]Accumulator, min(mergedAtOnce, c.results()-from))
		if c.Before != nil {
			for i := range max(0, min(len(out), c.Continued-from)) {
				a.join(&out[i], &a.call.Before)
			}
		}
		for i := range folders {
			folders[i].fold(from, out)
		}
		part, err := a.values(out)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if a.err != nil {
		return nil, a.err
	}
	if len(parts) == 0 {
		return a.values(nil)
	}
	return Concat(parts)
}

// mergedStates makes accumulators. They are joined by merging, which leaves what is merged as it was.
type mergedStates struct {
	call    FrameCall
	toFirst []uint32 // the mapping of one group to one
	held    int64
	err     error // the first failure; what is made after it means nothing
}

func (m *mergedStates) fresh() Accumulator {
	a, ok := NewAccumulator(m.call.Fn)
	if !ok && m.err == nil {
		m.err = fmt.Errorf("aggregate %s has no implementation", m.call.Fn.Signature())
	}
	return a
}

func (m *mergedStates) of(row int) Accumulator {
	a := m.fresh()
	if m.err != nil {
		return nil
	}
	args := make([]Operand, len(m.call.Args))
	for i, arg := range m.call.Args {
		if !arg.Const {
			arg.Array = array.NewSlice(arg.Array, int64(row), int64(row+1))
		}
		args[i] = arg
	}
	m.note(a.Update(Groups{Count: 1}, args, 1))
	m.held += a.Bytes()
	return a
}

func (m *mergedStates) join(a, b *Accumulator) {
	if *b == nil || m.err != nil {
		return
	}
	before := int64(0)
	if *a == nil {
		*a = m.fresh()
	} else {
		before = (*a).Bytes()
	}
	m.note((*a).Merge(*b, m.toFirst, 1))
	m.held += (*a).Bytes() - before
	m.note(m.call.Reserve(m.held))
}

func (m *mergedStates) drop(s *Accumulator) {
	if *s != nil {
		m.held -= (*s).Bytes()
	}
}

func (m *mergedStates) note(err error) {
	if m.err == nil {
		m.err = err
	}
}

// values are the results of accumulators, nil ones being those of no rows. They are let go of.
func (m *mergedStates) values(states []Accumulator) (arrow.Array, error) {
	all := m.fresh()
	if m.err != nil {
		return nil, m.err
	}
	for i, s := range states {
		if s == nil {
			continue
		}
		if err := all.Merge(s, []uint32{uint32(i)}, len(states)); err != nil {
			return nil, err
		}
		m.drop(&states[i])
	}
	return all.Result(len(states))
}
