package kernel

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/tidemarkdb/tidemark/event"
)

// exactSum is the sum of doubles without any rounding, so that what was added can be taken out again and leaves no trace. A double is
// an integer times a power of two: nearly always all of a group's lie close enough together to be added up in 192 bits, which then count
// units of 2^unit. Where they do not, or are infinite or NaN, rest holds them.
type exactSum struct {
	words [3]uint64 // in two's complement, the least significant first
	unit  int32
	used  bool // unit means something: a finite value other than 0 has come
	n     int64
	rest  *exactRest
}

// exactRest is what 192 bits cannot hold: a sum in units of 2^widestUnit, and how often each of the values came that are no numbers.
type exactRest struct {
	words                   [widestWords]uint64
	infinite, negative, nan int64
}

const (
	// The least double is 2^-1074.
	widestUnit = -1074
	// widestWords hold the greatest double, below 2^1024, 2^75 times over, and a sign.
	widestWords = (1024-widestUnit+75)/64 + 1
	// The first value decides the unit: the 48 bits below its own are for smaller ones. The 37 bits above the greatest that is taken, and a
	// sign, are for the number of values.
	unitsBelow = 48
	mostShift  = 192 - 53 - 37 - 1
	// doubleBias takes a double's exponent to that of the lowest bit of its mantissa.
	doubleBias = 1075
)

// change adds a value, or takes it out where times is -1. A sum of no values is as if there had been none.
func (s *exactSum) change(v float64, times int64) {
	if s.n += times; s.n == 0 {
		*s = exactSum{}
		return
	}
	b := math.Float64bits(v)
	exponent, mantissa := int32(b>>52)&0x7ff, b&(1<<52-1)
	switch {
	case exponent == 0x7ff:
		s.outside().count(v, times)
		return
	case exponent == 0 && mantissa == 0:
		return
	case exponent == 0:
		exponent = 1
	default:
		mantissa |= 1 << 52
	}
	unit, negative := exponent-doubleBias, b>>63 == 1 != (times < 0)
	if !s.used {
		s.used, s.unit = true, unit-unitsBelow
	}
	if shift := unit - s.unit; shift >= 0 && shift <= mostShift {
		addShifted(s.words[:], mantissa, uint32(shift), negative)
		return
	}
	addShifted(s.outside().words[:], mantissa, uint32(unit-widestUnit), negative)
}

func (s *exactSum) outside() *exactRest {
	if s.rest == nil {
		s.rest = &exactRest{}
	}
	return s.rest
}

func (r *exactRest) count(v float64, times int64) {
	switch {
	case v > 0:
		r.infinite += times
	case v < 0:
		r.negative += times
	default:
		r.nan += times
	}
}

// addShifted adds a mantissa times 2^shift to a number in two's complement, or subtracts it.
func addShifted(words []uint64, mantissa uint64, shift uint32, negative bool) {
	at, by := int(shift/64), shift%64
	low, high := mantissa<<by, uint64(0)
	if by > 0 {
		high = mantissa >> (64 - by)
	}
	var carry uint64
	step := bits.Add64
	if negative {
		step = bits.Sub64
	}
	words[at], carry = step(words[at], low, 0)
	for i := at + 1; i < len(words); i++ {
		words[i], carry = step(words[i], high, carry)
		if high = 0; carry == 0 {
			return
		}
	}
}

// merge adds another sum.
func (s *exactSum) merge(o *exactSum) {
	if s.n += o.n; s.n == 0 {
		*s = exactSum{}
		return
	}
	switch {
	case !o.used:
	case !s.used:
		s.used, s.unit, s.words = true, o.unit, o.words
	case s.unit == o.unit:
		addWords(s.words[:], o.words[:])
	default:
		r := s.outside()
		addWords(r.words[:], o.widest())
	}
	if o.rest != nil {
		r := s.outside()
		addWords(r.words[:], o.rest.words[:])
		r.infinite, r.negative, r.nan = r.infinite+o.rest.infinite, r.negative+o.rest.negative, r.nan+o.rest.nan
	}
}

func addWords(into, from []uint64) {
	var carry uint64
	for i := range into {
		into[i], carry = bits.Add64(into[i], from[i], carry)
	}
}

