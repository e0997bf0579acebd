package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// lazyStep is AND, OR or coalesce. All arguments are computed for all rows, which is the fast way; only if one of them fails
// is it computed once more for just the rows that the arguments before it leave open. So `x = 0 OR 10 / x > 1` cannot fail.
type lazyStep struct {
	fn     Func
	name   string
	args   []*Program
	result event.Type
}

func (s *lazyStep) eval(ctx *Context, columns []arrow.Array, rows int) (Operand, error) {
	if err := ctx.Err(); err != nil {
		return Operand{}, err
	}
	args := make([]Operand, len(s.args))
	for i, p := range s.args {
		out, err := p.Eval(ctx, columns, rows)
		if err != nil {
			if i == 0 {
				return Operand{}, err
			}
			if out, err = s.evalOpen(ctx, columns, rows, args[:i], p); err != nil {
				return Operand{}, err
			}
		}
		args[i] = out
	}
	return s.fn(ctx, args, rows)
}

// evalOpen computes an argument for the rows that the earlier ones leave open. It is NULL for the others.
func (s *lazyStep) evalOpen(ctx *Context, columns []arrow.Array, rows int, earlier []Operand, p *Program) (Operand, error) {
	var open, decided []int32
	settled := s.settled(earlier, rows)
	for i := range int32(rows) {
		if settled.Valid(int(i)) {
			decided = append(decided, i)
		} else {
			open = append(open, i)
		}
	}
	out := newMerge(rows)
	if len(decided) > 0 {
		out.add(null(s.result), decided)
	}
	if len(open) > 0 {
		value, err := p.evalOn(ctx, columns, rows, open)
		if err != nil {
			return Operand{}, err
		}
		out.add(value, open)
	}
	return out.finish(s.result)
}

// settled marks the rows whose result no further argument can change.
func (s *lazyStep) settled(earlier []Operand, rows int) event.Bitmap {
	out := event.NewBitmap(rows)
	for _, o := range earlier {
		valid := orAll(o.validity(rows), rows)
		if s.name != "coalesce" {
			values := booleans(o, rows)
			for i := range valid {
				if s.name == "and" {
					values[i] = ^values[i]
				}
				valid[i] &= values[i]
			}
		}
		for i := range out {
			out[i] |= valid[i]
		}
	}
	return out
}
