package continuous

// touched is the rows of a bag that a change came to, each once, with their weights before it.
type touched struct {
	rows   []uint32
	before []int64
}

// apply takes a change whose rows belong to keys and tells what it touched. Rows that come to nothing stay until sweep.
func (b *bag) apply(d *Delta, keys []uint32) touched {
	var out touched
	if d.Rows == 0 {
		return out
	}
	if b.found == nil {
		out.rows, out.before = b.place(d, keys), make([]int64, d.Rows)
		return out
	}
	b.head = lengthened(b.head, highest(keys))
	columns := decoded(d.Columns)
	met := map[uint32]bool{}
	for i, h := range hashRows(columns, d.Rows) {
		row := b.findOrMake(mixed(h, uint64(keys[i])), keys[i], cut(columns, i))
		if !met[row] {
			met[row] = true
			out.rows, out.before = append(out.rows, row), append(out.before, b.weights[row])
		}
		b.weights[row] += d.weight(i)
	}
	return out
}

// sweep takes out those of rows that have come to nothing.
func (b *bag) sweep(rows []uint32) {
	for _, row := range rows {
		if b.weights[row] == 0 {
			b.release(row)
		}
	}
}
