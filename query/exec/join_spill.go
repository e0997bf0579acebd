package exec

import (
	"context"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// dividedBuild is a build side on disk, divided by a hash of its keys. It is only read, by every reader of the join for itself.
type dividedBuild struct{ parts [spillParts][]spilled }

// divisionKeys is by how many of the keys both sides can be divided: rows that belong together must meet. The value of IN is
// no such key as long as there are others, since it can be NULL and then concerns all rows that have these.
func (o *joinOp) divisionKeys() int {
	if o.byMember && len(o.keyTypes) > 1 {
		return len(o.keyTypes) - 1
	}
	return len(o.keyTypes)
}

// canSpill reports whether the join can be divided: without keys every row may belong to every other.
func (o *joinOp) canSpill() bool { return o.run.canSpill() && o.divisionKeys() > 0 }

// indexBytes is what rows of a size may take once they are found by their keys: the rows as collected and end to end, and tables as
// large as for values that are all different.
func (o *joinOp) indexBytes(size int64, rows int) int64 {
	tables := int64(2*len(o.keyTypes) - 1) // of the values of each key, and of pairs of these
	if o.byMember {
		tables *= 2
	}
	bytes := 2*size + tableBytes(tables, rows)
	if o.ranges != nil {
		bytes += rangeBytes * int64(rows)
	}
	return bytes
}

// tableBytes is what some tables of rows' keys may take, as large as for keys that are all different, with the lists of their groups.
func tableBytes(tables int64, rows int) int64 {
	slots := int64(firstSlots)
	for slots < 2*int64(rows) {
		slots *= 4
	}
	const places = 12 // for each row, in the lists
	return tables*slots*intSlotSize + places*int64(rows)
}

// joinDivider divides rows of the build side.
type joinDivider struct {
	op     *joinOp
	writer *partWriter
	level  int
	// Where the value of IN is the only key, every part needs to know of the others whether there was a row at all and whether one
	// was NULL: one row of each kind goes to all parts.
	anyRow, anyNull bool
}

func (o *joinOp) newDivider(level int) (*joinDivider, error) {
	writer, err := o.run.newPartWriter()
	return &joinDivider{op: o, writer: writer, level: level}, err
}

func (d *joinDivider) add(batch *Batch) error {
	o := d.op
	keys, err := o.evalKeys(o.buildKeys, o.buildAt(), batch)
	if err != nil {
		return err
	}
	n := o.divisionKeys()
	if o.byMember && n == len(o.keyTypes) {
		for row := 0; row < batch.Rows && (!d.anyRow || !d.anyNull); row++ {
			seen := &d.anyRow
			if isNull(keys[0], row) {
				seen = &d.anyNull
			}
			if *seen {
				continue
			}
			*seen = true
			for part := range spillParts {
				if err := d.writer.addTo(part, batch.take([]int32{int32(row)}, all(len(batch.Columns)))); err != nil {
					return err
				}
			}
		}
	}
	parts, err := partsOf(keys[:n], o.keyTypes, batch.Rows, d.level)
	if err != nil {
		return err
	}
	return d.writer.add(batch, parts)
}

// spill divides what has been collected.
func (b *joinBuffer) spill() error {
	if b.parts == nil {
		var err error
		if b.parts, err = b.op.newDivider(0); err != nil {
			return err
		}
	}
	for _, batch := range b.batches {
		if err := b.op.run.kernel.Err(); err != nil {
			return err
		}
		if err := b.parts.add(batch); err != nil {
			return err
		}
	}
	b.batches, b.rows, b.size = nil, 0, 0
	return b.memory.resize(0)
}

// divideBuild spills what workers still hold.
func (o *joinOp) divideBuild(buffers []*joinBuffer) (*joinBuild, error) {
	out := &dividedBuild{}
	for _, b := range buffers {
		if err := b.spill(); err != nil {
			return nil, err
		}
		parts, err := b.parts.writer.finish()
		if err != nil {
			return nil, err
		}
		for i, chunks := range parts {
			out.parts[i] = append(out.parts[i], chunks...)
		}
	}
	return &joinBuild{divided: out}, nil
}

// joinPart is what is still to be joined with each other.
type joinPart struct {
	build, probe []spilled
	level        int // of the bits that divide it further
}

// dividedReader divides the probe side like the build side, and then joins part by part.
type dividedReader struct {
	op     *joinOp
	build  *dividedBuild
	input  reader
	parts  []joinPart // nil before the probe side was divided
	join   *joinReader
	memory reservation
	ready  bool
}

func (o *joinOp) newDividedReader(build *dividedBuild, input reader) *dividedReader {
	return &dividedReader{op: o, build: build, input: input, memory: reservation{budget: o.run.budget, operator: "JOIN"}}
}

func (r *dividedReader) next(ctx context.Context) (*Batch, error) {
	if !r.ready {
		probe, err := r.divideProbe(ctx, r.input, 0)
		if err != nil {
			return nil, err
		}
		for i := range spillParts {
			r.parts = append(r.parts, joinPart{build: r.build.parts[i], probe: probe[i], level: 1})
		}
		r.ready = true
	}
	for {
		if r.join != nil {
			batch, err := r.join.next(ctx)
			if !errors.Is(err, io.EOF) {
				return batch, err
			}
			r.join.build.memory.release()
			r.join = nil
		}
		if len(r.parts) == 0 {
			return nil, io.EOF
		}
		part := r.parts[0]
		r.parts = r.parts[1:]
		if !r.op.gives(part) {
			continue
		}
		if err := r.begin(ctx, part); err != nil {
			return nil, err
		}
	}
}

// gives reports whether a part can have rows in the outcome.
func (o *joinOp) gives(part joinPart) bool {
	switch {
	case len(part.probe) == 0:
		return len(part.build) > 0 && o.pads(o.buildIsLeft)
	case len(part.build) == 0:
		return o.pads(!o.buildIsLeft) || o.node.Kind == plan.MarkJoin
	default:
		return true
	}
}

// divideProbe writes rows of the probe side to disk.
func (r *dividedReader) divideProbe(ctx context.Context, in reader, level int) ([spillParts][]spilled, error) {
	o := r.op
	writer, err := o.run.newPartWriter()
	if err != nil {
		return writer.parts, err
	}
	err = feed(ctx, in, func(batch *Batch) error {
		keys, err := o.evalKeys(o.probeKeys, o.probeAt(), batch)
		if err != nil {
			return err
		}
		parts, err := partsOf(keys[:o.divisionKeys()], o.keyTypes, batch.Rows, level)
		if err != nil {
			return err
		}
		return writer.add(batch, parts)
	})
	if err != nil {
		return writer.parts, err
	}
	return writer.finish()
}

// begin brings the build side of a part back to look rows up in it, or divides the part where it has no room.
func (r *dividedReader) begin(ctx context.Context, part joinPart) error {
	whole := &joinBuffer{memory: r.memory}
	for _, chunk := range part.build {
		if err := ctx.Err(); err != nil {
			return err
		}
		needed := r.op.indexBytes(whole.size+chunk.chunk.Bytes, whole.rows+chunk.chunk.Rows)
		if !whole.memory.fits(needed) {
			if part.level < spillLevels && len(part.build) > 1 {
				whole.memory.release()
				return r.divide(ctx, part)
			}
			if err := whole.memory.resize(needed); err != nil { // dividing does not help: all of the budget, or none
				return err
			}
		}
		batch, err := chunk.read()
		if err != nil {
			return err
		}
		whole.add(batch)
	}
	build, err := r.op.index(whole)
	if err != nil {
		return err
	}
	r.join = &joinReader{op: r.op, input: &chunkReader{chunks: part.probe}}
	r.join.load = r.join.probe
	r.join.use(build)
	return nil
}

// divide divides a part by further bits of the hash.
func (r *dividedReader) divide(ctx context.Context, part joinPart) error {
	divider, err := r.op.newDivider(part.level)
	if err != nil {
		return err
	}
	if err := feed(ctx, &chunkReader{chunks: part.build}, divider.add); err != nil {
		return err
	}
	build, err := divider.writer.finish()
	if err != nil {
		return err
	}
	probe, err := r.divideProbe(ctx, &chunkReader{chunks: part.probe}, part.level)
	if err != nil {
		return err
	}
	rows := rowsOf(part.build)
	for i := range spillParts {
		level := part.level + 1
		if rowsOf(build[i]) == rows {
			level = spillLevels // the keys are as good as equal: no use to divide again
		}
		r.parts = append(r.parts, joinPart{build: build[i], probe: probe[i], level: level})
	}
	return nil
}

func rowsOf(chunks []spilled) int {
	rows := 0
	for _, c := range chunks {
		rows += c.chunk.Rows
	}
	return rows
}

// chunkReader gives rows that were spilled.
type chunkReader struct{ chunks []spilled }

func (r *chunkReader) next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.chunks) == 0 {
		return nil, io.EOF
	}
	batch, err := r.chunks[0].read()
	r.chunks = r.chunks[1:]
	return batch, err
}

func (r *chunkReader) close() {}
