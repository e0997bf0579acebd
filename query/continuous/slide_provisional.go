package continuous

import (
	"context"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// showAhead has rows shown that wait for the watermark.
func (o *slideOp) showAhead(rows *Delta, times []int64) error {
	if o.ahead == nil {
		return nil
	}
	values, err := o.node.partitionsOf(rows)
	if err != nil {
		return err
	}
	o.ahead.wait(rows, times, o.ahead.touch(values, rows.Rows))
	return nil
}

// takeProvisional takes over what the input changes in its provisional rows.
func (o *slideOp) takeProvisional(ctx context.Context) error {
	in, err := provisionalOf(ctx, o.node.ins[0], o.input)
	if err != nil || in.Rows == 0 {
		return err
	}
	if in, _, err = o.node.timed(in); err != nil {
		return err
	}
	values, err := o.node.partitionsOf(&in)
	if err != nil {
		return err
	}
	return o.ahead.waiting[0].add(in, o.ahead.touch(values, in.Rows))
}

// provisional implements provisionalOperator.
func (o *slideOp) provisional(ctx context.Context) (Delta, error) {
	if err := o.takeProvisional(ctx); err != nil {
		return Delta{}, err
	}
	partitions := o.ahead.take()
	if len(partitions) == 0 {
		return noChange(o.node.cols), nil
	}
	rows, err := sum(o.node.ins[0].columns(), o.ahead.own.under(partitions), o.ahead.waiting[0].under(partitions))
	if err != nil {
		return Delta{}, err
	}
	if rows.Rows == 0 {
		return o.ahead.replace(partitions, noChange(o.node.cols), nil)
	}
	return o.tryOut(partitions, rows)
}

// tryOut computes rows of partitions that are not final, by moves on trial, and gives what that changes.
func (o *slideOp) tryOut(partitions []uint32, rows Delta) (Delta, error) {
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

// loadAhead reads the provisional rows.
func (o *slideOp) loadAhead(r *stateReader) error {
	if err := o.ahead.load(r, o.node.ins); err != nil {
		return err
	}
	slots := o.ahead.own.all()
	rows := o.ahead.own.gather(slots)
	timed, times, err := o.node.timed(rows)
	if err != nil {
		return err
	}
	if timed.Rows != len(slots) {
		return errState("a row without a time waits for it")
	}
	for i, slot := range slots {
		o.ahead.due.add(times[i], slot)
	}
	return nil
}
