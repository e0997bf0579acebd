package continuous

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// cools tells whether keys may go to the disk, each row with its time and a mark of those that do not wait for it.
func (n *asofNode) cools() bool { return n.spill != nil && len(n.keyTypes) > 0 }

// coldTypes are those of the columns of a side on disk.
func (n *asofNode) coldTypes(side int) []arrow.DataType {
	out := append(typesOfKeys(n.keyTypes), arrowTypes(n.ins[side].columns())...)
	return append(out, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Boolean)
}

// warmDue brings the keys back of which a row of the left side is to be given.
func (o *asofOp) warmDue(passed int64) error {
	if len(o.cold.stores) == 0 {
		return nil
	}
	hashes, err := o.cold.stores[leftSide].waiting(passed)
	if err != nil {
		return err
	}
	return o.cold.take(hashes, o.absorb)
}

// forgetCold drops the rows of the right side on disk that are too old to be met.
func (o *asofOp) forgetCold(passed int64) error {
	if len(o.cold.stores) == 0 || o.node.within < 0 {
		return nil
	}
	return o.cold.stores[rightSide].expire(saturated(passed, -o.node.within))
}

// absorb puts rows of a side, as they stand on disk, into memory.
func (o *asofOp) absorb(side int, columns []arrow.Array, rows int) error {
	values, d, added := o.cold.parted(columns, len(o.sides[side].rows.vectors), rows)
	d.Weights = nil
	keys, _ := o.index.assign(values, rows)
	o.keep(side, d, keys, added[0].(*array.Int64).Int64Values())
	o.cold.needed(keys, o.index)
	return nil
}

// spill implements spiller.
func (o *asofOp) spill(bytes int64) error {
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

func (o *asofOp) keys() *rowIndex { return o.index }

// columnsOf are the rows of a side under keys as they stand on disk, with the key of each.
func (o *asofOp) columnsOf(side int, keys []uint32) (columns []arrow.Array, owners []uint32) {
	s := &o.sides[side]
	columns, rows := o.cold.columnsOf(o.index, s.rows, keys)
	times, settled := make([]int64, len(rows)), event.NewBitmap(len(rows))
	for i, row := range rows {
		times[i] = s.times[row]
		owners = append(owners, s.rows.key[row])
		if side == rightSide {
			settled.Set(i)
		}
	}
	return append(columns, event.NewInt64s(times, nil), event.NewBooleans(settled, len(rows), nil)), owners
}

// beginSpill makes the stores.
func (o *asofOp) beginSpill() {
	if len(o.cold.stores) > 0 {
		return
	}
	o.cold.open(o.node.spill, len(o.sides))
	for side, store := range o.cold.stores {
		width := len(o.node.coldTypes(side))
		store.time, store.shown = width-2, width-1
	}
}

func (o *asofOp) restoreCold(side int, columns []arrow.Array, rows int) error {
	if !o.cold.cools {
		return o.absorb(side, columns, rows)
	}
	o.beginSpill()
	return o.cold.restore(o.index, side, columns, rows)
}

// spilled implements spiller.
func (o *asofOp) spilled() int64 { return o.cold.spilled() + o.ahead.spilled() }

// close implements spiller.
func (o *asofOp) close() error { return errors.Join(o.cold.close(), o.ahead.close()) }
