package exec

import (
	"github.com/tidemarkdb/tidemark/query/spill"
)

// partWriter divides rows into parts and writes each part's to disk, some at a time. It belongs to one goroutine.
type partWriter struct {
	run     *run
	file    *spill.File
	pending [spillParts]pendingRows
	parts   [spillParts][]spilled
}

// pendingRows are rows of a part that are not yet enough for a chunk.
type pendingRows struct {
	batches []*Batch
	rows    int
	bytes   int64
}

func (r *run) newPartWriter() (*partWriter, error) {
	file, err := r.spillFile()
	return &partWriter{run: r, file: file}, err
}

// add takes a batch, of whose rows parts says the part.
func (w *partWriter) add(batch *Batch, parts []uint8) error {
	order, ends := byPart(parts)
	start := 0
	for part, end := range ends {
		if end > start {
			if err := w.addTo(part, batch.take(order[start:end], all(len(batch.Columns)))); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// addTo takes rows of one part.
func (w *partWriter) addTo(part int, batch *Batch) error {
	p := &w.pending[part]
	p.batches = append(p.batches, batch)
	p.rows += batch.Rows
	p.bytes += batchBytes(batch)
	if p.bytes < w.run.chunkBytes() && p.rows < w.run.engine.options.BatchRows {
		return nil
	}
	return w.flush(part)
}

// flush writes a part's pending rows.
func (w *partWriter) flush(part int) error {
	p := &w.pending[part]
	if p.rows == 0 {
		return nil
	}
	whole, err := joinBatches(p.batches)
	if err != nil {
		return err
	}
	written, err := w.run.append(w.file, whole.Columns, whole.Rows)
	if err != nil {
		return err
	}
	w.parts[part] = append(w.parts[part], written)
	*p = pendingRows{}
	return nil
}

// finish writes what is pending and gives the chunks of each part.
func (w *partWriter) finish() ([spillParts][]spilled, error) {
	for part := range w.pending {
		if err := w.run.kernel.Err(); err != nil {
			return w.parts, err
		}
		if err := w.flush(part); err != nil {
			return w.parts, err
		}
	}
	return w.parts, nil
}
