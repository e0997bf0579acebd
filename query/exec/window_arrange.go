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
	// buckets, by batch, divide the others by a hash of their partitions; most is the number of rows of the fullest one. Neither is kept where
	// there is no PARTITION BY or the rows are arranged.
	buckets [][]uint8
	hasher  *partHasher // nil before the first rows
	fill    [windowBuckets]int32
	most    int32
	memory  reservation
	// divider or sorted takes the rows once something was spilled; nil before.
	divider *rowDivider
	sorted  *sortBuffer
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
	if b.sorted != nil {
		return b.sorted.consume(out)
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
	if b.hasher == nil {
		b.hasher = newPartHasher(typesOf(b.op.node.Partition))
	}
	hashes, err := b.hasher.hashes(partition, batch.Rows)
	buckets := make([]uint8, len(hashes))
	for i, h := range hashes {
		bucket := uint8(h >> 56) // spilling divides by the low bits
		buckets[i] = bucket
		b.fill[bucket]++
		b.most = max(b.most, b.fill[bucket])
	}
	b.buckets = append(b.buckets, buckets)
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
func (p *windowParts) arrange(part windowPart) (*windowRows, error) {
	o := p.op
	w := &windowRows{run: o.run, node: o.node, count: int(part.to - part.from), starts: part.starts}
	if part.starts != nil {
		whole := p.whole.slice(int(part.from), int(part.to))
		_, w.keys = o.split(whole.Columns)
		w.columns = w.spread(o.kept, whole.Columns, nil)
		return w, nil
	}
	whole := p.whole.slice(0, p.whole.Rows)
	columns, keys := o.split(whole.Columns)
	var rows []int32
	if p.rows != nil {
		rows = p.rows[part.from:part.to]
	}
	var order []int32
	order, w.starts = byPartition(o.partitionIDs(allInOrder(columns, rows), w.count), w.count)
	if rows != nil {
		for i, at := range order {
			order[i] = rows[at]
		}
	}
	if err := sortWithin(o.run.kernel, order, w.starts, keys, o.node.Order); err != nil {
		return nil, err
	}
	if rows == nil && isSequence(order) {
		order = nil
	}
	w.keys = allInOrder(keys[:len(o.node.Peers())], order)
	if err := o.run.kernel.Err(); err != nil {
		return nil, err
	}
	w.columns = w.spread(o.kept, whole.Columns, order)
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

// sortWithin orders rows of the columns, which are those of partitions side by side, by the keys within each partition; rows equal in all go
// by where they lie. It fails where nobody waits for the answer any more.
func sortWithin(ctx *kernel.Context, rows, starts []int32, columns []arrow.Array, keys []plan.SortKey) error {
	for len(keys) > 0 && oneValue(columns[0], keys[0], rows) {
		columns, keys = columns[1:], keys[1:]
	}
	if len(keys) == 0 {
		return nil
	}
	compare := comparers(columns, keys)
	done := pace{ctx: ctx}
	if columns[0].DataType().ID() == arrow.NULL || columns[0].NullN() > 0 {
		for i := 1; i < len(starts); i++ {
			part := rows[starts[i-1]:starts[i]]
			if err := kernel.SortFunc(ctx, part, func(a, b int32) int { return compareRows(compare, a, b) }); err != nil {
				return err
			}
			if err := done.after(len(part)); err != nil {
				return err
			}
		}
		return nil
	}
	entries, whole := firstPrefixes(columns[0], keys[0], rows)
	if whole {
		compare = compare[1:] // equal prefixes mean equal values
	}
	for i := 1; i < len(starts); i++ {
		part := entries[starts[i-1]:starts[i]]
		if last := len(part) - 1; last > 0 && part[0].prefix > part[last].prefix {
			slices.Reverse(part) // sorting is quick where little is out of order
		}
		err := kernel.SortFunc(ctx, part, func(a, b prefixed) int {
			if a.prefix != b.prefix {
				return cmp.Compare(a.prefix, b.prefix)
			}
			return compareRows(compare, a.row, b.row)
		})
		if err != nil {
			return err
		}
		if err := done.after(len(part)); err != nil {
			return err
		}
	}
	for i, e := range entries {
		rows[i] = e.row
	}
	return nil
}

// oneValue reports that a key tells none of the rows apart, as far as that can be seen quickly.
func oneValue(column arrow.Array, key plan.SortKey, rows []int32) bool {
	if column.DataType().ID() == arrow.NULL || column.NullN() > 0 {
		return false
	}
	prefix, whole := prefixOf(column, key.Expr.Type())
	return whole && !slices.ContainsFunc(rows, func(row int32) bool { return prefix(int(row)) != prefix(int(rows[0])) })
}

// isSequence reports whether rows are the numbers from 0 on.
func isSequence(rows []int32) bool {
	for i, row := range rows {
		if int(row) != i {
			return false
		}
	}
	return true
}

// lineUp brings the batches into the order of their first rows. What has come from a scan, read by several workers, mostly lies in the order
// of time then, and is sorted at little cost.
func (b *windowBuffer) lineUp() {
	type placed struct {
		batch    *Batch
		buckets  []uint8
		prefixes []uint64 // of the first row's keys
	}
	all := make([]placed, len(b.batches))
	for i, batch := range b.batches {
		all[i].batch = batch
		if len(b.buckets) > 0 {
			all[i].buckets = b.buckets[i]
		}
		_, keys := b.op.split(batch.Columns)
		for k, column := range keys {
			if batch.Rows == 0 || isNull(column, 0) {
				break // of a NULL there is nothing to look at: a dictionary may have no entry
			}
			first, _ := firstPrefixes(column, b.op.node.Order[k], []int32{0})
			all[i].prefixes = append(all[i].prefixes, first[0].prefix)
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return slices.Compare(a.prefixes, b.prefixes) })
	for i, p := range all {
		b.batches[i] = p.batch
		if len(b.buckets) > 0 {
			b.buckets[i] = p.buckets
		}
	}
}
