package continuous

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// assignNode gives each row once for each time window that it falls into.
type assignNode struct {
	base
	plan    *plan.Assign
	time    *kernel.Program
	windows *kernel.TimeWindows
}

func (c *compiler) compileAssign(n *plan.Assign) (node, error) {
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	out := &assignNode{base: base{cols: n.Columns(), ins: []node{input}, tr: *input.traits()}, plan: n}
	if out.windows, err = timeWindows(n); err != nil {
		return nil, err
	}
	start := len(input.columns())
	if size, ok := widest(n.Size); ok {
		out.tr.windows = append(slices.Clip(out.tr.windows), windowBounds{start, start + 1, size})
	}
	if lag, ok := boundOf(n.Time, input.traits().bounds); ok { // a window ends after the times of its rows
		out.tr = out.tr.bounded(start+1, lag-1)
	}
	out.time, err = kernel.Compile(n.Time)
	return out, err
}

func timeWindows(n *plan.Assign) (*kernel.TimeWindows, error) {
	step := n.Size
	if n.Step != nil {
		step = n.Step
	}
	return kernel.NewTimeWindows(intervalOf(step), intervalOf(n.Size), n.Kind == plan.Cumulate)
}

func intervalOf(l *plan.Literal) arrow.MonthDayNanoInterval {
	return l.Value.(*array.MonthDayNanoInterval).Value(0)
}

func (n *assignNode) describe() string {
	return strings.Replace(firstLine(n.plan), "Assign", "assign", 1)
}

func (n *assignNode) start(_ *Machine, inputs []operator) operator {
	return &transformOp{of: n, input: inputs[0], transform: n.assign}
}

func (n *assignNode) assign(_ context.Context, in Delta) (Delta, error) {
	value, err := n.time.Eval(steady, in.Columns, in.Rows)
	if err != nil {
		return Delta{}, err
	}
	found := &kernel.Assigned{}
	times := value.Expand(in.Rows)
	micros := arrow.GetValues[int64](times.Data(), 1)
	for i := range in.Rows {
		if times.IsNull(i) {
			continue
		}
		if err := n.windows.Append(found, int32(i), micros[i]); err != nil {
			return Delta{}, err
		}
	}
	out := in.take(found.Rows)
	if n.plan.Step != nil { // windows overlap
		out.events = found.Rows
	}
	out.Columns = append(out.Columns, event.NewTimestamps(found.Starts, nil), event.NewTimestamps(found.Ends, nil))
	return out, nil
}
