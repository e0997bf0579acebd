package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

const twoDoubles = "(DOUBLE PRECISION, DOUBLE PRECISION)"

func registerRegression(all map[string]func() Accumulator) {
	for name, finish := range map[string]func(s *comoments) (float64, bool){
		"corr":           (*comoments).correlation,
		"covar_samp":     func(s *comoments) (float64, bool) { return s.sxy / (s.n - 1), s.n > 1 },
		"covar_pop":      func(s *comoments) (float64, bool) { return s.sxy / s.n, s.n > 0 },
		"regr_slope":     func(s *comoments) (float64, bool) { return s.sxy / s.sxx, s.varies() },
		"regr_intercept": func(s *comoments) (float64, bool) { return s.y - s.x*s.sxy/s.sxx, s.varies() },
		"regr_r2":        (*comoments).determination,
		"regr_avgx":      func(s *comoments) (float64, bool) { return s.x, s.n > 0 },
		"regr_avgy":      func(s *comoments) (float64, bool) { return s.y, s.n > 0 },
		"regr_sxx":       func(s *comoments) (float64, bool) { return s.sxx, s.n > 0 },
		"regr_syy":       func(s *comoments) (float64, bool) { return s.syy, s.n > 0 },
		"regr_sxy":       func(s *comoments) (float64, bool) { return s.sxy, s.n > 0 },
	} {
		all[name+twoDoubles] = func() Accumulator { return &regression{finish: finish} }
	}
	all["regr_count"+twoDoubles] = func() Accumulator { return &regression{} }
}

// regression is the aggregates of pairs (y, x); a pair with a NULL is left out. finish is nil for the number of pairs.
type regression struct {
	states []comoments
	finish func(s *comoments) (float64, bool)
}

// comoments is the means of x and y and the sums of products of their deviations, kept as moments keeps those of one variable.
type comoments struct{ n, x, y, sxx, syy, sxy float64 }

func (s *comoments) add(y, x float64) {
	s.n++
	dx, dy := x-s.x, y-s.y
	s.x += dx / s.n
	s.y += dy / s.n
	s.sxx += dx * (x - s.x)
	s.syy += dy * (y - s.y)
	s.sxy += dx * (y - s.y)
}

func (s *comoments) merge(o *comoments) {
	if o.n == 0 {
		return
	}
	if s.n == 0 {
		*s = *o
		return
	}
	n, dx, dy := s.n+o.n, o.x-s.x, o.y-s.y
	share := s.n * o.n / n
	s.sxx += o.sxx + dx*dx*share
	s.syy += o.syy + dy*dy*share
	s.sxy += o.sxy + dx*dy*share
	s.x += dx * o.n / n
	s.y += dy * o.n / n
	s.n = n
}

// varies reports whether a line through the pairs has a slope.
func (s *comoments) varies() bool { return s.n > 0 && s.sxx != 0 }

// correlation is cut to [-1, 1], which rounding can leave.
func (s *comoments) correlation() (float64, bool) {
	r := s.sxy / math.Sqrt(s.sxx) / math.Sqrt(s.syy)
	return max(-1, min(r, 1)), s.varies() && s.syy != 0
}

func (s *comoments) determination() (float64, bool) {
	if s.syy == 0 {
		return 1, s.varies()
	}
	r, ok := s.correlation()
	return r * r, ok
}

func (a *regression) Update(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, comoments{})
	ys, xs, valid := fixed[float64](args[0]), fixed[float64](args[1]), jointValidity(args, rows)
	for i := range rows {
		if valid.Valid(i) {
			a.states[groupOf(groups, i)].add(ys.at(i), xs.at(i))
		}
	}
	return nil
}

func (a *regression) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, comoments{})
	states := other.(*regression).states
	for g := range states {
		a.states[mapping[g]].merge(&states[g])
	}
	return nil
}

func (a *regression) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), comoments{})
	return wordColumns(a.states, groups), nil
}

func (a *regression) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[comoments](state)
	return err
}

func (a *regression) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, comoments{})
	if a.finish != nil {
		return finishDoubles(a.states[:groups], a.finish), nil
	}
	counts := make([]int64, groups)
	for g := range counts {
		counts[g] = int64(a.states[g].n)
	}
	return event.NewInt64s(counts, nil), nil
}

func (a *regression) Bytes() int64 { return sizeOf(a.states) }
