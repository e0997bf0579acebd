package kernel

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerDistinct(r registry) {
	for _, t := range plan.ValueTypes {
		r.lax(fmt.Sprintf("is distinct from(%s, %s)", t, t), distinctFrom(t, true))
		r.lax(fmt.Sprintf("is not distinct from(%s, %s)", t, t), distinctFrom(t, false))
	}
}

// distinctFrom compares with NULL as a value equal to itself. The result is never NULL.
func distinctFrom(t event.Type, distinct bool) Func {
	return func(_ *Context, args []Operand, rows int) (Operand, error) {
		constant := args[0].Const && args[1].Const
		if constant {
			rows = 1
		}
		out := sameBits(t, args[0], args[1], rows)
		if distinct {
			invert(out)
		}
		return Operand{Array: event.NewBooleans(out, rows, nil), Const: constant}, nil
	}
}

// sameBits marks the rows in which both are NULL, or neither is and the values are equal.
func sameBits(t event.Type, a, b Operand, rows int) event.Bitmap {
	aValid, bValid := orAll(a.validity(rows), rows), orAll(b.validity(rows), rows)
	neither := event.NewBitmap(rows)
	for i := range neither {
		neither[i] = aValid[i] & bValid[i]
	}
	out := comparison{}.bitsOf(t)(a, b, rows, neither)
	for i := range out {
		out[i] = out[i]&neither[i] | ^(aValid[i] | bValid[i])
	}
	return out
}
