package kernel

import "math"

func registerVariance(all map[string]func() Accumulator) {
	forms := map[string]func(s *moments) (float64, bool){
		"var_samp":    (*moments).sample,
		"var_pop":     (*moments).population,
		"stddev_samp": rooted((*moments).sample),
		"stddev_pop":  rooted((*moments).population),
	}
	for name, finish := range forms {
		all[name+"(DOUBLE PRECISION)"] = func() Accumulator { return &doubleGroups[moments, *moments]{finish: finish} }
	}
}

// moments is count, mean and sum of squared deviations of a group, kept up to date by the method of B. P. Welford (Note on a
// Method for Calculating Corrected Sums of Squares and Products, Technometrics 4, 1962), which does not lose digits where the
// mean is large beside the spread, and merged by that of T. F. Chan, G. H. Golub and R. J. LeVeque (Updating Formulae, 1979).
type moments struct{ n, mean, squares float64 }

func (s *moments) add(v float64) {
	s.n++
	delta := v - s.mean
	s.mean += delta / s.n
	s.squares += delta * (v - s.mean)
}

func (s *moments) merge(o *moments) {
	if o.n == 0 {
		return
	}
	if s.n == 0 {
		*s = *o
		return
	}
	n, delta := s.n+o.n, o.mean-s.mean
	s.squares += o.squares + delta*delta*s.n*o.n/n
	s.mean += delta * o.n / n
	s.n = n
}

func (s *moments) sample() (float64, bool) { return s.squares / (s.n - 1), s.n > 1 }

func (s *moments) population() (float64, bool) { return s.squares / s.n, s.n > 0 }

func rooted(variance func(s *moments) (float64, bool)) func(s *moments) (float64, bool) {
	return func(s *moments) (float64, bool) {
		v, ok := variance(s)
		return math.Sqrt(v), ok
	}
}
