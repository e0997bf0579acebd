package exec

import "context"

// fit asks for the memory of what has been collected and of what will be computed, and spills it where there is none. Rows of one
// partition have to be together: without PARTITION BY nothing can be divided.
func (b *windowBuffer) fit() error {
	o := b.op
	if len(o.partition) == 0 || !o.run.canSpill() {
		// Laying the rows out holds each of them twice, once as collected and once in order.
		return b.memory.resize(2*b.size + 16*int64(b.rows))
	}
	if b.room(0, 0) {
		return nil
	}
	return b.spill()
}

// spill divides what has been collected by its partitions.
func (b *windowBuffer) spill() error {
	if b.divider == nil {
		var err error
		if b.divider, err = b.op.run.newRowDivider(b.op.partitionAt(), typesOf(b.op.node.Partition), 0); err != nil {
			return err
		}
	}
	for _, batch := range b.batches {
		if err := b.divider.add(batch); err != nil {
			return err
		}
	}
	b.batches, b.rows, b.size = nil, 0, 0
	return b.memory.resize(0)
}

// partitionAt is where the partition's columns begin among those that are collected.
func (o *windowOp) partitionAt() int {
	at := 0
	for _, kept := range o.kept {
		if kept {
			at++
		}
	}
	return at
}

// newPartsReader spills what workers still hold and computes part by part.
func (o *windowOp) newPartsReader(buffers []*windowBuffer) (reader, error) {
	dividers := make([]*rowDivider, len(buffers))
	for i, b := range buffers {
		if err := b.spill(); err != nil {
			return nil, err
		}
		dividers[i] = b.divider
	}
	parts, err := finishRows(dividers)
	return &partsReader{
		run: o.run, parts: parts, first: o.partitionAt(), types: typesOf(o.node.Partition),
		newCollector: func() rowCollector { return o.newBuffer() },
	}, err
}

func (b *windowBuffer) room(bytes int64, rows int) bool { return b.memory.fits(b.needs(bytes, rows)) }

func (b *windowBuffer) insist(bytes int64, rows int) error {
	return b.memory.resize(b.needs(bytes, rows))
}

// needs is what the rows collected and some more take, with the work and the results of the calls.
func (b *windowBuffer) needs(bytes int64, rows int) int64 {
	const (
		placeBytes = 16 // of each row: its partition and its place
		workBytes  = 64
	)
	return 2*(b.size+bytes) + int64(b.rows+rows)*(placeBytes+workBytes+16*int64(len(b.op.calls)))
}

func (b *windowBuffer) add(batch *Batch) error {
	b.batches = append(b.batches, batch)
	b.rows += batch.Rows
	b.size += batchBytes(batch)
	return nil
}

func (b *windowBuffer) result(ctx context.Context) (*Batch, error) { return b.op.computeOver(ctx, b) }

func (b *windowBuffer) let() { b.memory.release() }
