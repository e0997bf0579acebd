package exec

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// pick keeps, for each group, the row that comes first by some keys; of rows that are equal in all keys, the one that it met
// first. It collects the best rows of each batch and lays them together, leaving one for each group, whenever they have become
// twice as many as there are groups: each row is moved a few times at most, however many batches there are. A row that comes behind a
// candidate of its group in the first key alone is not moved at all.
type pick struct {
	keys    []plan.SortKey // over the last columns
	batches []*Batch       // candidates
	ids     []uint32       // their groups, batch after batch
	groups  int
	size    int64
	best    []int32  // scratch: by group, the best row of a batch; -1 for none
	firsts  []uint64 // by group, the least prefix of the first key that a candidate has
}

// update takes a batch's columns, the keys last. IDs say the groups; only rows are looked at.
func (p *pick) update(columns []arrow.Array, ids []uint32, groups int, rows []int32) error {
	p.groups = max(p.groups, groups)
	chosen := p.choose(columns, ids, p.hopeful(columns, ids, rows))
	if len(chosen) == 0 {
		return nil
	}
	batch := (&Batch{Columns: columns}).take(chosen, all(len(columns)))
	for i, c := range batch.Columns {
		batch.Columns[i] = kernel.Decode(c) // lets go of dictionaries, which hold more than is left
	}
	for _, row := range chosen {
		p.ids = append(p.ids, ids[row])
	}
	p.batches = append(p.batches, batch)
	p.size += batchBytes(batch)
	const few = 8 << 10 // candidates that are cheaper to hold than to move
	if len(p.ids) > 2*p.groups+few {
		return p.settle()
	}
	return nil
}

// hopeful lists those of rows that do not come behind a candidate of their group in the first key alone, and notes how far they have come.
// Where the key has NULLs it tells nothing apart.
func (p *pick) hopeful(columns []arrow.Array, ids []uint32, rows []int32) []int32 {
	for len(p.firsts) < p.groups {
		p.firsts = append(p.firsts, math.MaxUint64)
	}
	if len(p.keys) == 0 {
		return rows
	}
	column := columns[len(columns)-len(p.keys)]
	if column.DataType().ID() == arrow.NULL || column.NullN() > 0 {
		return rows
	}
	prefixes, _ := firstPrefixes(column, p.keys[0], rows)
	kept := make([]int32, 0, len(rows))
	for _, r := range prefixes {
		if first := &p.firsts[ids[r.row]]; r.prefix <= *first {
			*first = r.prefix
			kept = append(kept, r.row)
		}
	}
	return kept
}

// choose lists the best of rows for each of their groups.
func (p *pick) choose(columns []arrow.Array, ids []uint32, rows []int32) []int32 {
	for len(p.best) < p.groups {
		p.best = append(p.best, -1)
	}
	compare := comparers(columns[len(columns)-len(p.keys):], p.keys)
	var met []uint32
	for _, row := range rows {
		best := &p.best[ids[row]]
		if *best < 0 {
			met = append(met, ids[row])
			*best = row
		} else if before(compare, row, *best) {
			*best = row
		}
	}
	chosen := make([]int32, len(met))
	for i, g := range met {
		chosen[i], p.best[g] = p.best[g], -1
	}
	return chosen
}

// before reports whether row a comes before b by the keys alone.
func before(compare []func(i, j int) int, a, b int32) bool {
	for _, c := range compare {
		if out := c(int(a), int(b)); out != 0 {
			return out < 0
		}
	}
	return false
}

// settle leaves one candidate for each group.
func (p *pick) settle() error {
	if len(p.batches) < 2 {
		return nil
	}
	whole, err := joinBatches(p.batches)
	if err != nil {
		return err
	}
	chosen := p.choose(whole.Columns, p.ids, sequence(whole.Rows))
	ids := make([]uint32, len(chosen))
	for i, row := range chosen {
		ids[i] = p.ids[row]
	}
	settled := whole.take(chosen, all(len(whole.Columns)))
	p.batches, p.ids, p.size = []*Batch{settled}, ids, batchBytes(settled)
	return nil
}

// merge adds the candidates of another worker, its groups renumbered.
func (p *pick) merge(o *pick, mapping []uint32, groups int) error {
	if err := o.settle(); err != nil || len(o.batches) == 0 {
		return err
	}
	ids := make([]uint32, len(o.ids))
	for i, g := range o.ids {
		ids[i] = mapping[g]
	}
	return p.update(o.batches[0].Columns, ids, groups, sequence(len(ids)))
}

// result gives the columns without the keys and, for each group, its row; valid marks the groups that have one.
func (p *pick) result(groups int) (columns []arrow.Array, rows []int32, valid event.Bitmap, err error) {
	if err := p.settle(); err != nil {
		return nil, nil, nil, err
	}
	rows, valid = make([]int32, groups), event.NewBitmap(groups)
	for row, g := range p.ids {
		rows[g] = int32(row)
		valid.Set(int(g))
	}
	if len(p.batches) > 0 {
		columns = p.batches[0].Columns[:len(p.batches[0].Columns)-len(p.keys)]
	}
	return columns, rows, valid, nil
}

func (p *pick) bytes() int64 { return 2*p.size + int64(4*(cap(p.ids)+cap(p.best))+8*cap(p.firsts)) }
