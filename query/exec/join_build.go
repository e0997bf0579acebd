package exec

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// joinBuild is the build side of a join in memory. Once made it is only read, but for paired, from any goroutine.
type joinBuild struct {
	batch *Batch
	table *joinTable
	// paired marks, a bit for each row, those that are in a pair; nil where the join does not ask.
	paired []atomic.Uint64
	// members is nil but for a mark join whose test is a key.
	members *members
	// ranges finds rows of a group by order; nil where pairs are tried one by one.
	ranges *rangeIndex
	memory reservation
	// divided is set, and all else but the zero value, where the build side has no room in memory.
	divided *dividedBuild
}

// joinBuffer collects what one worker reads of the build side.
type joinBuffer struct {
	op      *joinOp // nil where nothing is to spill
	parts   *joinDivider
	batches []*Batch
	rows    int
	size    int64
	memory  reservation
}

func (b *joinBuffer) consume(batch *Batch) error {
	b.add(batch)
	// Laying the batches end to end holds every row twice.
	if b.op == nil || !b.op.canSpill() {
		return b.memory.resize(2 * b.size)
	}
	if b.memory.fits(b.op.indexBytes(b.size, b.rows)) {
		return nil
	}
	return b.spill()
}

func (b *joinBuffer) add(batch *Batch) {
	b.batches = append(b.batches, batch)
	b.rows += batch.Rows
	b.size += batchBytes(batch)
}

// buildSide reads the build side and finds its groups, or divides it where it has no room.
func (o *joinOp) buildSide(ctx context.Context) (*joinBuild, error) {
	buffers, err := drain(ctx, o.build, func() *joinBuffer {
		return &joinBuffer{op: o, memory: reservation{budget: o.run.budget, operator: "JOIN"}}
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(buffers, func(b *joinBuffer) bool { return b.parts != nil }) {
		return o.divideBuild(buffers)
	}
	whole := buffers[0]
	for _, b := range buffers[1:] {
		whole.batches = append(whole.batches, b.batches...)
		whole.rows += b.rows
		whole.size += b.size
		whole.memory.held += b.memory.held
	}
	out, err := o.index(whole)
	if err == nil {
		o.fillFilters(out.table)
	}
	return out, err
}

// index finds the groups of the rows that have been collected.
func (o *joinOp) index(whole *joinBuffer) (*joinBuild, error) {
	out := &joinBuild{memory: whole.memory}
	var err error
	if out.batch, err = o.concatBuild(whole); err != nil {
		return nil, err
	}
	keys, err := o.evalKeys(o.buildKeys, o.buildAt(), out.batch)
	if err != nil {
		return nil, err
	}
	out.table = newJoinTable(o.newKeys(len(o.keyTypes)))
	groups, err := out.table.build(o.run.kernel, keys, out.batch.Rows)
	if err != nil {
		return nil, err
	}
	if out.ranges, err = o.indexRanges(out, groups); err != nil {
		return nil, err
	}
	if o.byMember {
		if out.members, err = o.newMembers(keys, out.batch.Rows); err != nil {
			return nil, err
		}
	}
	if o.pads(o.buildIsLeft) {
		out.paired = make([]atomic.Uint64, (out.batch.Rows+63)/64)
	}
	return out, out.memory.resize(whole.size + out.table.bytes() + out.members.bytes() + out.ranges.bytes() + int64(8*len(out.paired)))
}

// concatBuild lays the collected batches end to end, as far as their columns are used.
func (o *joinOp) concatBuild(b *joinBuffer) (*Batch, error) {
	if b.rows > math.MaxInt32 {
		return nil, event.Errorf(event.CodeTooLarge, "a join with more than %d rows on its smaller side", math.MaxInt32)
	}
	out := &Batch{Columns: make([]arrow.Array, o.buildWidth()), Rows: b.rows}
	if b.rows == 0 {
		for i := range out.Columns {
			out.Columns[i] = event.NewNulls(o.columns[o.buildAt()+i].Type, 0)
		}
		return out, nil
	}
	for i := range out.Columns {
		if !o.reads[o.buildAt()+i] {
			continue // some batches may have it all the same
		}
		parts := make([]arrow.Array, len(b.batches))
		for j, batch := range b.batches {
			parts[j] = batch.Columns[i]
		}
		var err error
		if out.Columns[i], err = kernel.Concat(parts); err != nil {
			return nil, fmt.Errorf("join: %w", err)
		}
	}
	return out, nil
}

// evalKeys computes one side's keys, which count the columns of both sides: those of this side begin at column at.
func (o *joinOp) evalKeys(keys []*kernel.Program, at int, batch *Batch) ([]arrow.Array, error) {
	padded := make([]arrow.Array, at+len(batch.Columns))
	copy(padded[at:], batch.Columns)
	return o.run.evalColumns(keys, &Batch{Columns: padded, Rows: batch.Rows})
}

// pair marks rows that are in a pair.
func (b *joinBuild) pair(rows []int32) {
	for _, row := range rows {
		word, bit := &b.paired[row>>6], uint64(1)<<(row&63)
		if word.Load()&bit == 0 {
			word.Or(bit)
		}
	}
}

// unpaired lists the rows that are in no pair.
func (b *joinBuild) unpaired() []int32 {
	var out []int32
	for row := range b.batch.Rows {
		if b.paired[row>>6].Load()&(1<<(row&63)) == 0 {
			out = append(out, int32(row))
		}
	}
	return out
}
