package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Delta is a change: rows by column, each with the number of times that it comes (above 0) or goes (below 0). It never changes once
// it has left its maker.
type Delta struct {
	Columns []arrow.Array
	// Weights has an element for each row, none of them 0; nil means that all rows come once.
	Weights []int64
	Rows    int
	// events tells of rows with a window each which were made of one event: they follow each other and have one number. nil where each row is
	// of another.
	events []int32
}

// noChange is a Delta of no rows.
func noChange(columns []plan.Column) Delta {
	out := Delta{Columns: make([]arrow.Array, len(columns))}
	for i, c := range columns {
		out.Columns[i] = event.NewNulls(c.Type, 0)
	}
	return out
}

// weight is how often row i comes.
func (d *Delta) weight(i int) int64 {
	if d.Weights == nil {
		return 1
	}
	return d.Weights[i]
}

// take is the change restricted to some rows, in the order given.
func (d *Delta) take(rows []int32) Delta {
	out := Delta{Columns: make([]arrow.Array, len(d.Columns)), Rows: len(rows), Weights: d.weightsOf(rows)}
	for i, c := range d.Columns {
		out.Columns[i] = kernel.Take(c, rows)
	}
	if d.events != nil {
		out.events = make([]int32, len(rows))
		for i, row := range rows {
			out.events[i] = d.events[row]
		}
	}
	return out
}

// eventsBut is how many events have rows that are not among some, which ascend.
func (d *Delta) eventsBut(rows []int32) (count int64) {
	if d.events == nil {
		return int64(d.Rows - len(rows))
	}
	last := int32(-1)
	for i, event := range d.events {
		if len(rows) > 0 && rows[0] == int32(i) {
			rows = rows[1:]
		} else if event != last {
			last = event
			count++
		}
	}
	return count
}

func (d *Delta) weightsOf(rows []int32) []int64 {
	if d.Weights == nil {
		return nil
	}
	out := make([]int64, len(rows))
	for i, row := range rows {
		out[i] = d.Weights[row]
	}
	return out
}

// filtered is the change restricted to rows, ascending; itself where these are all.
func (d *Delta) filtered(rows []int32) Delta {
	if len(rows) == d.Rows {
		return *d
	}
	return d.take(rows)
}

// expanded is a change of rows that only come, each written out as often as it does.
func (d *Delta) expanded() Delta {
	if d.Weights == nil {
		return *d
	}
	rows := make([]int32, 0, d.Rows)
	for i, w := range d.Weights {
		for ; w > 0; w-- {
			rows = append(rows, int32(i))
		}
	}
	out := d.take(rows)
	out.Weights = nil
	return out
}

// negated is the change undone.
func (d *Delta) negated() Delta {
	out := *d
	out.Weights = make([]int64, d.Rows)
	for i := range out.Weights {
		out.Weights[i] = -d.weight(i)
	}
	return out
}

// sum lays changes of the same columns end to end.
func sum(columns []plan.Column, parts ...Delta) (Delta, error) {
	var some []Delta
	weighted := false
	rows := 0
	for _, p := range parts {
		if p.Rows > 0 {
			some = append(some, p)
			weighted = weighted || p.Weights != nil
			rows += p.Rows
		}
	}
	switch len(some) {
	case 0:
		return noChange(columns), nil
	case 1:
		return some[0], nil
	}
	out := Delta{Columns: make([]arrow.Array, len(columns)), Rows: rows}
	for i := range columns {
		arrays := make([]arrow.Array, len(some))
		for j, p := range some {
			arrays[j] = p.Columns[i]
		}
		var err error
		if out.Columns[i], err = kernel.Concat(arrays); err != nil {
			return Delta{}, err
		}
	}
	if weighted {
		out.Weights = make([]int64, 0, rows)
		for _, p := range some {
			for i := range p.Rows {
				out.Weights = append(out.Weights, p.weight(i))
			}
		}
	}
	return out, nil
}

// evalAll computes programs over the rows of a change, constants written out.
func evalAll(ctx *kernel.Context, programs []*kernel.Program, d *Delta) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(programs))
	for i, p := range programs {
		value, err := p.Eval(ctx, d.Columns, d.Rows)
		if err != nil {
			return nil, err
		}
		out[i] = value.Expand(d.Rows)
	}
	return out, nil
}

// compileExprs compiles expressions over the same columns.
func compileExprs(exprs []plan.Expr) ([]*kernel.Program, error) {
	out := make([]*kernel.Program, len(exprs))
	for i, e := range exprs {
		var err error
		if out[i], err = kernel.Compile(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}
