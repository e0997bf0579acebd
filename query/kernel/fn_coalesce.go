package kernel

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerCoalesce(r registry) {
	for _, t := range plan.ValueTypes {
		r.lax("coalesce("+t.String()+"...)", coalesce(t))
	}
}

// coalesce takes the first argument that is not NULL.
func coalesce(t event.Type) Func {
	return func(_ *Context, args []Operand, rows int) (Operand, error) {
		return pick(t, args, rows, func(rows int) []int {
			valid := make([]event.Bitmap, len(args))
			for k, a := range args {
				valid[k] = a.validity(rows)
			}
			choice := make([]int, rows)
			for i := range choice {
				for k := range args {
					if valid[k].Valid(i) {
						choice[i] = k
						break
					}
				}
			}
			return choice
		})
	}
}

// pick takes each row from the argument chosen for it. Where no argument has a value any choice will do.
func pick(t event.Type, args []Operand, rows int, choose func(rows int) []int) (Operand, error) {
	constant := true
	for _, a := range args {
		constant = constant && a.Const
	}
	if constant {
		return args[choose(1)[0]], nil
	}
	out := newMerge(rows)
	starts := make([]int32, len(args))
	for k, a := range args {
		starts[k] = out.next
		out.append(a)
	}
	for i, k := range choose(rows) {
		out.index[i] = starts[k] + int32(i&args[k].mask())
	}
	return out.finish(t)
}
