package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// cools tells whether keys may go to the disk; of sessions each row with the end of the last of its partition.
func (n *recomputeNode) cools() bool { return n.spill != nil && len(n.keyTypes) > 0 }

// coldTypes are those of the columns of an input on disk.
func (n *recomputeNode) coldTypes(input int) []arrow.DataType {
	out := append(typesOfKeys(n.keyTypes), arrowTypes(n.ins[input].columns())...)
	out = append(out, arrow.PrimitiveTypes.Int64)
	if n.session != nil {
		out = append(out, arrow.PrimitiveTypes.Int64)
	}
	return out
}

// forgetCold drops the rows on disk that nothing to come can change.
func (o *recomputeOp) forgetCold(final int64) error {
	if final == NoWatermark || o.node.session == nil && o.node.expires < 0 {
		return nil
	}
	lag := o.node.lag
	if o.node.session != nil {
		lag = o.node.session.lag
	}
	for _, store := range o.cold.stores {
		if err := store.expire(behind(final, lag)); err != nil {
			return err
		}
	}
	return nil
}

// absorb puts rows of an input, as they stand on disk, into memory.
func (o *recomputeOp) absorb(input int, columns []arrow.Array, rows int) error {
	values, d, _ := o.cold.parted(columns, len(o.bags[input].vectors), rows)
	keys := o.assign(values, rows)
	if err := o.bags[input].add(d, keys); err != nil {
		return err
	}
	o.watch(distinct(keys))
	return nil
}

// spill implements spiller.
func (o *recomputeOp) spill(bytes int64) error {
	if !o.cold.cools || o.index.count() == 0 || bytes <= 0 {
		return nil
	}
	o.beginSpill()
	return o.cold.move(o, bytes, o.bytes())
}

func (o *recomputeOp) keys() *rowIndex { return o.index }

// columnsOf are the rows of an input under keys as they stand on disk, with the key of each.
func (o *recomputeOp) columnsOf(input int, keys []uint32) (columns []arrow.Array, owners []uint32) {
	b := o.bags[input]
	columns, rows := o.cold.columnsOf(o.index, b, keys)
	for _, row := range rows {
		owners = append(owners, b.key[row])
	}
	if o.node.session == nil {
		return columns, owners
	}
	times := b.vectors[o.node.session.time].(*fixedVector[int64]).values
	last := map[uint32]int64{}
	for i, row := range rows {
		end := saturated(times[row], o.node.session.gap)
		if before, ok := last[owners[i]]; !ok || end > before {
			last[owners[i]] = end
		}
	}
	until := make([]int64, len(rows))
	for i, key := range owners {
		until[i] = last[key]
	}
	return append(columns, event.NewInt64s(until, nil)), owners
}

// beginSpill makes the stores.
func (o *recomputeOp) beginSpill() {
	if len(o.cold.stores) > 0 {
		return
	}
	o.cold.open(o.node.spill, len(o.bags))
	for i, store := range o.cold.stores {
		store.time = o.node.expires
		if o.node.session != nil {
			store.time = len(o.node.coldTypes(i)) - 1
		}
	}
}

func (o *recomputeOp) restoreCold(input int, columns []arrow.Array, rows int) error {
	if !o.cold.cools {
		return o.absorb(input, columns, rows)
	}
	o.beginSpill()
	return o.cold.restore(o.index, input, columns, rows)
}

// spilled implements spiller.
func (o *recomputeOp) spilled() int64 { return o.cold.spilled() }

// close implements spiller.
func (o *recomputeOp) close() error { return o.cold.close() }
