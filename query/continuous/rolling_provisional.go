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
		keys, err := o.ahead.touchAt(values, in.Rows, nil)
		if err != nil {
			return Delta{}, err
		}
		if err := o.ahead.waiting[0].add(in, keys); err != nil {
			return Delta{}, err
		}
	}
	partitions := o.ahead.takeTouched()
	if len(partitions) == 0 {
		return noChange(o.node.cols), nil
	}
	computed := make([]times, len(partitions))
	for i, key := range partitions {
		computed[i] = o.computedOf(key)
	}
	out, err := o.answerAhead(ctx, partitions, computed)
	if err != nil {
		return Delta{}, err
	}
	values, err := o.node.partitionsOf(&out)
	if err != nil {
		return Delta{}, err
	}
	return o.ahead.replace(partitions, computed, out, o.ahead.partitionsOf(values, out.Rows))
}

// computedOf are the times of the rows of a partition whose frames may hold a row that came or went.
func (o *rollingOp) computedOf(key uint32) times {
	changed, r := o.ahead.changedIn(key), o.node.reach
	switch {
	case changed == noTimes:
		return noTimes
	case !r.timeOnly() || o.node.ins[0].traits().provisional:
		return allTimes
	default:
		return times{saturated(changed.from, -r.after), saturated(changed.to, r.before)}
	}
}

// answerAhead computes the rows of partitions that have not been given, those of some times, over all that their frames can reach.
func (o *rollingOp) answerAhead(ctx context.Context, partitions []uint32, computed []times) (Delta, error) {
	slots, asked, err := o.rowsOf(partitions, computed)
	if err != nil {
		return Delta{}, err
	}
	own, more := o.rows.gather(slots), o.ahead.waiting[0].under(partitions)
	table, err := sum(o.node.ins[0].columns(), own, more)
	if err != nil || table.Rows == 0 {
		return noChange(o.node.cols), err
	}
	mark := event.NewBitmap(table.Rows)
	for i, yes := range asked {
		if yes {
			mark.Set(i)
		}
	}
	for i := range more.Rows {
		mark.Set(len(slots) + i)
	}
	table.Columns = append(table.Columns[:len(table.Columns):len(table.Columns)], event.NewBooleans(mark, table.Rows, nil))
	return answer(ctx, o.node.plan, tables{"0": table})
}

// rowsOf lists the rows that are kept of partitions, which the provisional ones have numbers of their own for, as far as frames of rows of some times
// reach, and tells which of them are not given and have such a time.
func (o *rollingOp) rowsOf(partitions []uint32, computed []times) (slots []uint32, asked []bool, err error) {
	values := o.ahead.index.gather(partitions)
	keys, err := o.cold.find(o, values, len(partitions))
	if err != nil {
		return nil, nil, err
	}
	var all, gone []uint32
	for i, key := range keys {
		if o.rows.empty(key) {
			gone = append(gone, key)
		}
		t, r := computed[i], o.node.reach
		if t == noTimes {
			continue
		}
		reached := t
		if t != allTimes {
			reached = times{saturated(t.from, -r.before), saturated(t.to, r.after)}
		}
		all = o.rows.list(key, all[:0])
		for _, s := range all {
			if reached.has(o.times[s]) {
				slots, asked = append(slots, s), append(asked, !o.given[s] && t.has(o.times[s]))
			}
		}
	}
	o.index.remove(gone)
	return slots, asked, nil
}