// widest is the number that words hold, in units of 2^widestUnit. A unit below that has no bits that are lost: every double is a multiple
// of the least one.
func (s *exactSum) widest() []uint64 {
	out := make([]uint64, widestWords)
	negative := s.words[2]>>63 == 1
	words := unsignedWords(s.words[:], negative)
	for i, w := range words {
		shift := int(s.unit) - widestUnit + 64*i
		for ; shift < 0 && w != 0; shift++ {
			w >>= 1
		}
		if w != 0 {
			addShifted(out, w, uint32(shift), negative)
		}
	}
	return out
}

// unsignedWords is a number in two's complement without its sign.
func unsignedWords(words []uint64, negative bool) []uint64 {
	if !negative {
		return words
	}
	out := make([]uint64, len(words))
	carry := uint64(1)
	for i, w := range words {
		out[i], carry = bits.Add64(^w, 0, carry)
	}
	return out
}

// total is the sum, rounded once.
func (s *exactSum) total() (float64, error) {
	var out float64
	switch r := s.rest; {
	case r == nil:
		out = roundedWords(s.words[:], s.unit)
	case r.nan > 0 || (r.infinite > 0 && r.negative > 0):
		return math.NaN(), nil
	case r.infinite > 0:
		return math.Inf(1), nil
	case r.negative > 0:
		return math.Inf(-1), nil
	default:
		all := s.widest()
		addWords(all, r.words[:])
		out = roundedWords(all, widestUnit)
	}
	if !isFinite(out) {
		return 0, event.Errorf(event.CodeInvalidValue, "DOUBLE PRECISION overflow in a sum of %d values", s.n)
	}
	return out, nil
}

// roundedWords is the double nearest to a number in two's complement times 2^unit, the even one of two. The number is a multiple of the
// least double, so that the result is exact where it is too small for all 53 bits.
func roundedWords(words []uint64, unit int32) float64 {
	negative := words[len(words)-1]>>63 == 1
	var held [3]uint64
	if len(words) == len(held) { // the usual case, without an allocation
		copy(held[:], words)
		words = held[:]
		if negative {
			carry := uint64(1)
			for i, w := range words {
				words[i], carry = bits.Add64(^w, 0, carry)
			}
		}
	} else {
		words = unsignedWords(words, negative)
	}
	top := len(words) - 1
	for top >= 0 && words[top] == 0 {
		top--
	}
	if top < 0 {
		return 0
	}
	lead, sticky := bits.LeadingZeros64(words[top]), false
	high := words[top] << lead
	if top > 0 {
		high |= words[top-1] >> (64 - lead) // all of it is shifted out where lead is 0
		sticky = words[top-1]<<lead != 0
		for _, w := range words[:top-1] {
			sticky = sticky || w != 0
		}
	}
	const below = 64 - 53
	mantissa, left := high>>below, high&(1<<below-1)
	if half := uint64(1) << (below - 1); left > half || (left == half && (sticky || mantissa&1 == 1)) {
		mantissa++
	}
	out := math.Ldexp(float64(mantissa), int(unit)+64*top-lead+below)
	if negative {
		return -out
	}
	return out
}

// bytes is the memory that a sum points to.
func (s *exactSum) bytes() int64 {
	if s.rest == nil {
		return 0
	}
	return 8 * (widestWords + 3)
}

// encoded and open are what a state holds of rest.
func (r *exactRest) encoded() []byte {
	if r == nil {
		return nil
	}
	out := make([]byte, 0, 8*(widestWords+3))
	for _, w := range r.words {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	for _, n := range []int64{r.infinite, r.negative, r.nan} {
		out = binary.LittleEndian.AppendUint64(out, uint64(n))
	}
	return out
}

func openRest(b []byte) (*exactRest, error) {
	if len(b) != 8*(widestWords+3) {
		return nil, errState("%d bytes of a sum", len(b))
	}
	r := &exactRest{}
	next := func() uint64 {
		v := binary.LittleEndian.Uint64(b)
		b = b[8:]
		return v
	}
	for i := range r.words {
		r.words[i] = next()
	}
	r.infinite, r.negative, r.nan = int64(next()), int64(next()), int64(next())
	return r, nil
}
