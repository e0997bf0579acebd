package continuous

import (
	"context"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// waits takes rows over that wait for the watermark from now on, or no more.
func (o *slideOp) waits(in Delta) error {
	if o.ahead == nil || in.Rows == 0 {
		return nil
	}
	values, err := o.node.partitionsOf(&in)
	if err != nil {
		return err
	}
	return o.ahead.waiting[0].add(in, o.ahead.touch(values, in.Rows))
}

// provisional implements provisionalOperator.
func (o *slideOp) provisional(ctx context.Context) (Delta, error) {
	in, err := provisionalOf(ctx, o.node.ins[0], o.input)
	if err != nil {
		return Delta{}, err
	}
	if in.Rows > 0 {
		if in, _, err = o.node.timed(in); err != nil {
			return Delta{}, err
		}
		if err := o.waits(in); err != nil {
			return Delta{}, err
		}
	}
	partitions := o.ahead.take()
	if len(partitions) == 0 {
		return noChange(o.node.cols), nil
	}
	rows := o.ahead.waiting[0].under(partitions)
	if rows.Rows == 0 {
		return o.ahead.replace(partitions, noChange(o.node.cols), nil)
	}
	values, err := o.node.partitionsOf(&rows)
	if err != nil {
		return Delta{}, err
	}
	_, times, err := o.node.timed(rows)
	if err != nil {
		return Delta{}, err
	}
	m, fresh, err := o.begin(&rows, times, values)
	if err != nil {
		return Delta{}, err
	}
	m.onTrial = true
	o.batches.each(m.partition)
	out, err := o.compute(&rows, m)
	if err != nil {
		return Delta{}, err
	}
	o.keys.remove(fresh)
	return o.ahead.replace(partitions, out, o.ahead.partitionsOf(values, rows.Rows))
}

// fork makes the rollers that moves on trial go by.
func (m *frameMoves) fork(rollers []kernel.Roller) {
	m.rollers = make([]kernel.Roller, len(rollers))
	for i, r := range rollers {
		if r != nil {
			m.rollers[i] = r.Fork(m.trial)
		}
	}
}
