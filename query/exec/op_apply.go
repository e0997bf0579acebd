package exec

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// applyOp computes its right side once for each combination of values that rows of the left side give it, keeps what comes of it,
// and pairs rows as a join does whose keys are those combinations.
type applyOp struct {
	join  *joinOp // pairs; it has no build side of its own
	node  *plan.Apply
	args  []*kernel.Program
	wants []bool // the columns of the right side that are read
}

func (r *run) newApply(ctx context.Context, n *plan.Apply, used []bool) (operator, error) {
	left, right := n.Left.Columns(), n.Right.Columns()
	j := &joinOp{run: r, leftWidth: len(left), used: used}
	j.node = &plan.Join{Left: n.Left, Right: n.Right, Kind: n.Kind, On: n.On, Test: n.Test, Mark: n.Mark}
	j.columns = append(append(j.columns, left...), right...)
	needed := j.needed()
	j.reads = append([]bool(nil), needed...)
	o := &applyOp{join: j, node: n, wants: j.reads[len(left):]}
	plan.MarkColumns(needed, n.Args...)
	var err error
	if j.probe, err = r.build(ctx, n.Left, needed[:len(left)]); err != nil {
		return nil, err
	}
	if err := j.compileRest(plan.JoinConditions{Rest: n.On}); err != nil {
		return nil, err
	}
	o.args, err = compileAll(n.Args)
	return o, err
}

func (o *applyOp) width() int { return 1 }

func (o *applyOp) open() reader {
	r := &applyReader{op: o, memory: reservation{budget: o.join.run.budget, operator: "a query for each row"}}
	r.columns, r.pairs = make([]keyColumn, len(o.args)), make([]*pairTable, max(0, len(o.args)-1))
	for i, e := range o.node.Args {
		r.columns[i] = newKeyColumn(e.Type())
	}
	for i := range r.pairs {
		r.pairs[i] = &pairTable{}
	}
	r.joinReader = joinReader{op: o.join, input: gather(o.join.probe), build: &joinBuild{}}
	r.load = r.loadRows
	return r
}

// applyReader is a joinReader whose build side is, for each batch, what the right side gave for that batch's rows.
type applyReader struct {
	joinReader
	op      *applyOp
	columns []keyColumn
	pairs   []*pairTable
	answers []*Batch   // by number of the combination of values; nil where it is not known yet
	sets    setAnswers // in the place of answers where the right side answers many rows at once
	held    int64
	memory  reservation
}

// loadRows takes the next batch of the left side, with the answers for its rows as build side.
func (r *applyReader) loadRows(ctx context.Context) error {
	run := r.op.join.run
	batch, err := r.input.next(ctx)
	if err != nil {
		return err
	}
	args, err := run.evalColumns(r.op.args, batch)
	if err != nil {
		return err
	}
	numbers := r.number(args, batch.Rows)
	if r.op.node.AtOnce != nil {
		return r.loadSet(ctx, batch, args, numbers)
	}
	for row, number := range numbers {
		for int(number) >= len(r.answers) {
			r.answers = append(r.answers, nil)
		}
		if r.answers[number] != nil {
			continue
		}
		if r.answers[number], err = r.answer(ctx, args, row); err != nil {
			return err
		}
		const fixed = 256 // of a batch without rows
		r.held += batchBytes(r.answers[number]) + fixed
		if err := r.memory.resize(r.held); err != nil {
			return err
		}
	}
	r.begin(batch)
	return r.layOut(numbers)
}

// number gives equal combinations of values the same number.
func (r *applyReader) number(args []arrow.Array, rows int) []uint32 {
	numbers, more := make([]uint32, rows), make([]uint32, rows)
	for i, column := range r.columns {
		if i == 0 {
			column.encode(args[0], numbers)
			continue
		}
		column.encode(args[i], more)
		r.pairs[i-1].combine(numbers, more)
	}
	return numbers
}

// answer computes the right side for one row.
func (r *applyReader) answer(ctx context.Context, args []arrow.Array, row int) (*Batch, error) {
	inner := r.innerRun()
	defer inner.budget.close()
	for _, a := range args {
		value := kernel.Decode(array.NewSlice(a, int64(row), int64(row+1)))
		value.NullN() // counted when first asked for, which the right side's workers must not do side by side
		inner.kernel.Outer = append(inner.kernel.Outer, value)
	}
	found, err := r.collect(ctx, inner, r.op.node.Right, r.op.wants)
	if err := errors.Join(err, inner.files.close()); err != nil {
		return nil, err
	}
	r.op.join.run.stats.add(inner.stats)
	return r.op.join.concatBuild(found)
}

// innerRun is a run for the right side. What its operators hold is let go with it.
func (r *applyReader) innerRun() *run {
	outer := r.op.join.run
	return &run{
		engine: outer.engine, snapshot: outer.snapshot, works: outer.works, standing: outer.standing,
		kernel: &kernel.Context{
			Now: outer.kernel.Now, Done: outer.kernel.Done, Looked: outer.kernel.Looked, Memo: outer.kernel.Memo, Random: outer.kernel.Random,
		},
		files: &spillFiles{}, stats: &counters{}, profile: outer.profile, budget: outer.budget.part(),
	}
}

// collect reads the right side, or what answers for it, to its end.
func (r *applyReader) collect(ctx context.Context, inner *run, right plan.Node, wants []bool) (*joinBuffer, error) {
	op, err := inner.build(ctx, right, wants)
	if err != nil {
		return nil, err
	}
	in := gather(op)
	defer in.close()
	found := &joinBuffer{memory: reservation{budget: inner.budget, operator: "a query for each row"}}
	return found, feed(ctx, in, found.consume)
}

// layOut makes a build side of the answers for a batch's rows, with a group for each answer that has rows.
func (r *applyReader) layOut(numbers []uint32) error {
	whole := &joinBuffer{}
	groups := map[uint32]uint32{}
	table := &joinTable{starts: []int32{0, 0}}
	for row, number := range numbers {
		answer := r.answers[number]
		group, known := groups[number]
		if !known && answer.Rows > 0 {
			group = uint32(len(table.starts) - 1)
			whole.batches = append(whole.batches, answer)
			whole.rows += answer.Rows
			table.starts = append(table.starts, int32(whole.rows))
		}
		groups[number] = group
		r.groups[row] = group
	}
	batch, err := r.op.join.concatBuild(whole)
	if err != nil {
		return err
	}
	table.rows = make([]int32, batch.Rows)
	for i := range table.rows {
		table.rows[i] = int32(i)
	}
	r.build = &joinBuild{batch: batch, table: table}
	r.joinReader.columns = batch.Columns
	return nil
}
