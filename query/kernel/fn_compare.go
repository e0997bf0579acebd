package kernel

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// comparison is one of the six operators, made from "equal" or "less" by exchanging the sides and negating the outcome. The
// order is total, so that a <= b is exactly not (b < a).
type comparison struct {
	less     bool // else equal
	exchange bool
	negate   bool
}

var comparisons = map[string]comparison{
	"=":  {},
	"<>": {negate: true},
	"<":  {less: true},
	">=": {less: true, negate: true},
	">":  {less: true, exchange: true},
	"<=": {less: true, exchange: true, negate: true},
}

func registerComparisons(r registry) {
	for symbol, c := range comparisons {
		for _, t := range plan.ValueTypes {
			r.strict(fmt.Sprintf("%s(%s, %s)", symbol, t, t), c.kernel(t))
		}
	}
}

// kernel is the operator over two values of one type.
func (c comparison) kernel(t event.Type) kernel {
	bits := c.bitsOf(t)
	return func(k *call) (arrow.Array, error) {
		a, b := k.args[0], k.args[1]
		if c.exchange {
			a, b = b, a
		}
		out := bits(a, b, k.rows, k.valid)
		if c.negate {
			invert(out)
		}
		return event.NewBooleans(out, k.rows, k.valid), nil
	}
}

// bitsOf is the function that computes "less" or "equal" for a type. Bits of rows that are not valid mean nothing.
func (c comparison) bitsOf(t event.Type) func(a, b Operand, rows int, valid event.Bitmap) event.Bitmap {
	switch t.Kind {
	case event.BigInt, event.TimestampTZ, event.Time:
		return numberBits[int64](c.less)
	case event.Double:
		return numberBits[float64](c.less)
	case event.SmallInt:
		return numberBits[int16](c.less)
	case event.Integer, event.Date:
		return numberBits[int32](c.less)
	case event.Real:
		return numberBits[float32](c.less)
	case event.Text, event.Bytea:
		return c.textBits
	case event.Boolean:
		return c.booleanBits
	default:
		return c.orderingBits(t)
	}
}

func numberBits[T int16 | int32 | int64 | float32 | float64](less bool) func(a, b Operand, rows int, valid event.Bitmap) event.Bitmap {
	return func(a, b Operand, rows int, _ event.Bitmap) event.Bitmap {
		if less {
			return lessBits(fixed[T](a), fixed[T](b), rows)
		}
		return equalBits(fixed[T](a), fixed[T](b), rows)
	}
}

// lessBits packs eight outcomes at a time. NaN is above all else: y != y holds for nothing but NaN.
func lessBits[T int16 | int32 | int64 | float32 | float64](a, b column[T], rows int) event.Bitmap {
	out := event.NewBitmap(rows)
	for at := range out {
		first := at * 8
		var packed byte
		for j := range min(8, rows-first) {
			x, y := a.values[(first+j)&a.mask], b.values[(first+j)&b.mask]
			var bit byte
			if x < y || (y != y && x == x) { //nolint:gocritic // only NaN is unlike itself
				bit = 1
			}
			packed |= bit << j
		}
		out[at] = packed
	}
	return out
}

func equalBits[T int16 | int32 | int64 | float32 | float64](a, b column[T], rows int) event.Bitmap {
	out := event.NewBitmap(rows)
	for at := range out {
		first := at * 8
		var packed byte
		for j := range min(8, rows-first) {
			x, y := a.values[(first+j)&a.mask], b.values[(first+j)&b.mask]
			var bit byte
			if x == y || (x != x && y != y) { //nolint:gocritic // only NaN is unlike itself
				bit = 1
			}
			packed |= bit << j
		}
		out[at] = packed
	}
	return out
}

func (c comparison) textBits(a, b Operand, rows int, valid event.Bitmap) event.Bitmap {
	x, y := textsOf(a), textsOf(b)
	out := event.NewBitmap(rows)
	for i := range rows {
		if !valid.Valid(i) {
			continue
		}
		if c.less && x.at(i) < y.at(i) || !c.less && x.at(i) == y.at(i) {
			out.Set(i)
		}
	}
	return out
}

func (c comparison) booleanBits(a, b Operand, rows int, _ event.Bitmap) event.Bitmap {
	x, y := booleans(a, rows), booleans(b, rows)
	for i := range x {
		if c.less {
			x[i] = ^x[i] & y[i]
		} else {
			x[i] = ^(x[i] ^ y[i])
		}
	}
	return x
}

func (c comparison) orderingBits(t event.Type) func(a, b Operand, rows int, valid event.Bitmap) event.Bitmap {
	return func(a, b Operand, rows int, valid event.Bitmap) event.Bitmap {
		compare := ordering(a, b, t)
		out := event.NewBitmap(rows)
		for i := range rows {
			if !valid.Valid(i) {
				continue
			}
			order := compare(i, i)
			if c.less && order < 0 || !c.less && order == 0 {
				out.Set(i)
			}
		}
		return out
	}
}

// holds applies the operator to the outcome of a three-way comparison.
func (c comparison) holds(order int) bool {
	switch {
	case !c.less:
		return (order == 0) != c.negate
	case c.exchange:
		return (order > 0) != c.negate
	default:
		return (order < 0) != c.negate
	}
}

func invert(b event.Bitmap) {
	for i := range b {
		b[i] = ^b[i]
	}
}
