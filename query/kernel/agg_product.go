package kernel

import "math"

func registerProduct(all map[string]func() Accumulator) {
	all["product(DOUBLE PRECISION)"] = func() Accumulator {
		return &doubleGroups[product, *product]{finish: (*product).result}
	}
	all["geometric_mean(DOUBLE PRECISION)"] = func() Accumulator {
		return &doubleGroups[logarithms, *logarithms]{finish: (*logarithms).mean}
	}
}

// product multiplies. The values are split into fraction and exponent, so that a product which leaves the range of doubles on
// the way comes back if it ends inside.
type product struct {
	fraction float64
	exponent int64
	n        int64
}

func (s *product) add(v float64) {
	if s.n == 0 {
		s.fraction = 1
	}
	s.n++
	fraction, exponent := math.Frexp(v)
	s.times(fraction, int64(exponent))
}

func (s *product) times(fraction float64, exponent int64) {
	f, e := math.Frexp(s.fraction * fraction)
	s.fraction, s.exponent = f, s.exponent+exponent+int64(e)
}

func (s *product) merge(o *product) {
	switch {
	case o.n == 0:
	case s.n == 0:
		*s = *o
	default:
		s.times(o.fraction, o.exponent)
		s.n += o.n
	}
}

func (s *product) result() (float64, bool) { return math.Ldexp(s.fraction, int(s.exponent)), s.n > 0 }

// logarithms averages logarithms: the mean of values of which one is negative is NaN, and 0 where one is zero.
type logarithms struct{ sum compensatedSum }

func (s *logarithms) add(v float64) { s.sum.add(math.Log(v)) }

func (s *logarithms) merge(o *logarithms) { s.sum.merge(o.sum) }

func (s *logarithms) mean() (float64, bool) {
	if s.sum.special != 0 {
		return math.Exp(s.sum.special), true
	}
	return math.Exp((s.sum.sum + s.sum.lost) / float64(s.sum.n)), s.sum.n > 0
}
