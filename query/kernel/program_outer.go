package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// outerStep gives a value of the row that the plan is computed for.
type outerStep struct {
	index int
	name  string
}

func (s *outerStep) eval(ctx *Context, _ []arrow.Array, _ int) (Operand, error) {
	if s.index < 0 || s.index >= len(ctx.Outer) {
		return Operand{}, event.Errorf(event.CodeInternal, "there is no outer row to take %s from", s.name)
	}
	return Operand{Array: ctx.Outer[s.index], Const: true}, nil
}
