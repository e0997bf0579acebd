package exec

import (
	"cmp"
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowBuffer is the rows that one worker has collected: the columns that are read later, then the partition's, then the keys.
type windowBuffer struct {
	op      *windowOp
	batches []*Batch
	rows    int
	size    int64
	memory  reservation
	divider *rowDivider // nil before anything was spilled
}

func (o *windowOp) newBuffer() *windowBuffer {
	return &windowBuffer{op: o, memory: reservation{budget: o.run.budget, operator: "OVER"}}
}

func (b *windowBuffer) consume(batch *Batch) error {
	out := &Batch{Rows: batch.Rows}
	for i, c := range batch.Columns {
		if b.op.kept[i] {
			out.Columns = append(out.Columns, c)
		}
	}
	for _, programs := range [][]*kernel.Program{b.op.partition, b.op.keys} {
		columns, err := b.op.run.evalColumns(programs, batch)
		if err != nil {
			return err
		}
		out.Columns = append(out.Columns, columns...)
	}
	if err := b.add(out); err != nil {
		return err
	}
	return b.fit()
}

// absorb takes over another worker's rows.
func (b *windowBuffer) absorb(o *windowBuffer) {
	b.batches = append(b.batches, o.batches...)
	b.rows += o.rows
	b.size += o.size
	b.memory.held += o.memory.held
}

// arrange lays the rows of each partition side by side, in order.
func (b *windowBuffer) arrange(ctx context.Context) (*windowRows, error) {
	o := b.op
	joined, err := joinBatches(b.batches)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	split := len(joined.Columns) - len(o.keys)
	keys := joined.Columns[split:]
	partition := joined.Columns[split-len(o.partition) : split]
	w := &windowRows{run: o.run, node: o.node, count: joined.Rows, memory: &b.memory}
	var order []int32
	if o.arranged {
		w.starts = runStarts(o.partitionIDs(partition, joined.Rows), joined.Rows)
	} else {
		order, w.starts = byPartition(o.partitionIDs(partition, joined.Rows), joined.Rows)
		sortWithin(order, w.starts, keys, o.node.Order)
	}
	w.columns, w.keys = w.spread(o.kept, joined.Columns, order), make([]arrow.Array, len(keys))
	for i, k := range keys {
		w.keys[i] = inOrder(k, order)
	}
	b.batches = nil
	w.base = b.memory.held
	return w, nil
}

// spread puts the kept columns, in order, where they stand in the input.
func (w *windowRows) spread(kept []bool, columns []arrow.Array, order []int32) []arrow.Array {
	out, next := make([]arrow.Array, len(kept)), 0
	for i, k := range kept {
		if k {
			out[i] = inOrder(columns[next], order)
			next++
		}
	}
	return out
}

// inOrder gathers a column; no order leaves it as it is.
func inOrder(column arrow.Array, order []int32) arrow.Array {
	if order == nil {
		return column
	}
	return kernel.Take(column, order)
}

// partitionIDs numbers the partitions and gives each row's; nil where there is one only.
func (o *windowOp) partitionIDs(columns []arrow.Array, rows int) []uint32 {
	if len(columns) == 0 {
		return nil
	}
	ids := make([]uint32, rows)
	newGroupTable(typesOf(o.node.Partition)).assign(columns, ids)
	return ids
}

// byPartition lists the rows partition after partition, otherwise as they lie, and where each partition starts, the end included.
func byPartition(ids []uint32, rows int) (order, starts []int32) {
	if ids == nil {
		return sequence(rows), []int32{0, int32(rows)}
	}
	starts = make([]int32, slices.Max(ids)+2)
	for _, id := range ids {
		starts[id+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	next := slices.Clone(starts)
	order = make([]int32, rows)
	for row, id := range ids {
		order[next[id]] = int32(row)
		next[id]++
	}
	return order, starts
}

// runStarts is where the partitions of arranged rows start, the end included.
func runStarts(ids []uint32, rows int) []int32 {
	starts := []int32{0}
	for i := 1; i < len(ids); i++ {
		if ids[i] != ids[i-1] {
			starts = append(starts, int32(i))
		}
	}
	return append(starts, int32(rows))
}

// sortWithin orders the rows of each partition by the keys; rows equal in all stay as they lie.
func sortWithin(order, starts []int32, columns []arrow.Array, keys []plan.SortKey) {
	if len(keys) == 0 {
		return
	}
	compare := comparers(columns, keys)
	if columns[0].DataType().ID() == arrow.NULL || columns[0].NullN() > 0 {
		for i := 1; i < len(starts); i++ {
			slices.SortFunc(order[starts[i-1]:starts[i]], func(a, b int32) int { return compareRows(compare, a, b) })
		}
		return
	}
	entries, whole := firstPrefixes(columns[0], keys[0], order)
	if whole {
		compare = compare[1:] // equal prefixes mean equal values
	}
	for i := 1; i < len(starts); i++ {
		slices.SortFunc(entries[starts[i-1]:starts[i]], func(a, b prefixed) int {
			if a.prefix != b.prefix {
				return cmp.Compare(a.prefix, b.prefix)
			}
			return compareRows(compare, a.row, b.row)
		})
	}
	for i, e := range entries {
		order[i] = e.row
	}
}
