package continuous

import (
	"context"

	"github.com/tidemarkdb/tidemark/event"
)

// provisional implements provisionalOperator.
func (o *rollingOp) provisional(ctx context.Context) (Delta, error) {
	in, err := provisionalOf(ctx, o.node.ins[0], o.input)
	if err != nil {
		return Delta{}, err
	}
	if in.Rows > 0 {
		if in, _, err = o.node.timed(in); err != nil {
			return Delta{}, err
		}
		values, err := o.node.partitionsOf(&in)
		if err != nil {
			return Delta{}, err
		}
		if err := o.ahead.waiting[0].add(in, o.ahead.touch(values, in.Rows)); err != nil {
			return Delta{}, err
		}
	}
	partitions := o.ahead.take()
	if len(partitions) == 0 {
		return noChange(o.node.cols), nil
	}
	out, err := o.answerAhead(ctx, partitions)
	if err != nil {
		return Delta{}, err
	}
	values, err := o.node.partitionsOf(&out)
	if err != nil {
		return Delta{}, err
	}
	return o.ahead.replace(partitions, out, o.ahead.partitionsOf(values, out.Rows))
}

// answerAhead computes the rows of partitions that have not been given, over all that their frames can reach.
func (o *rollingOp) answerAhead(ctx context.Context, partitions []uint32) (Delta, error) {
	slots, err := o.rowsOf(partitions)
	if err != nil {
		return Delta{}, err
	}
	own, more := o.rows.gather(slots), o.ahead.waiting[0].under(partitions)
	table, err := sum(o.node.ins[0].columns(), own, more)
	if err != nil || table.Rows == 0 {
		return noChange(o.node.cols), err
	}
	mark := event.NewBitmap(table.Rows)
	for i, s := range slots {
		if !o.given[s] {
			mark.Set(i)
		}
	}
	for i := range more.Rows {
		mark.Set(len(slots) + i)
	}
	table.Columns = append(table.Columns[:len(table.Columns):len(table.Columns)], event.NewBooleans(mark, table.Rows, nil))
	return answer(ctx, o.node.plan, tables{"0": table})
}

// rowsOf lists the rows that are kept of partitions, which the provisional ones have numbers of their own for.
func (o *rollingOp) rowsOf(partitions []uint32) ([]uint32, error) {
	values := o.ahead.index.gather(partitions)
	keys, err := o.find(values, len(partitions))
	if err != nil {
		return nil, err
	}
	var slots, gone []uint32
	for _, key := range keys {
		if o.rows.empty(key) {
			gone = append(gone, key)
		}
		slots = o.rows.list(key, slots)
	}
	o.index.remove(gone)
	return slots, nil
}
