package exec

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"
)

// groupParts is how many parts rows are divided into before they are grouped: enough that the table of a part fits a core's second-level
// cache up to some million groups, and few enough that each has some hundred rows of a batch.
const groupParts = 64

// divided is rows, or groups, that lie part after part by a hash of their keys, which are the first columns.
type divided struct {
	batch *Batch
	ends  []int // of each part
}

// part is the rows of one part; it has no rows where there are none.
func (d *divided) part(i int) *Batch {
	from := 0
	if i > 0 {
		from = d.ends[i-1]
	}
	if from == d.ends[i] {
		return &Batch{}
	}
	return d.batch.slice(from, d.ends[i])
}

// divide lists rows by a hash of their keys, part after part and otherwise as they lie, and where each part ends.
func divide(hasher *partHasher, keys []arrow.Array, count int) (rows []int32, ends []int, err error) {
	hashes, err := hasher.hashes(keys, count)
	if err != nil {
		return nil, nil, err
	}
	const mask = groupParts - 1
	next := make([]int, groupParts+1)
	for _, h := range hashes {
		next[h&mask+1]++
	}
	for p := 1; p <= groupParts; p++ {
		next[p] += next[p-1]
	}
	rows = make([]int32, count)
	for i, h := range hashes {
		at := &next[h&mask]
		rows[*at] = int32(i)
		*at++
	}
	return rows, next[:groupParts], nil
}

// divided lays the groups out part after part: keys, then the states of the aggregates.
func (s *groupSet) divided() (*divided, error) {
	if s.count() == 0 {
		return &divided{ends: make([]int, groupParts)}, nil
	}
	keys, err := s.table.keys()
	if err != nil {
		return nil, err
	}
	rows, ends, err := divide(newPartHasher(s.types), keys, s.count())
	if err != nil {
		return nil, err
	}
	if err := s.op.run.kernel.Err(); err != nil {
		return nil, err
	}
	columns, err := s.state(keys, rows)
	return &divided{batch: &Batch{Columns: columns, Rows: len(rows)}, ends: ends}, err
}

// mergedParts groups rows that workers have divided, part by part. Whoever is at one part needs nothing of the others.
type mergedParts struct {
	op       *aggregateOp
	partials []*partial
	groups   []*divided   // that each worker had found before it divided rows
	next     atomic.Int32 // the next part
	ended    atomic.Int32 // readers that have found no part left
	memory   reservation
}

// newMergedParts divides what the workers hold in tables. It gives nil where no worker has divided rows, or where there is no room.
func (o *aggregateOp) newMergedParts(ctx context.Context, partials []*partial) (*mergedParts, error) {
	tables, rows, spreads := int64(0), int64(0), false
	for _, p := range partials {
		tables, rows, spreads = tables+p.sets[0].bytes(), rows+p.spread.bytes, spreads || p.spread.on
	}
	if !spreads {
		return nil, nil
	}
	m := &mergedParts{op: o, partials: partials, memory: reservation{budget: o.run.budget, operator: "GROUP BY"}}
	const copies = 4 // of a part: its table and states, while it grows, and what it gives
	if !m.memory.fits(tables + copies*int64(o.width())*(tables+rows)/groupParts) {
		return nil, nil
	}
	m.groups = make([]*divided, len(partials))
	workers, ctx := errgroup.WithContext(ctx)
	for i, p := range partials {
		workers.Go(func() error {
			return guard(func() (err error) {
				if err = ctx.Err(); err == nil {
					m.groups[i], err = p.sets[0].divided()
				}
				p.sets[0] = o.newGroupSet(p.sets[0].columns)
				return err
			})
		})
	}
	return m, workers.Wait()
}

// reader groups the next part; io.EOF after the last. It may take over the table of the part before.
func (m *mergedParts) reader(ctx context.Context, before *groupTable) (reader, *groupTable, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	part := int(m.next.Add(1)) - 1
	if part >= groupParts {
		m.end()
		return nil, nil, io.EOF
	}
	s := m.op.newGroupSet(m.op.node.SetsOfGroups()[0])
	if before != nil && before.reset() {
		s.table = before
	} else {
		s.table.fuse()
	}
	for _, d := range m.groups {
		if batch := d.part(part); batch.Rows > 0 {
			if err := s.mergeState(batch); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, p := range m.partials {
		for _, d := range p.spread.rows {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			if batch := d.part(part); batch.Rows > 0 {
				if err := s.consume(batch); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	if s.count() == 0 {
		return &sliceReader{batch: &Batch{}}, s.table, nil
	}
	batch, err := s.result()
	return &sliceReader{batch: batch, size: m.op.run.engine.options.BatchRows}, s.table, err
}

// end gives the memory back when the last reader has found no part left.
func (m *mergedParts) end() {
	if int(m.ended.Add(1)) < m.op.width() {
		return
	}
	for _, p := range m.partials {
		p.spread.rows = nil
		p.memory.release()
	}
	m.groups = nil
	m.memory.release()
}
