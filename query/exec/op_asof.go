package exec

import (
	"context"
	"errors"
	"io"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// asofOp holds its right side in memory, in order and by keys, and finds the nearest row for each row of the left side by halving. A right side
// without room is divided by a hash of its keys, as the left one then is, and one part is joined after another.
type asofOp struct {
	run         *run
	node        *plan.AsofJoin
	left, right operator
	leftKeys    []*kernel.Program
	rightKeys   []*kernel.Program
	at          [2]*kernel.Program // of the left side and of the right one
	within      *kernel.Program    // nil without a condition
}

func (r *run) newAsof(ctx context.Context, n *plan.AsofJoin) (operator, error) {
	o := &asofOp{run: r, node: n}
	for _, k := range n.LeftKeys {
		if _, ok := newJoinKey(k.Type()); !ok {
			return nil, event.Errorf(event.CodeNotSupported, "ASOF JOIN by %s: not supported yet", k.Type())
		}
	}
	var err error
	if o.leftKeys, err = compileAll(n.LeftKeys); err != nil {
		return nil, err
	}
	if o.rightKeys, err = compileAll(n.RightKeys); err != nil {
		return nil, err
	}
	for i, e := range []plan.Expr{n.LeftAt, n.RightAt} {
		if o.at[i], err = kernel.Compile(e); err != nil {
			return nil, err
		}
	}
	if n.Within != nil {
		if o.within, err = kernel.Compile(n.Within); err != nil {
			return nil, err
		}
	}
	if o.left, err = r.build(ctx, n.Left, all(plan.Width(n.Left))); err != nil {
		return nil, err
	}
	o.right, err = r.build(ctx, n.Right, all(plan.Width(n.Right)))
	return o, err
}

// newKeys makes the key columns of a table.
func (o *asofOp) newKeys() []joinKey {
	keys := make([]joinKey, len(o.node.LeftKeys))
	for i, k := range o.node.LeftKeys {
		keys[i], _ = newJoinKey(k.Type())
	}
	return keys
}

func (o *asofOp) width() int { return 1 }

func (o *asofOp) open() reader {
	return &asofReader{op: o, input: gather(o.left), memory: reservation{budget: o.run.budget, operator: "ASOF JOIN"}}
}

// asofReader pairs the left side with what is held of the right one: all of it or, where that has no room, part after part of both.
type asofReader struct {
	op      *asofOp
	input   reader // of the left side
	right   *Batch // nil before the right side has been read, and between two parts
	times   arrow.Array
	table   *joinTable
	divided []asofPart
	memory  reservation
}

func (r *asofReader) next(ctx context.Context) (*Batch, error) {
	for {
		if r.right == nil {
			if err := r.load(ctx); err != nil {
				return nil, err
			}
		}
		batch, err := r.input.next(ctx)
		if errors.Is(err, io.EOF) && len(r.divided) > 0 {
			r.right = nil
			continue
		}
		if err != nil {
			return nil, err
		}
		out, err := r.pair(batch.first(plan.Width(r.op.node.Left)))
		if err != nil || out.Rows > 0 {
			return out, err
		}
	}
}

// load reads the right side, or the next part of it, whose rows come in order, so that the rows of each group are in order too.
func (r *asofReader) load(ctx context.Context) error {
	if len(r.divided) > 0 {
		return r.loadPart(ctx)
	}
	in := gather(r.op.right)
	defer in.close()
	rows := &asofRows{op: r.op, memory: &r.memory}
	if err := feed(ctx, in, rows.consume); err != nil {
		return err
	}
	if rows.divider != nil {
		return r.divide(ctx, rows)
	}
	return r.index(rows)
}

// index finds the groups of the right side's rows.
func (r *asofReader) index(rows *asofRows) error {
	o := r.op
	right := &Batch{}
	for _, c := range o.node.Right.Columns() {
		right.Columns = append(right.Columns, event.NewNulls(c.Type, 0))
	}
	if len(rows.batches) > 0 {
		var err error
		if right, err = joinBatches(rows.batches); err != nil {
			return err
		}
	}
	keys, err := o.run.evalColumns(o.rightKeys, right)
	if err != nil {
		return err
	}
	times, err := o.run.evalColumns([]*kernel.Program{o.at[1]}, right)
	if err != nil {
		return err
	}
	r.table, r.times, r.right = newJoinTable(o.newKeys()), times[0], right
	if _, err := r.table.build(o.run.kernel, keys, right.Rows); err != nil {
		return err
	}
	return r.memory.resize(2*rows.size + r.table.bytes())
}

// pair puts the nearest rows of the right side beside those of a batch.
func (r *asofReader) pair(batch *Batch) (*Batch, error) {
	picks, err := r.nearest(batch)
	if err != nil {
		return nil, err
	}
	out := r.beside(batch, picks)
	if r.op.within != nil {
		near, err := r.op.run.evalColumns([]*kernel.Program{r.op.within}, out)
		if err != nil {
			return nil, err
		}
		for i := range picks {
			if near[0].DataType().ID() == arrow.NULL || near[0].IsNull(i) || !near[0].(*array.Boolean).Value(i) {
				picks[i] = -1
			}
		}
		out = r.beside(batch, picks)
	}
	if r.op.node.Kind == plan.LeftJoin {
		return out, nil
	}
	var paired []int32
	for i, pick := range picks {
		if pick >= 0 {
			paired = append(paired, int32(i))
		}
	}
	return out.take(paired, all(len(out.Columns))), nil
}

func (r *asofReader) beside(batch *Batch, picks []int32) *Batch {
	out := &Batch{Columns: append([]arrow.Array(nil), batch.Columns...), Rows: batch.Rows}
	for _, c := range r.right.Columns {
		out.Columns = append(out.Columns, kernel.TakeOrNull(c, picks))
	}
	return out
}

// nearest finds the row of the right side for each row of a batch; -1 where there is none.
func (r *asofReader) nearest(batch *Batch) ([]int32, error) {
	picks := make([]int32, batch.Rows)
	for i := range picks {
		picks[i] = -1
	}
	keys, err := r.op.run.evalColumns(r.op.leftKeys, batch)
	if err != nil {
		return nil, err
	}
	at, err := r.op.run.evalColumns([]*kernel.Program{r.op.at[0]}, batch)
	if err != nil || r.right.Rows == 0 || isAllNull(at[0]) || isAllNull(r.times) {
		return picks, err
	}
	groups := make([]uint32, batch.Rows)
	r.table.probe(keys, groups, &joinScratch{})
	compare := kernel.Comparer(at[0], r.times, r.op.node.LeftAt.Type())
	for i, g := range groups {
		if g == 0 || at[0].IsNull(i) {
			continue
		}
		if row := r.search(r.table.group(g), i, compare); row >= 0 && r.times.IsValid(int(row)) {
			picks[i] = row
		}
	}
	return picks, nil
}

// search halves the rows of one group, which are in order with NULLs last.
func (r *asofReader) search(rows []int32, i int, compare func(i, j int) int) int32 {
	op := r.op.node.Op
	equalCounts := op == ">=" || op == "<"
	// after is the first row behind the value or, where equal ones do not count as before it, the first of these.
	after := sort.Search(len(rows), func(k int) bool {
		row := int(rows[k])
		if r.times.IsNull(row) {
			return true
		}
		c := compare(i, row)
		return c < 0 || c == 0 && !equalCounts
	})
	if op[0] == '>' {
		after--
	}
	if after < 0 || after >= len(rows) {
		return -1
	}
	return rows[after]
}

func isAllNull(a arrow.Array) bool { return a.DataType().ID() == arrow.NULL }

func (r *asofReader) close() {
	r.input.close()
	r.memory.release()
}
