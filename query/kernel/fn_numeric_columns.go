package kernel

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// unlessExact computes by a plain loop where the types alone rule out that any row overflows or has to be rounded, which is so for most
// columns of money and counts, and else row by row.
func unlessExact(exact func(a, b, to event.Type) bool, loop func(c *call, x, y decimals, out []decimal128.Num), careful kernel) kernel {
	return func(c *call) (arrow.Array, error) {
		if !exact(typeOfDecimals(c.args[0]), typeOfDecimals(c.args[1]), c.result) {
			return careful(c)
		}
		out := make([]decimal128.Num, c.rows)
		loop(c, decimalsOf(c.args[0]), decimalsOf(c.args[1]), out)
		return event.NewFixed(c.result.Arrow(), out, c.valid), nil
	}
}

func typeOfDecimals(o Operand) event.Type {
	t := o.Array.DataType().(*arrow.Decimal128Type)
	return event.Type{Kind: event.Numeric, Precision: t.Precision, Scale: t.Scale}
}

// sumIsExact: both sides are brought to the result's scale, and a sum has one digit more than they.
func sumIsExact(a, b, to event.Type) bool {
	return max(a.Precision-a.Scale, b.Precision-b.Scale)+1+max(a.Scale, b.Scale) <= to.Precision && to.Scale == max(a.Scale, b.Scale)
}

func productIsExact(a, b, to event.Type) bool {
	return a.Precision+b.Precision <= to.Precision && a.Scale+b.Scale == to.Scale
}

func addColumns(c *call, x, y decimals, out []decimal128.Num) {
	by, other := powers(c, x, y)
	for i := range out {
		out[i] = x.values[i&x.mask].Mul(by).Add(y.values[i&y.mask].Mul(other))
	}
}

func subtractColumns(c *call, x, y decimals, out []decimal128.Num) {
	by, other := powers(c, x, y)
	for i := range out {
		out[i] = x.values[i&x.mask].Mul(by).Sub(y.values[i&y.mask].Mul(other))
	}
}

// powers are what brings each side to the scale of the result.
func powers(c *call, x, y decimals) (by, other decimal128.Num) {
	return decimal128.GetScaleMultiplier(int(c.result.Scale - x.scale)), decimal128.GetScaleMultiplier(int(c.result.Scale - y.scale))
}

// multiplyColumns takes the product of two values of 64 bits, which most are, in one instruction.
func multiplyColumns(_ *call, x, y decimals, out []decimal128.Num) {
	for i := range out {
		a, b := x.values[i&x.mask], y.values[i&y.mask]
		v, vFits := asInt64(a)
		w, wFits := asInt64(b)
		if !vFits || !wFits {
			out[i] = a.Mul(b)
			continue
		}
		high, low := bits.Mul64(uint64(v), uint64(w))
		out[i] = decimal128.New(int64(high)-(v>>63)&w-(w>>63)&v, low)
	}
}
