package kernel

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerIntegers(r registry) {
	r.strict("&(BIGINT, BIGINT)", pairOfIntegers(func(a, b int64) int64 { return a & b }))
	r.strict("|(BIGINT, BIGINT)", pairOfIntegers(func(a, b int64) int64 { return a | b }))
	r.strict("#(BIGINT, BIGINT)", pairOfIntegers(func(a, b int64) int64 { return a ^ b }))
	r.strict("<<(BIGINT, BIGINT)", pairOfIntegers(func(a, b int64) int64 { return a << (uint64(b) % 64) }))
	r.strict(">>(BIGINT, BIGINT)", pairOfIntegers(func(a, b int64) int64 { return a >> (uint64(b) % 64) }))
	r.strict("~(BIGINT)", oneInteger(func(a int64) int64 { return ^a }))
	r.strict("sign(BIGINT)", oneInteger(func(a int64) int64 {
		switch {
		case a > 0:
			return 1
		case a < 0:
			return -1
		default:
			return 0
		}
	}))
	r.strict("bit_count(BIGINT)", oneInteger(func(a int64) int64 { return int64(bits.OnesCount64(uint64(a))) }))
	r.strict("gcd(BIGINT, BIGINT)", greatestDivisor)
	r.strict("lcm(BIGINT, BIGINT)", leastMultiple)
	r.strict("factorial(BIGINT)", factorial)
}

// oneInteger makes a kernel of a function that fails for no value.
func oneInteger(f func(a int64) int64) kernel {
	return func(c *call) (arrow.Array, error) {
		a := fixed[int64](c.args[0])
		out := make([]int64, c.rows)
		for i := range out {
			out[i] = f(a.values[i&a.mask])
		}
		return event.NewInt64s(out, c.valid), nil
	}
}

// pairOfIntegers is oneInteger for two arguments.
func pairOfIntegers(f func(a, b int64) int64) kernel {
	return func(c *call) (arrow.Array, error) {
		a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
		out := make([]int64, c.rows)
		for i := range out {
			out[i] = f(a.values[i&a.mask], b.values[i&b.mask])
		}
		return event.NewInt64s(out, c.valid), nil
	}
}

// divisorOf is the greatest common divisor of two magnitudes.
func divisorOf(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func greatestDivisor(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		d := divisorOf(magnitude(a.at(i)), magnitude(b.at(i)))
		if d > math.MaxInt64 {
			return 0, event.Errorf(event.CodeInvalidValue, "BIGINT overflow in gcd(%d, %d)", a.at(i), b.at(i))
		}
		return int64(d), nil
	})
}

func leastMultiple(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		x, y := magnitude(a.at(i)), magnitude(b.at(i))
		if x == 0 || y == 0 {
			return 0, nil
		}
		x /= divisorOf(x, y)
		if x > math.MaxInt64/y {
			return 0, event.Errorf(event.CodeInvalidValue, "BIGINT overflow in lcm(%d, %d)", a.at(i), b.at(i))
		}
		return int64(x * y), nil
	})
}

func factorial(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		n := a.at(i)
		const most = 20 // 21! exceeds 64 bits
		if n < 0 || n > most {
			return 0, event.Errorf(event.CodeInvalidValue, "factorial(%d): the argument is from 0 to %d", n, most)
		}
		out := int64(1)
		for k := int64(2); k <= n; k++ {
			out *= k
		}
		return out, nil
	})
}
