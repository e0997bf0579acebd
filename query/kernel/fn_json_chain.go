package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// jsonStep is a step into documents: to a member, or to an element.
type jsonStep struct {
	name    jsonscan.Name
	element bool
	index   int64
}

func (s *jsonStep) of(document string) (value string, ok bool) {
	if s.element {
		return jsonscan.Element(document, s.index)
	}
	return s.name.In(document)
}

// jsonChain takes calls apart that follow constant steps one after the other, as doc -> 'commits' -> 0 ->> 'sha', so that what lies on the way is
// not copied. ok is false for other calls.
func jsonChain(e *plan.Call) (input plan.Expr, steps []jsonStep, ok bool) {
	input = e
	for {
		call, isCall := input.(*plan.Call)
		if !isCall || call.Fn.Name != "->" && (call != e || call.Fn.Name != "->>") {
			break
		}
		step, isConstant := constantStep(call)
		if !isConstant {
			break
		}
		input, steps = call.Args[0], append(steps, step)
	}
	slices.Reverse(steps)
	return input, steps, len(steps) > 0
}

func constantStep(call *plan.Call) (jsonStep, bool) {
	if len(call.Args) != 2 || call.Fn.Args[0].Kind != event.JSONB {
		return jsonStep{}, false
	}
	literal, ok := call.Args[1].(*plan.Literal)
	if !ok || isNull(literal.Value) {
		return jsonStep{}, false
	}
	switch value := literal.Value.(type) {
	case *array.String:
		return jsonStep{name: jsonscan.NameOf(value.Value(0))}, true
	case *array.Int64:
		return jsonStep{element: true, index: value.Value(0)}, true
	default:
		return jsonStep{}, false
	}
}

// followChain is the function of one argument that a chain of steps is; asText for one that ends in ->>.
func followChain(steps []jsonStep, asText bool) kernel {
	form := jsonForm(appendJSON)
	if asText {
		form = appendJSONAsText
	}
	return func(c *call) (arrow.Array, error) {
		documents := textsOf(c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			value, ok := documents.at(i), true
			for k := range steps {
				if value, ok = steps[k].of(value); !ok {
					break
				}
			}
			if ok {
				dst, ok = form(dst, value)
			}
			if !ok {
				c.setNull(i)
			}
			return dst, nil
		})
	}
}
