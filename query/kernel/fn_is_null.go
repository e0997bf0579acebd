package kernel

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerIsNull(r registry) {
	for _, t := range plan.ValueTypes {
		r.lax("is_null("+t.String()+")", isNullFunc(true))
		r.lax("is_not_null("+t.String()+")", isNullFunc(false))
	}
}

func isNullFunc(want bool) Func {
	return func(_ *Context, args []Operand, rows int) (Operand, error) {
		o := args[0]
		if o.Const {
			rows = 1
		}
		out := orAll(o.validity(rows), rows)
		if want {
			invert(out)
		}
		return Operand{Array: event.NewBooleans(out, rows, nil), Const: o.Const}, nil
	}
}
