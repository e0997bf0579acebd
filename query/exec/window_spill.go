package exec

import (
	"context"
	"slices"
)

// fit asks for the memory of what has been collected and of what will be computed, and spills it where there is none. Where calls cannot be
// computed in stretches, rows of one partition have to be together: without PARTITION BY nothing can be divided.
func (b *windowBuffer) fit() error {
	o := b.op
	if !o.run.canSpill() || (len(o.partition) == 0 && o.sorter == nil) {
		// Laying the rows out holds each of them twice, once as collected and once in order.
		return b.memory.resize(2*b.size + 16*int64(b.rows))
	}
	if b.room(0, 0) {
		return nil
	}
	return b.spill()
}

func (b *windowBuffer) isSpilled() bool { return b.divider != nil || b.sorted != nil }

// spill sorts what has been collected on disk, or divides it by its partitions.
func (b *windowBuffer) spill() error {
	if b.op.sorter != nil {
		return b.sort()
	}
	if b.divider == nil {
		var err error
		if b.divider, err = b.op.run.newRowDivider(b.op.partitionAt(), typesOf(b.op.node.Partition), 0); err != nil {
			return err
		}
	}
	for _, batch := range b.batches {
		if err := b.op.run.kernel.Err(); err != nil {
			return err
		}
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
func (o *windowOp) newPartsReader(buffers []*windowBuffer) (*partsReader, error) {
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
		newCollector: func() rowCollector {
			return &windowBuffer{op: o, together: true, memory: reservation{budget: o.run.budget, operator: "OVER"}}
		},
	}, err
}

func (b *windowBuffer) room(bytes int64, rows int) bool { return b.memory.fits(b.needs(bytes, rows)) }

func (b *windowBuffer) insist(bytes int64, rows int) error {
	return b.memory.resize(b.needs(bytes, rows))
}

const (
	placeBytes  = 16  // of each row: its partition and its places
	frameBytes  = 64  // of each row, while a call is computed: its frame and the outcome
	stateBytes  = 128 // of each row, while an aggregate is computed: its state and that of its frame
	resultBytes = 16
)

// needs is what the rows collected and some more take, laid end to end, with a part in work. What the largest part will be is a guess before
// all rows have come.
func (b *windowBuffer) needs(bytes int64, rows int) int64 {
	size, count := b.size+bytes, int64(b.rows+rows)
	part := count
	if b.most > 0 {
		part = min(count, int64(b.most)+2*int64(b.op.partRows()))
	}
	return 2*size + placeBytes*count + part*(size/max(1, count)+placeBytes+b.op.workBytes())
}

// workBytes is what a row takes while calls are computed, all their results included.
func (o *windowOp) workBytes() int64 {
	bytes := frameBytes + resultBytes*int64(len(o.calls))
	if slices.ContainsFunc(o.calls, func(c windowCall) bool { return c.Fn.Aggregate }) {
		bytes += stateBytes
	}
	return bytes
}

// partBytes is what some rows take, laid out in order, while calls are computed.
func (o *windowOp) partBytes(whole *Batch, rows int64) int64 {
	return rows*(batchBytes(whole)/int64(whole.Rows)+placeBytes) + rows*o.workBytes()
}

// result computes all calls over rows that hold whole partitions and have come back from disk.
func (b *windowBuffer) result(ctx context.Context) (*Batch, error) {
	p, err := b.op.joinRows(ctx, b)
	if err != nil || p.whole.Rows == 0 {
		return p.whole, err
	}
	part := windowPart{to: int32(p.whole.Rows)}
	if b.op.arranged {
		part.starts = b.op.runStarts(p.whole)
	}
	// What has been asked for covers the rows and all that is computed of them.
	return b.op.computePart(ctx, p, part, &b.memory)
}

func (b *windowBuffer) let() { b.memory.release() }
