package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Call is one aggregation compiled for whoever keeps accumulators longer than a query runs. It never changes.
type Call struct {
	call aggregateCall
	// retracts says that accumulators are kernel.Retractable, and distinct that they see to DISTINCT themselves.
	retracts, distinct bool
}

// CompileCall compiles an aggregation over an input of width columns. It must not be one of plan.GroupingFunction.
func CompileCall(a plan.Aggregation, width int) (*Call, error) {
	call, err := compileCall(a, width)
	return &Call{call: call}, err
}

// CompileRetractable compiles an aggregation whose rows can go again; ok is false where there is no accumulator for that.
func CompileRetractable(a plan.Aggregation, width int) (call *Call, ok bool, err error) {
	extreme := a.Fn.Name == "min" || a.Fn.Name == "max" // for which DISTINCT changes nothing
	if a.Fn == plan.GroupingFunction || len(a.Order) > 0 {
		return nil, false, nil
	}
	call = &Call{retracts: true, distinct: a.Distinct && !extreme}
	call.call.node = a
	if _, ok = call.retractable(); !ok {
		return nil, false, nil
	}
	if call.call, err = compileCall(a, width); err != nil {
		return nil, false, err
	}
	return call, true, nil
}

// NewAccumulator makes an empty accumulator of the call, with its DISTINCT and ORDER BY.
func (c *Call) NewAccumulator() kernel.Accumulator {
	if c.retracts {
		a, _ := c.retractable()
		return a
	}
	return c.call.newAccumulator(&kernel.Context{})
}

func (c *Call) retractable() (kernel.Retractable, bool) {
	switch node := &c.call.node; {
	case !c.distinct:
		return kernel.NewRetractable(node.Fn)
	case len(node.Args) == 1:
		return kernel.NewRetractableDistinct(node.Fn, node.Args[0].Type())
	default:
		return nil, false
	}
}

// Collects reports whether accumulators of the call grow with the number of rows.
func (c *Call) Collects() bool {
	switch c.call.node.Fn.Name {
	case "median", "percentile_cont", "percentile_disc", "mode", "string_agg", "json_agg", "json_object_agg":
		return true
	case "min", "max":
		return c.retracts || c.call.node.Distinct
	default:
		return c.call.node.Distinct || c.call.collects()
	}
}

// Settles reports whether Result of an accumulator of the call leaves it unfit for more rows: it then has to be asked of a copy, which
// State and Restore make.
func (c *Call) Settles() bool {
	return !c.retracts && (c.call.node.Distinct || len(c.call.node.Order) > 0)
}

// Update adds the rows of a batch to an accumulator of the call, those that its FILTER keeps.
func (c *Call) Update(
	ctx *kernel.Context, into kernel.Accumulator, columns []arrow.Array, rows int, groups kernel.Groups,
) error {
	args, rows, groups, err := c.arguments(ctx, columns, rows, groups)
	if err != nil {
		return err
	}
	return into.Update(groups, args, rows)
}

// Retract takes the rows of a batch out of an accumulator of a call that CompileRetractable made.
func (c *Call) Retract(
	ctx *kernel.Context, from kernel.Accumulator, columns []arrow.Array, rows int, groups kernel.Groups,
) error {
	args, rows, groups, err := c.arguments(ctx, columns, rows, groups)
	if err != nil {
		return err
	}
	return from.(kernel.Retractable).Retract(groups, args, rows)
}

// arguments computes the arguments for the rows of a batch that FILTER keeps, and says which rows these are.
func (c *Call) arguments(
	ctx *kernel.Context, columns []arrow.Array, rows int, groups kernel.Groups,
) ([]kernel.Operand, int, kernel.Groups, error) {
	batch := &Batch{Columns: columns, Rows: rows}
	if c.call.filter != nil {
		condition, err := c.call.filter.Eval(ctx, columns, rows)
		if err != nil {
			return nil, 0, groups, err
		}
		if kept := kernel.True(condition, rows, nil); len(kept) < rows {
			batch = batch.take(kept, c.call.reads)
			groups.IDs = idsOf(groups.IDs, kept)
		}
	}
	args := make([]kernel.Operand, len(c.call.args))
	for i, program := range c.call.args {
		var err error
		if args[i], err = program.Eval(ctx, batch.Columns, batch.Rows); err != nil {
			return nil, 0, groups, err
		}
	}
	return args, batch.Rows, groups, nil
}

// idsOf are the groups of some rows; nil where all rows are of group 0.
func idsOf(ids []uint32, rows []int32) []uint32 {
	if ids == nil {
		return nil
	}
	out := make([]uint32, len(rows))
	for i, row := range rows {
		out[i] = ids[row]
	}
	return out
}
