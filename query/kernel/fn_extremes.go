package kernel

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerExtremes(r registry) {
	for _, t := range plan.ValueTypes {
		if t.Kind != event.JSONB {
			r.lax("greatest("+t.String()+"...)", furthest(t, 1))
			r.lax("least("+t.String()+"...)", furthest(t, -1))
		}
	}
}

// furthest takes the argument furthest in one direction, leaving NULLs aside.
func furthest(t event.Type, direction int) Func {
	return func(_ *Context, args []Operand, rows int) (Operand, error) {
		return pick(t, args, rows, func(rows int) []int {
			best := make([]int, rows)
			compare := make([][]func(i, j int) int, len(args))
			valid := make([]event.Bitmap, len(args))
			for k := range args {
				valid[k] = args[k].validity(rows)
				for l := range k {
					compare[k] = append(compare[k], ordering(args[k], args[l], t))
				}
			}
			for k := 1; k < len(args); k++ {
				for i, b := range best {
					if !valid[k].Valid(i) {
						continue
					}
					if !valid[b].Valid(i) || compare[k][b](i, i)*direction > 0 {
						best[i] = k
					}
				}
			}
			return best
		})
	}
}
