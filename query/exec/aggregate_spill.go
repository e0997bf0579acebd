package exec

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// spilledGroups is what was spilled of one set of groups: rows of keys followed by the states of the aggregates, by part.
type spilledGroups [spillParts][]spilled

// fit asks for the memory of the groups, and spills them where there is none.
func (p *partial) fit() error {
	if !p.op.run.canSpill() {
		return p.memory.resize(p.bytes())
	}
	if p.memory.fits(p.bytes()) {
		return nil
	}
	return p.spill()
}

// spill writes all groups that have keys to disk and begins anew.
func (p *partial) spill() error {
	if p.file == nil {
		var err error
		if p.file, err = p.op.run.spillFile(); err != nil {
			return err
		}
		p.spilled = make([]spilledGroups, len(p.sets))
	}
	for i, s := range p.sets {
		if s.table == nil {
			continue
		}
		if err := p.op.run.kernel.Err(); err != nil {
			return err
		}
		if err := s.spill(p.file, 0, &p.spilled[i]); err != nil {
			return err
		}
		p.sets[i] = p.op.newGroupSet(s.columns)
	}
	return p.memory.resize(p.bytes())
}

// spill appends the groups to those that lie in a file.
func (s *groupSet) spill(file *spill.File, level int, into *spilledGroups) error {
	count := s.count()
	if count == 0 {
		return nil
	}
	keys, err := s.table.keys()
	if err != nil {
		return err
	}
	if err := s.op.run.kernel.Err(); err != nil {
		return err
	}
	parts, err := partsOf(keys, s.types, count, level)
	if err != nil {
		return err
	}
	order, ends := byPart(parts)
	// States are made of a quarter of the groups at a time, since they take as much memory again.
	most, rows := max(count/4, 1), s.op.run.chunkRows(s.bytes(), count)
	for from := 0; from < count; from += most {
		to := min(from+most, count)
		columns, err := s.state(keys, order[from:to])
		if err != nil {
			return err
		}
		start := 0
		for part, end := range ends {
			for at := max(start, from); at < min(end, to); at += rows {
				if err := s.op.run.kernel.Err(); err != nil {
					return err
				}
				piece := (&Batch{Columns: columns, Rows: to - from}).slice(at-from, min(at+rows, end, to)-from)
				written, err := s.op.run.append(file, piece.Columns, piece.Rows)
				if err != nil {
					return err
				}
				into[part] = append(into[part], written)
			}
			start = end
		}
	}
	return nil
}

// state is the keys of some groups and the states of their aggregates, side by side.
func (s *groupSet) state(keys []arrow.Array, rows []int32) ([]arrow.Array, error) {
	var out []arrow.Array
	for _, k := range keys {
		out = append(out, kernel.Take(k, rows))
	}
	groups := make([]uint32, len(rows))
	for i, row := range rows {
		groups[i] = uint32(row)
	}
	for _, a := range s.accumulators {
		state, err := a.State(groups)
		if err != nil {
			return nil, err
		}
		out = append(out, state...)
	}
	return out, nil
}

// mergeState adds groups that state gave.
func (s *groupSet) mergeState(batch *Batch) error {
	mapping := make([]uint32, batch.Rows)
	s.table.assign(batch.Columns[:len(s.columns)], mapping)
	rest := batch.Columns[len(s.columns):]
	for i, a := range s.accumulators {
		fresh := func() kernel.Accumulator { return s.op.newAccumulator(s, i) }
		none, err := fresh().State(nil)
		if err != nil {
			return err
		}
		if err := kernel.MergeState(a, fresh, rest[:len(none)], mapping, s.count()); err != nil {
			return err
		}
		rest = rest[len(none):]
	}
	return nil
}

// spilledSet is a part of one set's groups that is still to be brought back.
type spilledSet struct {
	columns []int
	level   int
	chunks  []spilled
}

