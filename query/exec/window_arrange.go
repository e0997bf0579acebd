package exec

import (
	"cmp"
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
	// together rows are computed in one part.
	together bool
	// buckets divide the others by a hash of their partitions; most is the number of rows of the fullest one. Neither is kept where there
	// is no PARTITION BY or the rows are arranged.
	buckets []uint8
	fill    [windowBuckets]int32
	most    int32
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

func (b *windowBuffer) add(batch *Batch) error {
	b.batches = append(b.batches, batch)
	b.rows += batch.Rows
	b.size += batchBytes(batch)
	if b.together || b.op.arranged || len(b.op.partition) == 0 {
		return nil
	}
	partition, _ := b.op.split(batch.Columns)
	hashes, err := partHashes(partition, typesOf(b.op.node.Partition), batch.Rows)
	for _, h := range hashes {
		bucket := uint8(h >> 56) // spilling divides by the low bits
		b.buckets = append(b.buckets, bucket)
		b.fill[bucket]++
		b.most = max(b.most, b.fill[bucket])
	}
	return err
}

// absorb takes over another worker's rows.
func (b *windowBuffer) absorb(o *windowBuffer) {
	b.batches = append(b.batches, o.batches...)
	b.buckets = append(b.buckets, o.buckets...)
	b.rows += o.rows
	b.size += o.size
	b.memory.held += o.memory.held
}

// split gives the partition's columns and the keys among those that are collected.
func (o *windowOp) split(collected []arrow.Array) (partition, keys []arrow.Array) {
	at := len(collected) - len(o.keys)
	return collected[at-len(o.partition) : at], collected[at:]
}

// arrange lays the rows of each partition of a part side by side, in order.
func (p *windowParts) arrange(part windowPart) *windowRows {
	o := p.op
	w := &windowRows{run: o.run, node: o.node, count: int(part.to - part.from), starts: part.starts}
	if part.starts != nil {
		whole := p.whole.slice(int(part.from), int(part.to))
		_, w.keys = o.split(whole.Columns)
		w.columns = w.spread(o.kept, whole.Columns, nil)
		return w
	}
	whole := p.whole.slice(0, p.whole.Rows)
	var rows []int32
	if p.rows != nil {
		rows = p.rows[part.from:part.to]
	}
	columns, keyColumns := o.split(whole.Columns)
	partition, keys := allInOrder(columns, rows), allInOrder(keyColumns, rows)
	var order []int32
	order, w.starts = byPartition(o.partitionIDs(partition, w.count), w.count)
	sortWithin(order, w.starts, keys, o.node.Order)
	w.keys = allInOrder(keys, order)
	if rows != nil {
		for i, at := range order {
			order[i] = rows[at]
		}
	}
	w.columns = w.spread(o.kept, whole.Columns, order)
	return w
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

func allInOrder(columns []arrow.Array, order []int32) []arrow.Array {
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		out[i] = inOrder(c, order)
	}
	return out
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
