package exec

import (
	"context"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/event"
)

// rowPart is rows on disk that belong together, as far as the bits of their keys' hash that have been looked at tell.
type rowPart struct {
	chunks []spilled
	level  int // of the bits that divide it further
}

// rowDivider divides rows by the hash of some of their columns. It belongs to one goroutine.
type rowDivider struct {
	writer *partWriter
	first  int // of the columns to divide by
	types  []event.Type
	level  int
}

func (r *run) newRowDivider(first int, types []event.Type, level int) (*rowDivider, error) {
	writer, err := r.newPartWriter()
	return &rowDivider{writer: writer, first: first, types: types, level: level}, err
}

func (d *rowDivider) add(batch *Batch) error {
	parts, err := partsOf(batch.Columns[d.first:d.first+len(d.types)], d.types, batch.Rows, d.level)
	if err != nil {
		return err
	}
	return d.writer.add(batch, parts)
}

// addAll is add of more rows than a batch has, some at a time.
func (d *rowDivider) addAll(batch *Batch) error {
	most := d.writer.run.engine.options.BatchRows
	for from := 0; from < batch.Rows; from += most {
		if err := d.writer.run.kernel.Err(); err != nil {
			return err
		}
		if err := d.add(batch.slice(from, min(from+most, batch.Rows))); err != nil {
			return err
		}
	}
	return nil
}

// finishRows writes what dividers still hold and brings their parts together, in the order of the dividers.
func finishRows(dividers []*rowDivider) ([]rowPart, error) {
	out := make([]rowPart, spillParts)
	for _, d := range dividers {
		parts, err := d.writer.finish()
		if err != nil {
			return nil, err
		}
		for i, chunks := range parts {
			out[i].chunks = append(out[i].chunks, chunks...)
			out[i].level = d.level + 1
		}
	}
	return out, nil
}

// rowCollector computes something of rows that fit into memory together.
type rowCollector interface {
	// room asks for the memory to take more rows.
	room(bytes int64, rows int) bool
	// insist asks once more, for all that the query may have, or fails.
	insist(bytes int64, rows int) error
	add(batch *Batch) error
	result(ctx context.Context) (*Batch, error)
	// let gives the memory back.
	let()
}

// partsReader computes part by part what a collector computes of its rows.
type partsReader struct {
	run          *run
	parts        []rowPart
	newCollector func() rowCollector
	first        int // of the columns to divide by
	types        []event.Type
	current      rowCollector // whose result is being given; nil for none
	output       reader
}

func (r *partsReader) next(ctx context.Context) (*Batch, error) {
	for {
		if r.current != nil {
			batch, err := r.output.next(ctx)
			if !errors.Is(err, io.EOF) {
				return batch, err
			}
			r.current.let()
			r.current = nil
		}
		if len(r.parts) == 0 {
			return nil, io.EOF
		}
		part := r.parts[0]
		r.parts = r.parts[1:]
		if len(part.chunks) == 0 {
			continue
		}
		if err := r.collect(ctx, part); err != nil {
			return nil, err
		}
	}
}

func (r *partsReader) close() {}

// collect computes a part, or divides it where it has no room.
func (r *partsReader) collect(ctx context.Context, part rowPart) error {
	c := r.newCollector()
	for _, chunk := range part.chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !c.room(chunk.chunk.Bytes, chunk.chunk.Rows) {
			if part.level < spillLevels && len(part.chunks) > 1 {
				c.let()
				return r.divide(ctx, part)
			}
			if err := c.insist(chunk.chunk.Bytes, chunk.chunk.Rows); err != nil {
				return err
			}
		}
		batch, err := chunk.read()
		if err != nil {
			return err
		}
		if err := c.add(batch); err != nil {
			return err
		}
	}
	whole, err := c.result(ctx)
	if err != nil {
		return err
	}
	r.current, r.output = c, &sliceReader{batch: whole, size: r.run.engine.options.BatchRows}
	return nil
}

func (r *partsReader) divide(ctx context.Context, part rowPart) error {
	divider, err := r.run.newRowDivider(r.first, r.types, part.level)
	if err != nil {
		return err
	}
	if err := feed(ctx, &chunkReader{chunks: part.chunks}, divider.add); err != nil {
		return err
	}
	parts, err := finishRows([]*rowDivider{divider})
	r.parts = append(r.parts, parts...)
	return err
}