// spilledReader gives the groups that were spilled, one part after another.
type spilledReader struct {
	op     *aggregateOp
	parts  []spilledSet
	file   *spill.File // of parts that are divided again; nil before the first
	memory reservation
	output reader // nil where the next part is still to be brought back
}

// newSpilledReader spills what workers still hold, and begins with the sets that have no keys, which never spill.
func (o *aggregateOp) newSpilledReader(ctx context.Context, partials []*partial) (*spilledReader, error) {
	r := &spilledReader{op: o, memory: reservation{budget: o.run.budget, operator: "GROUP BY"}}
	for _, p := range partials {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.spill(); err != nil {
			return nil, err
		}
	}
	var without []*Batch
	for i, s := range partials[0].sets {
		if s.table == nil {
			for _, p := range partials[1:] {
				if err := s.merge(p.sets[i]); err != nil {
					return nil, err
				}
			}
			batch, err := s.result()
			if err != nil {
				return nil, err
			}
			without = append(without, batch)
			continue
		}
		for part := range spillParts {
			whole := spilledSet{columns: s.columns, level: 1}
			for _, p := range partials {
				whole.chunks = append(whole.chunks, p.spilled[i][part]...)
			}
			r.parts = append(r.parts, whole)
		}
	}
	for _, p := range partials {
		p.memory.release()
	}
	if len(without) == 0 {
		return r, nil
	}
	batch, err := joinBatches(without)
	r.output = &sliceReader{batch: batch, size: o.run.engine.options.BatchRows}
	return r, err
}

func (r *spilledReader) next(ctx context.Context) (*Batch, error) {
	for {
		if r.output != nil {
			batch, err := r.output.next(ctx)
			if !errors.Is(err, io.EOF) {
				return batch, err
			}
			r.output = nil
			r.memory.release()
		}
		if len(r.parts) == 0 {
			return nil, io.EOF
		}
		part := r.parts[0]
		r.parts = r.parts[1:]
		batch, err := r.bringBack(ctx, part)
		if err != nil {
			return nil, err
		}
		if batch != nil {
			r.output = &sliceReader{batch: batch, size: r.op.run.engine.options.BatchRows}
		}
	}
}

func (r *spilledReader) close() {}

// bringBack computes the groups of a part. Where they have no room it divides the part, to be brought back later, and gives nil.
func (r *spilledReader) bringBack(ctx context.Context, part spilledSet) (*Batch, error) {
	s := r.op.newGroupSet(part.columns)
	var again *spilledGroups
	for _, chunk := range part.chunks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch, err := chunk.read()
		if err != nil {
			return nil, err
		}
		if err := s.mergeState(batch); err != nil {
			return nil, err
		}
		if r.memory.fits(s.bytes()) {
			continue
		}
		if s.count() < 2 || part.level >= spillLevels { // dividing does not help: all of the budget, or none
			if err := r.memory.resize(s.bytes()); err != nil {
				return nil, err
			}
			continue
		}
		if again == nil {
			again = &spilledGroups{}
		}
		if s, err = r.divide(s, part.level, again); err != nil {
			return nil, err
		}
	}
	if again == nil {
		if s.count() == 0 {
			return nil, nil
		}
		return s.result()
	}
	if _, err := r.divide(s, part.level, again); err != nil {
		return nil, err
	}
	for _, chunks := range again {
		r.parts = append(r.parts, spilledSet{columns: part.columns, level: part.level + 1, chunks: chunks})
	}
	return nil, nil
}

// divide spills a set by the next bits of the hash and gives an empty one.
func (r *spilledReader) divide(s *groupSet, level int, into *spilledGroups) (*groupSet, error) {
	if r.file == nil {
		var err error
		if r.file, err = r.op.run.spillFile(); err != nil {
			return nil, err
		}
	}
	if err := s.spill(r.file, level, into); err != nil {
		return nil, err
	}
	r.memory.release()
	return r.op.newGroupSet(s.columns), nil
}
