package continuous

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// frontNode gives the first rows, in some order, of rows that come and go: at least count of them, if there are so many, and up to some more. It keeps
// all rows, and apart from them a front: rows before which no other comes in the order. What comes behind the front does not matter to a step, and
// where rows of the front go there are others in it; only when fewer than count are left all rows are put in order again.
type frontNode struct {
	base
	order []plan.SortKey // every column among them: rows that are equal in it are equal
	keys  []*kernel.Program
	count int
	plan  *plan.Sort // over a table of rows
}

// compileFront makes the operator of the first rows of an order over rows that come and go.
func (c *compiler) compileFront(n *plan.Sort, input node, count int) (node, error) {
	out := &frontNode{base: base{cols: input.columns(), ins: []node{input}}, count: count}
	out.tr = traits{bounds: map[int]int64{}, recomputes: input.traits().recomputes}
	out.order = withTies(n.Keys, allOf(n.Input))
	out.plan = &plan.Sort{Input: tableScan("0", out.cols), Keys: out.order, Limit: int64(out.most())}
	for _, k := range out.order {
		key, err := kernel.Compile(k.Expr)
		if err != nil {
			return nil, err
		}
		out.keys = append(out.keys, key)
	}
	return out, nil
}

// most is how many rows the front begins with: as many may leave it, beyond count, before all rows are looked at.
func (n *frontNode) most() int { return 2*n.count + 64 }

func (n *frontNode) describe() string {
	return fmt.Sprintf("keep the first %d in order: %s", n.count, firstLine(n.plan))
}

// form implements keeper.
func (n *frontNode) form(in shapes) (f form, whole bool) {
	return form{Kind: "front of an order", Version: 1, Computes: []string{in.all().Of(n.order), fmt.Sprint("count ", n.count)}}, true
}

func (n *frontNode) start(_ *Machine, inputs []operator) operator {
	return &frontOp{node: n, input: inputs[0], rows: newBag(typesOf(n.cols), false), front: noChange(n.cols)}
}

type frontOp struct {
	node  *frontNode
	input operator
	rows  *bag // all of them, under one key
	total int  // how many there are
	front Delta
}

func (o *frontOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil || in.Rows == 0 {
		return noChange(o.node.cols), err
	}
	in.Columns = decoded(in.Columns)
	whole := o.front.Rows == o.total
	if err := o.rows.add(in, make([]uint32, in.Rows)); err != nil {
		return Delta{}, err
	}
	for i := range in.Rows {
		o.total += int(in.weight(i))
	}
	if !whole {
		if in, err = o.near(in); err != nil {
			return Delta{}, err
		}
	}
	front, err := sum(o.node.cols, o.front, in)
	if err != nil {
		return Delta{}, err
	}
	if front, err = o.trimmed(ctx, consolidate(front)); err != nil {
		return Delta{}, err
	}
	change, err := sum(o.node.cols, o.front.negated(), front)
	o.front = front
	return consolidate(change), err
}

// near are the rows of a change that are not behind the front.
func (o *frontOp) near(in Delta) (Delta, error) {
	both, err := sum(o.node.cols, o.front, in)
	if err != nil {
		return Delta{}, err
	}
	keys, err := evalAll(steady, o.node.keys, &both)
	if err != nil {
		return Delta{}, err
	}
	compare := exec.RowOrder(keys, o.node.order)
	last := int32(0)
	for i := 1; i < o.front.Rows; i++ {
		if compare(int32(i), last) > 0 {
			last = int32(i)
		}
	}
	var rows []int32
	for i := range in.Rows {
		if compare(int32(o.front.Rows+i), last) <= 0 {
			rows = append(rows, int32(i))
		}
	}
	return in.filtered(rows), nil
}

// trimmed is a front with as many rows as it may have. Of values that are equal in order and not in their bits, as the two zeros, one may go that is
// not in the front; then all rows are looked at too.
func (o *frontOp) trimmed(ctx context.Context, front Delta) (Delta, error) {
	amiss := slices.ContainsFunc(front.Weights, func(w int64) bool { return w < 0 })
	if !amiss {
		front = front.expanded()
	}
	switch {
	case amiss, front.Rows < min(o.node.count, o.total):
		return answer(ctx, o.node.plan, tables{"0": o.rows.under([]uint32{0})})
	case front.Rows > 2*o.node.most():
		return answer(ctx, o.node.plan, tables{"0": front})
	default:
		return front, nil
	}
}

func (o *frontOp) save(w *stateWriter) error {
	if err := o.rows.save(w, []uint32{0}); err != nil {
		return err
	}
	return w.columns(o.front.Columns, o.front.Rows)
}

func (o *frontOp) load(r *stateReader) error {
	types := arrowTypes(o.node.cols)
	rows, of, err := readBag(r, types, 1)
	if err != nil {
		return err
	}
	for i := range rows.Rows {
		o.total += int(rows.weight(i))
	}
	if err := o.rows.add(rows, of); err != nil {
		return err
	}
	columns, count, err := r.columns(types)
	o.front = Delta{Columns: columns, Rows: count}
	return err
}

func (o *frontOp) bytes() int64 {
	total := o.rows.bytes()
	for _, c := range o.front.Columns {
		total += event.ArrayBytes(c)
	}
	return total
}
