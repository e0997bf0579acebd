package continuous

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// cools tells whether partitions may go to the disk, each row with its time and whether it was given.
func (n *rollingNode) cools() bool { return n.spill != nil && len(n.types) > 0 }

// coldTypes are those of the columns on disk.
func (n *rollingNode) coldTypes() []arrow.DataType {
	out := append(typesOfKeys(n.types), arrowTypes(n.ins[0].columns())...)
	return append(out, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Boolean)
}

// warmDue brings the partitions back of which a row is to be given.
func (o *rollingOp) warmDue(passed int64) error {
	if len(o.cold.stores) == 0 {
		return nil
	}
	hashes, err := o.cold.stores[0].waiting(passed)
	if err != nil {
		return err
	}
	return o.cold.take(hashes, o.absorb)
}

// forgetCold drops the rows on disk that no frame reaches any more.
func (o *rollingOp) forgetCold(over int64) error {
	if len(o.cold.stores) == 0 || !o.node.reach.timeOnly() {
		return nil
	}
	return o.cold.stores[0].expire(over)
}

// absorb puts rows, as they stand on disk, into memory.
func (o *rollingOp) absorb(_ int, columns []arrow.Array, rows int) error {
	values, d, added := o.cold.parted(columns, len(o.rows.vectors), rows)
	d.Weights = nil
	keys, _ := o.index.assign(values, rows)
	given := make([]bool, rows)
	for i := range given {
		given[i] = added[1].(*array.Boolean).Value(i)
	}
	o.keep(d, keys, added[0].(*array.Int64).Int64Values(), given)
	o.cold.needed(keys, o.index)
	return nil
}

// spill implements spiller.
func (o *rollingOp) spill(bytes int64) error {
	before := o.bytes()
	if err := o.ahead.cool(bytes); err != nil {
		return err
	}
	if bytes -= before - o.bytes(); !o.cold.cools || o.index.count() == 0 || bytes <= 0 {
		return nil
	}
	o.beginSpill()
	return o.cold.move(o, bytes, o.bytes())
}

func (o *rollingOp) keys() *rowIndex { return o.index }

// columnsOf are the rows of partitions as they stand on disk, with the partition of each.
func (o *rollingOp) columnsOf(_ int, keys []uint32) (columns []arrow.Array, owners []uint32) {
	columns, rows := o.cold.columnsOf(o.index, o.rows, keys)
	times, given := make([]int64, len(rows)), event.NewBitmap(len(rows))
	for i, row := range rows {
		times[i] = o.times[row]
		owners = append(owners, o.rows.key[row])
		if o.given[row] {
			given.Set(i)
		}
	}
	return append(columns, event.NewInt64s(times, nil), event.NewBooleans(given, len(rows), nil)), owners
}

// beginSpill makes the store.
func (o *rollingOp) beginSpill() {
	if len(o.cold.stores) > 0 {
		return
	}
	o.cold.open(o.node.spill, 1)
	width := len(o.node.coldTypes())
	o.cold.stores[0].time, o.cold.stores[0].shown = width-2, width-1
}

func (o *rollingOp) restoreCold(input int, columns []arrow.Array, rows int) error {
	if !o.cold.cools {
		return o.absorb(input, columns, rows)
	}
	o.beginSpill()
	return o.cold.restore(o.index, input, columns, rows)
}

// spilled implements spiller.
func (o *rollingOp) spilled() int64 { return o.cold.spilled() + o.ahead.spilled() }

// close implements spiller.
func (o *rollingOp) close() error { return errors.Join(o.cold.close(), o.ahead.close()) }
