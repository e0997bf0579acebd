package kernel

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerBigintArithmetic(r registry) {
	r.strict("+(BIGINT, BIGINT)", addBigints)
	r.strict("-(BIGINT, BIGINT)", subtractBigints)
	r.strict("*(BIGINT, BIGINT)", multiplyBigints)
	r.strict("/(BIGINT, BIGINT)", divideBigints)
	r.strict("%(BIGINT, BIGINT)", remainderBigints)
	r.strict("-(BIGINT)", negateBigints)
	r.strict("abs(BIGINT)", absBigints)
	r.strict("round(BIGINT, BIGINT)", integerPlaces("round", roundBigint))
	r.strict("trunc(BIGINT, BIGINT)", integerPlaces("trunc", truncateBigint))
}

// The loops of + and - gather the overflow of all rows in one sign bit and look for the guilty row only if it is set: it may
// turn out to be a NULL.

func addBigints(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	out := make([]int64, c.rows)
	var overflow int64
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		sum := x + y
		overflow |= (x ^ sum) & (y ^ sum)
		out[i] = sum
	}
	if overflow < 0 {
		if err := c.findOverflow(a, b, "+", addInt64); err != nil {
			return nil, err
		}
	}
	return event.NewInt64s(out, c.valid), nil
}

func subtractBigints(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	out := make([]int64, c.rows)
	var overflow int64
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		difference := x - y
		overflow |= (x ^ y) & (x ^ difference)
		out[i] = difference
	}
	if overflow < 0 {
		if err := c.findOverflow(a, b, "-", subtractInt64); err != nil {
			return nil, err
		}
	}
	return event.NewInt64s(out, c.valid), nil
}

func multiplyBigints(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	out := make([]int64, c.rows)
	overflow := false
	for i := range out {
		product, ok := multiplyInt64(a.values[i&a.mask], b.values[i&b.mask])
		overflow = overflow || !ok
		out[i] = product
	}
	if overflow {
		if err := c.findOverflow(a, b, "*", multiplyInt64); err != nil {
			return nil, err
		}
	}
	return event.NewInt64s(out, c.valid), nil
}

// multiplyInt64 multiplies, or reports false on overflow: the upper half of the full product must repeat the lower one's sign.
func multiplyInt64(a, b int64) (int64, bool) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	signed := int64(high) - (a>>63)&b - (b>>63)&a
	return int64(low), signed == int64(low)>>63
}

// findOverflow names the first valid row in which the operation overflows, if there is one.
func (c *call) findOverflow(a, b column[int64], symbol string, operation func(a, b int64) (int64, bool)) error {
	for i := range c.rows {
		if _, ok := operation(a.at(i), b.at(i)); !ok && c.valid.Valid(i) {
			return errOverflow(a.at(i), symbol, b.at(i))
		}
	}
	return nil
}

func errOverflow(a int64, symbol string, b int64) error {
	return event.Errorf(event.CodeInvalidValue, "BIGINT overflow in %d %s %d", a, symbol, b)
}

func divideBigints(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	out := make([]int64, c.rows)
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		if y != 0 && (y != -1 || x != math.MinInt64) {
			out[i] = x / y
			continue
		}
		if !c.valid.Valid(i) {
			continue
		}
		if y != 0 {
			return nil, errOverflow(x, "/", y)
		}
		return nil, event.Errorf(event.CodeInvalidValue, "division by zero in %d / 0", x)
	}
	return event.NewInt64s(out, c.valid), nil
}

// remainderBigints takes the dividend's sign, as Go's operator does; there MinInt64 % -1 is 0 too.
func remainderBigints(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	out := make([]int64, c.rows)
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		if y != 0 {
			out[i] = x % y
		} else if c.valid.Valid(i) {
			return nil, event.Errorf(event.CodeInvalidValue, "division by zero in %d %% 0", x)
		}
	}
	return event.NewInt64s(out, c.valid), nil
}

func negateBigints(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	out := make([]int64, c.rows)
	for i := range out {
		x := a.values[i&a.mask]
		if x == math.MinInt64 && c.valid.Valid(i) {
			return nil, event.Errorf(event.CodeInvalidValue, "BIGINT overflow in -(%d)", x)
		}
		out[i] = -x
	}
	return event.NewInt64s(out, c.valid), nil
}

func absBigints(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	out := make([]int64, c.rows)
	for i := range out {
		x := a.values[i&a.mask]
		if x == math.MinInt64 && c.valid.Valid(i) {
			return nil, event.Errorf(event.CodeInvalidValue, "BIGINT overflow in abs(%d)", x)
		}
		out[i] = max(x, -x)
	}
	return event.NewInt64s(out, c.valid), nil
}
