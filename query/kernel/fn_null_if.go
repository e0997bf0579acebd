package kernel

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerNullIf(r registry) {
	for _, t := range plan.ValueTypes {
		r.lax(fmt.Sprintf("nullif(%s, %s)", t, t), nullIf(t))
	}
}

// nullIf gives its first argument, or NULL where the second is equal to it.
func nullIf(t event.Type) Func {
	return func(_ *Context, args []Operand, rows int) (Operand, error) {
		constant := args[0].Const && args[1].Const
		if constant {
			rows = 1
		}
		// Where both are NULL the result is NULL either way.
		keep := sameBits(t, args[0], args[1], rows)
		invert(keep)
		index := make([]int32, rows)
		if !args[0].Const {
			index = sequence(rows)
		}
		return Operand{Array: gather(args[0].Array, index, keep), Const: constant}, nil
	}
}
