package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// joinTable finds, for the key values of a row, the rows of the build side that have the same. Rows with equal keys form a
// group; groups are numbered from 1, and 0 stands for a row that is in none because one of its keys is NULL or, on the probe
// side, was never met. Without keys all rows form group 1. Once built it is only read, from any goroutine.
type joinTable struct {
	keys []joinKey
	// pairs[i] numbers the pairs of a group by keys 0..i and the number of key i+1.
	pairs []*intTable
	// rows lists the rows of group g at rows[starts[g]:starts[g+1]].
	starts, rows []int32
	// single is the one row of each group; nil where some group has more.
	single []int32
}

func newJoinTable(keys []joinKey) *joinTable {
	t := &joinTable{keys: keys}
	for range max(0, len(keys)-1) {
		t.pairs = append(t.pairs, newIntTable())
	}
	return t
}

// build takes in all rows of the build side, whose key values are columns, and gives the group of each. It fails where nobody waits for the
// answer any more.
func (t *joinTable) build(ctx *kernel.Context, columns []arrow.Array, rows int) ([]uint32, error) {
	groups := make([]uint32, rows)
	const atOnce = 1 << 16 // that many take some milliseconds
	for from := 0; from < rows; from += atOnce {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+atOnce, rows)
		t.number((&Batch{Columns: columns}).slice(from, to).Columns, groups[from:to], &joinScratch{}, true)
	}
	t.layOut(groups, nil)
	return groups, ctx.Err()
}

// layOut lists the rows of each group, in the order that order has them; nil stands for all rows as they lie.
func (t *joinTable) layOut(groups []uint32, order []int32) {
	rows := len(groups)
	if order != nil {
		rows = len(order)
	}
	at := func(i int) int {
		if order != nil {
			return int(order[i])
		}
		return i
	}
	most := uint32(0)
	if len(t.keys) == 0 {
		most = 1
	}
	for _, g := range groups {
		most = max(most, g)
	}
	t.starts = make([]int32, int(most)+2)
	for i := range rows {
		t.starts[groups[at(i)]+1]++
	}
	for i := 1; i < len(t.starts); i++ {
		t.starts[i] += t.starts[i-1]
	}
	// Filling moves each start to the end of its group, which is the start of the next: shift them back after.
	t.rows = make([]int32, rows)
	for i := range rows {
		row := at(i)
		g := groups[row]
		t.rows[t.starts[g]] = int32(row)
		t.starts[g]++
	}
	copy(t.starts[1:], t.starts)
	t.starts[0] = 0
	t.single = nil
	if order == nil && t.largest() <= 1 {
		t.single = make([]int32, most+1)
		for row, g := range groups {
			t.single[g] = int32(row)
		}
	}
}

// largest is how many rows the largest group has.
func (t *joinTable) largest() int {
	most := int32(0)
	for g := 1; g+1 < len(t.starts); g++ {
		most = max(most, t.starts[g+1]-t.starts[g])
	}
	return int(most)
}

// probe writes the group of each row, given its key values.
func (t *joinTable) probe(columns []arrow.Array, groups []uint32, scratch *joinScratch) {
	t.number(columns, groups, scratch, false)
}

// group is the rows of one group.
func (t *joinTable) group(g uint32) []int32 { return t.rows[t.starts[g]:t.starts[g+1]] }

func (t *joinTable) number(columns []arrow.Array, groups []uint32, scratch *joinScratch, insert bool) {
	if len(t.keys) == 0 {
		for i := range groups {
			groups[i] = 1
		}
		return
	}
	t.numberKey(0, columns[0], groups, scratch, insert)
	for i, pair := range t.pairs {
		scratch.numbers = resized(scratch.numbers, len(groups))
		t.numberKey(i+1, columns[i+1], scratch.numbers, scratch, insert)
		for row, left := range groups {
			right := scratch.numbers[row]
			switch {
			case left == 0 || right == 0:
				groups[row] = 0
			case insert:
				groups[row] = pair.insert(int64(left)<<32|int64(right)) + 1
			default:
				groups[row] = pair.find(int64(left)<<32 | int64(right))
			}
		}
	}
}

func (t *joinTable) numberKey(i int, values arrow.Array, numbers []uint32, scratch *joinScratch, insert bool) {
	if values.DataType().ID() == arrow.NULL {
		clear(numbers)
		return
	}
	if insert {
		t.keys[i].insert(values, numbers)
		return
	}
	t.keys[i].find(values, numbers, scratch)
}

func (t *joinTable) bytes() int64 {
	total := int64(4 * (cap(t.starts) + cap(t.rows) + cap(t.single)))
	for _, k := range t.keys {
		total += k.bytes()
	}
	for _, p := range t.pairs {
		total += p.bytes()
	}
	return total
}
