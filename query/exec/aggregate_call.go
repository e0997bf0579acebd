package exec

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// aggregateCall is one compiled aggregation.
type aggregateCall struct {
	node plan.Aggregation
	// args are the arguments, followed by the keys of the call's order.
	args   []*kernel.Program
	filter *kernel.Program // nil without FILTER
	// reads names the columns that args read: those that have to be gathered for the rows that the filter keeps.
	reads []bool
}

func compileCall(a plan.Aggregation, width int) (aggregateCall, error) {
	call := aggregateCall{node: a, reads: make([]bool, width)}
	if a.Fn == plan.GroupingFunction {
		return call, nil
	}
	if _, ok := kernel.NewAccumulator(a.Fn); !ok {
		return call, fmt.Errorf("aggregate %s has no implementation", a.Fn.Signature())
	}
	args := call.exprs()
	plan.MarkColumns(call.reads, args...)
	var err error
	if call.args, err = compileAll(args); err != nil || a.Filter == nil {
		return call, err
	}
	call.filter, err = kernel.Compile(a.Filter)
	return call, err
}

// exprs are the arguments, followed by the keys.
func (c *aggregateCall) exprs() []plan.Expr {
	args := append([]plan.Expr(nil), c.node.Args...)
	for _, k := range c.node.Order {
		args = append(args, k.Expr)
	}
	return args
}

// collects reports whether the call keeps the batches that it gets.
func (c *aggregateCall) collects() bool {
	return len(c.node.Order) > 0 && !c.node.Distinct && c.node.Fn.Name != "first" && c.node.Fn.Name != "last"
}

// newAccumulator makes what computes the call: the function's accumulator, behind one that brings its rows into order and one
// that leaves out repeated ones.
func (c *aggregateCall) newAccumulator(ctx *kernel.Context) kernel.Accumulator {
	inner, _ := kernel.NewAccumulator(c.node.Fn)
	switch name := c.node.Fn.Name; {
	case len(c.node.Order) == 0:
	case name == "first" || name == "last":
		inner = newPickAccumulator(c.node.Fn, c.node.Order, typesOf(c.exprs()))
	default:
		inner = newOrderedAccumulator(ctx, inner, c.node.Order, typesOf(c.exprs()))
	}
	if !c.node.Distinct {
		return inner
	}
	return newDistinctAccumulator(ctx, inner, typesOf(c.exprs()))
}
