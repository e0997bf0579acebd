package continuous

import "github.com/apache/arrow-go/v18/arrow"

// divides tells whether there are partitions to divide the rows by.
func (p *provisional) divides() bool { return len(p.types) > 0 }

// cool moves the partitions that no row touched for longest to the disk, for so many bytes to be free. A nil one has none.
func (p *provisional) cool(bytes int64) error {
	if p == nil || !p.cold.cools || p.index.count() == 0 || bytes <= 0 || len(p.touched) > 0 {
		return nil
	}
	p.cold.open(p.space, len(p.bags()))
	return p.cold.move(p, bytes, p.bytes())
}

func (p *provisional) keys() *rowIndex { return p.index }

// columnsOf are the rows of a bag under partitions as they stand on disk, with the partition of each.
func (p *provisional) columnsOf(input int, keys []uint32) (columns []arrow.Array, owners []uint32) {
	b := p.bags()[input]
	columns, rows := p.cold.columnsOf(p.index, b, keys)
	for _, row := range rows {
		owners = append(owners, b.key[row])
	}
	return columns, owners
}

// absorb puts rows of a bag, as they stand on disk, into memory.
func (p *provisional) absorb(input int, columns []arrow.Array, rows int) error {
	values, d, _ := p.cold.parted(columns, len(p.bags()[input].vectors), rows)
	keys, _ := p.index.assign(values, rows)
	p.cold.needed(keys, p.index)
	return p.take(input, d, keys)
}

// take adds rows to a bag.
func (p *provisional) take(input int, rows Delta, keys []uint32) error {
	switch b := p.bags()[input]; {
	case rows.Rows == 0:
		return nil
	case b == p.shown:
		return p.show(&rows, keys)
	case b == p.own:
		at, err := p.timesOf(&rows)
		if err != nil {
			return err
		}
		p.wait(&rows, at, keys)
		return nil
	default:
		return b.add(rows, keys)
	}
}

// typesOf are those of the columns of a bag.
func (p *provisional) typesOf(input int) []arrow.DataType {
	switch b := p.bags()[input]; b {
	case p.shown:
		return arrowTypes(p.cols)
	case p.own:
		return arrowTypes(p.ins[0].columns())
	default:
		return arrowTypes(p.ins[input].columns())
	}
}

func (p *provisional) restoreCold(input int, columns []arrow.Array, rows int) error {
	if !p.cold.cools {
		return p.absorb(input, columns, rows)
	}
	p.cold.open(p.space, len(p.bags()))
	return p.cold.restore(p.index, input, columns, rows)
}

// spilled is the bytes on disk; of nil none.
func (p *provisional) spilled() int64 {
	if p == nil {
		return 0
	}
	return p.cold.spilled()
}

// close lets go of the disk.
func (p *provisional) close() error {
	if p == nil {
		return nil
	}
	return p.cold.close()
}
