package continuous

import (
	"context"
	"slices"
	"strconv"
)

// provisional implements provisionalOperator.
func (o *asofOp) provisional(ctx context.Context) (Delta, error) {
	for side, in := range o.inputs {
		d, err := provisionalOf(ctx, o.node.ins[side], in)
		if err != nil {
			return Delta{}, err
		}
		if d.Rows == 0 {
			continue
		}
		values, err := o.node.keysOf(side, &d)
		if err != nil {
			return Delta{}, err
		}
		touched, err := o.ahead.touch(values, d.Rows)
		if err != nil {
			return Delta{}, err
		}
		if err := o.ahead.waiting[side].add(d, touched); err != nil {
			return Delta{}, err
		}
	}
	keys := o.ahead.takeTouched()
	if len(keys) == 0 {
		return noChange(o.node.cols), nil
	}
	out, err := o.answerAhead(ctx, keys)
	if err != nil {
		return Delta{}, err
	}
	values, err := o.node.keysOf(leftSide, &out)
	if err != nil {
		return Delta{}, err
	}
	return o.ahead.replace(keys, slices.Repeat([]times{allTimes}, len(keys)), out, o.ahead.partitionsOf(values, out.Rows))
}

// answerAhead joins the rows of the left side that the watermark has not passed with what there is of the right one. The provisional ones have
// numbers of their own for keys.
func (o *asofOp) answerAhead(ctx context.Context, keys []uint32) (Delta, error) {
	own, err := o.cold.find(o, o.ahead.index.gather(keys), len(keys))
	if err != nil {
		return Delta{}, err
	}
	over := tables{}
	for side := range o.sides {
		table, err := sum(o.node.ins[side].columns(), o.sides[side].rows.under(own), o.ahead.waiting[side].under(keys))
		if err != nil {
			return Delta{}, err
		}
		over[strconv.Itoa(side)] = table
	}
	dropEmpty(o.index, own, o.sides[leftSide].rows, o.sides[rightSide].rows)
	if over["0"].Rows == 0 {
		return noChange(o.node.cols), nil
	}
	return answer(ctx, o.node.plan, over)
}
