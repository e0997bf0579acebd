package exec

import (
	"context"
	"slices"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// asofRows collects rows of the right side of an ASOF join, in order.
type asofRows struct {
	op      *asofOp
	batches []*Batch
	rows    int
	size    int64
	memory  *reservation
	divider *rowDivider // nil before anything was spilled
}

func (c *asofRows) consume(batch *Batch) error {
	c.add(batch)
	if !c.op.canSpill() {
		return c.memory.resize(2 * c.size)
	}
	if c.memory.fits(c.needs(0, 0)) {
		return nil
	}
	return c.spill()
}

func (c *asofRows) add(batch *Batch) {
	c.batches = append(c.batches, batch)
	c.rows += batch.Rows
	c.size += batchBytes(batch)
}

// needs is what the rows collected and some more take once they are found by their keys.
func (c *asofRows) needs(bytes int64, rows int) int64 {
	keys := len(c.op.node.LeftKeys)
	return 2*(c.size+bytes) + tableBytes(int64(2*keys-1), c.rows+rows)
}

// spill divides what has been collected.
func (c *asofRows) spill() error {
	if c.divider == nil {
		var err error
		if c.divider, err = c.op.newDivider(c.op.node.Right, 0); err != nil {
			return err
		}
	}
	for _, batch := range c.batches {
		if err := c.op.addDivided(c.divider, c.op.rightKeys, batch); err != nil {
			return err
		}
	}
	c.batches, c.rows, c.size = nil, 0, 0
	return c.memory.resize(0)
}

// canSpill reports whether both sides can be divided: without keys the nearest row may be anywhere.
func (o *asofOp) canSpill() bool { return o.run.canSpill() && len(o.node.LeftKeys) > 0 }

// newDivider divides rows of a side by its keys, which addDivided puts behind the side's columns.
func (o *asofOp) newDivider(side plan.Node, level int) (*rowDivider, error) {
	return o.run.newRowDivider(plan.Width(side), typesOf(o.node.LeftKeys), level)
}

func (o *asofOp) addDivided(d *rowDivider, keys []*kernel.Program, batch *Batch) error {
	if err := o.run.kernel.Err(); err != nil {
		return err
	}
	values, err := o.run.evalColumns(keys, batch)
	if err != nil {
		return err
	}
	return d.add(&Batch{Columns: slices.Concat(batch.Columns, values), Rows: batch.Rows})
}

// asofPart is what is still to be joined with each other, with the keys behind the columns of each side.
type asofPart struct {
	left, right []spilled
	level       int // of the bits that divide it further
}

// divide divides the left side as the right one has been.
func (r *asofReader) divide(ctx context.Context, rows *asofRows) error {
	if err := rows.spill(); err != nil {
		return err
	}
	left, err := r.op.newDivider(r.op.node.Left, 0)
	if err != nil {
		return err
	}
	if err := feed(ctx, r.input, func(batch *Batch) error { return r.op.addDivided(left, r.op.leftKeys, batch) }); err != nil {
		return err
	}
	r.input.close()
	if err := r.queue(left, rows.divider); err != nil {
		return err
	}
	return r.loadPart(ctx)
}

// queue appends what two dividers hold to the parts that are to be joined.
func (r *asofReader) queue(left, right *rowDivider) error {
	lefts, err := finishRows([]*rowDivider{left})
	if err != nil {
		return err
	}
	rights, err := finishRows([]*rowDivider{right})
	if err != nil {
		return err
	}
	for i, l := range lefts {
		if len(l.chunks) > 0 && (len(rights[i].chunks) > 0 || r.op.node.Kind == plan.LeftJoin) {
			r.divided = append(r.divided, asofPart{left: l.chunks, right: rights[i].chunks, level: l.level})
		}
	}
	return nil
}

// loadPart turns to the next part, dividing those that have no room. After the last one there is nothing to read.
func (r *asofReader) loadPart(ctx context.Context) error {
	r.input, r.right = &chunkReader{}, &Batch{}
	for len(r.divided) > 0 {
		part := r.divided[0]
		r.divided = r.divided[1:]
		rows, err := r.collect(ctx, part)
		if err != nil {
			return err
		}
		if rows != nil {
			r.input = &chunkReader{chunks: part.left}
			return r.index(rows)
		}
		if err := r.divideFurther(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// collect reads the right side of a part, or gives nil where it has no room and can be divided.
func (r *asofReader) collect(ctx context.Context, part asofPart) (*asofRows, error) {
	rows := &asofRows{op: r.op, memory: &r.memory}
	if err := r.memory.resize(0); err != nil {
		return nil, err
	}
	for _, chunk := range part.right {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if needs := rows.needs(chunk.chunk.Bytes, chunk.chunk.Rows); !r.memory.fits(needs) {
			if part.level < spillLevels && len(part.right) > 1 {
				return nil, r.memory.resize(0)
			}
			if err := r.memory.resize(needs); err != nil {
				return nil, err
			}
		}
		batch, err := chunk.read()
		if err != nil {
			return nil, err
		}
		rows.add(batch.first(plan.Width(r.op.node.Right)))
	}
	return rows, nil
}

func (r *asofReader) divideFurther(ctx context.Context, part asofPart) error {
	var dividers [2]*rowDivider
	for i, side := range []plan.Node{r.op.node.Left, r.op.node.Right} {
		var err error
		if dividers[i], err = r.op.newDivider(side, part.level); err != nil {
			return err
		}
		chunks := [][]spilled{part.left, part.right}[i]
		if err := feed(ctx, &chunkReader{chunks: chunks}, dividers[i].add); err != nil {
			return err
		}
	}
	return r.queue(dividers[0], dividers[1])
}

// first leaves only the first columns.
func (b *Batch) first(columns int) *Batch { return &Batch{Columns: b.Columns[:columns], Rows: b.Rows} }
