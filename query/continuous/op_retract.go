package continuous

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// retractNode groups rows that come and go, by accumulators that rows can be taken out of again. A count of all rows stands behind the
// aggregates: with the last row a group goes.
type retractNode struct {
	base
	of *accumulateNode
}

// compileRetract makes the operator of a grouping all of whose aggregates can forget rows; ok is false where one cannot.
func (c *compiler) compileRetract(n *plan.Aggregate, input node) (out *retractNode, ok bool, err error) {
	if !hasPlainGroups(n) {
		return nil, false, nil
	}
	var calls []*exec.Call
	for _, a := range append(n.Aggregates[:len(n.Aggregates):len(n.Aggregates)], plan.Aggregation{Fn: countRows}) {
		call, ok, err := exec.CompileRetractable(a, len(input.columns()))
		if err != nil || !ok {
			return nil, false, err
		}
		calls = append(calls, call)
	}
	of, err := c.accumulating(n, input, calls)
	if err != nil {
		return nil, false, err
	}
	return &retractNode{base: of.base, of: of}, true, nil
}

func (n *retractNode) describe() string {
	return strings.Replace(n.of.describe(), "accumulate", "accumulate and retract", 1)
}

// form implements keeper.
func (n *retractNode) form(in shapes) (f form, whole bool) {
	f, whole = n.of.form(in)
	f.Kind = "groups that lose rows"
	return f, whole
}

func (n *retractNode) start(_ *Machine, inputs []operator) operator {
	return &retractOp{n.of.begin(inputs[0])}
}

type retractOp struct{ *accumulateOp }

func (o *retractOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	// What comes is added first: a row that goes has then always come.
	came, went := in.parted()
	touched, err := o.accumulate(came)
	if err != nil {
		return Delta{}, err
	}
	left, err := o.retract(went)
	if err != nil {
		return Delta{}, err
	}
	kept, gone, err := o.empty(o.firsts.of(append(touched, left...), o.groups.index.slots()))
	if err != nil {
		return Delta{}, err
	}
	changed, err := o.show(kept)
	if err != nil {
		return Delta{}, err
	}
	shown := slices.DeleteFunc(slices.Clone(gone), func(s uint32) bool { return !o.isShown[s] })
	taken := o.given(shown)
	out, err := sum(o.node.cols, taken.negated(), changed)
	if err != nil {
		return Delta{}, err
	}
	if err := o.forget(gone); err != nil {
		return Delta{}, err
	}
	return out, o.expire(s.final)
}

// retract takes rows out of their groups and gives the groups.
func (o *retractOp) retract(d Delta) ([]uint32, error) {
	if d.Rows == 0 {
		return nil, nil
	}
	keys, err := evalKeys(o.node.groups, o.node.types, &d)
	if err != nil {
		return nil, err
	}
	if err := o.warm(keys, d.Rows); err != nil {
		return nil, err
	}
	o.reach(o.groups.index.slots())
	slots, err := o.groups.retract(keys, &d)
	o.note(slots)
	return slots, err
}

// empty tells groups that have rows from those that have none. Without keys there is one group, whether it has rows or not.
func (o *retractOp) empty(touched []uint32) (kept, gone []uint32, err error) {
	if len(o.node.types) == 0 || len(touched) == 0 {
		return touched, nil, nil
	}
	counts, err := o.groups.result(len(o.node.calls)-1, touched)
	if err != nil {
		return nil, nil, err
	}
	for i, s := range touched {
		if counts.(*array.Int64).Value(i) > 0 {
			kept = append(kept, s)
		} else {
			gone = append(gone, s)
		}
	}
	return kept, gone, nil
}

// parted are the rows that come and those that go, each written out as often as it does.
func (d *Delta) parted() (came, went Delta) {
	if d.Weights == nil {
		return *d, Delta{}
	}
	var plus, minus []int32
	for i, w := range d.Weights {
		for ; w > 0; w-- {
			plus = append(plus, int32(i))
		}
		for ; w < 0; w++ {
			minus = append(minus, int32(i))
		}
	}
	came, went = d.take(plus), d.take(minus)
	came.Weights, went.Weights = nil, nil
	return came, went
}
