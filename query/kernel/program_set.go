package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// manyMembers is how many values of a list make a set worth while: below, comparing with each is as fast.
const manyMembers = 16

// setStep is `x = a OR x = b OR ...` of many constants, which is what x IN (a, b, ...) means: each row is looked up once.
type setStep struct {
	input  step
	typ    event.Type
	values valueNumbers // the members
	null   bool         // one of the constants is NULL
}

// compileSet recognizes a tree of OR over equalities of one expression with constants; ok is false for anything else. Numbering the
// values here keeps Eval free of shared state.
func compileSet(e *plan.Call, columns []int) (s step, all []int, ok bool, err error) {
	if e.Fn.Name != "or" {
		return nil, columns, false, nil
	}
	var input plan.Expr
	var members []arrow.Array
	if input, members, ok = setMembers(e, input, nil); !ok || len(members) < manyMembers {
		return nil, columns, false, nil
	}
	out := &setStep{typ: input.Type()}
	if out.input, columns, err = compile(input, columns); err != nil {
		return nil, nil, false, err
	}
	valid := members[:0]
	for _, m := range members {
		if isNull(m) {
			out.null = true
		} else {
			valid = append(valid, Decode(m))
		}
	}
	if len(valid) > 0 {
		whole, err := Concat(valid)
		if err != nil {
			return nil, nil, false, err
		}
		if _, err := out.values.numbers(whole, out.typ); err != nil {
			return nil, nil, false, err
		}
	}
	return out, columns, true, nil
}

// setMembers collects the constants that a tree compares input with, which is nil until the first comparison is met.
func setMembers(e plan.Expr, input plan.Expr, members []arrow.Array) (plan.Expr, []arrow.Array, bool) {
	call, isCall := e.(*plan.Call)
	if !isCall || len(call.Args) != 2 {
		return nil, nil, false
	}
	if call.Fn.Name == "or" {
		var ok bool
		for _, a := range call.Args {
			if input, members, ok = setMembers(a, input, members); !ok {
				return nil, nil, false
			}
		}
		return input, members, true
	}
	literal, isLiteral := call.Args[1].(*plan.Literal)
	// Values of JSONB and NUMERIC of other scales are equal in more ways than their keys are.
	if call.Fn.Name != "=" || !isLiteral || !call.Args[0].Type().Equal(literal.Typ) || literal.Typ.Kind == event.JSONB {
		return nil, nil, false
	}
	if input != nil && !plan.Same(input, call.Args[0]) {
		return nil, nil, false
	}
	return call.Args[0], append(members, literal.Value), true
}

func (s *setStep) eval(ctx *Context, columns []arrow.Array, rows int) (Operand, error) {
	input, err := s.input.eval(ctx, columns, rows)
	if err != nil {
		return Operand{}, err
	}
	n := rows
	if input.Const {
		n = 1
	}
	keys, err := keysOfValues(input.Array, s.typ)
	if err != nil {
		return Operand{}, err
	}
	found, valid := event.NewBitmap(n), orAll(validityOf(input.Array), n)
	for i := range n {
		switch {
		case !valid.Valid(i):
		case s.values.has(&keys, i):
			found.Set(i)
		case s.null:
			valid.Clear(i)
		}
	}
	return Operand{Array: event.NewBooleans(found, n, valid), Const: input.Const}, nil
}
