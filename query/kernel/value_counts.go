package kernel

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// valueCounts counts how often each value comes in each group. It keeps one copy of every distinct value.
type valueCounts struct {
	valueNumbers
	pairs map[uint64]int64 // by group in the upper half and number in the lower
}

// valueCount is how often a group has the value with a number.
type valueCount struct {
	value uint32
	n     int64
}

// update counts the values of a batch that are not NULL.
func (c *valueCounts) update(groups Groups, o Operand, t event.Type, rows int) error {
	if rows == 0 {
		return nil
	}
	values := o.Expand(rows)
	numbers, err := c.numbers(values, t)
	if err != nil {
		return err
	}
	if c.pairs == nil {
		c.pairs = map[uint64]int64{}
	}
	valid := validityOf(values)
	for i, number := range numbers {
		if valid.Valid(i) {
			c.pairs[uint64(groupOf(groups, i))<<32|uint64(number)]++
		}
	}
	return nil
}

// merge adds what o counted, its groups renumbered.
func (c *valueCounts) merge(o *valueCounts, t event.Type, mapping []uint32) error {
	if o.count == 0 {
		return nil
	}
	values, err := o.values(t)
	if err != nil {
		return err
	}
	numbers, err := c.numbers(values, t)
	if err != nil {
		return err
	}
	if c.pairs == nil {
		c.pairs = map[uint64]int64{}
	}
	for pair, n := range o.pairs {
		c.pairs[uint64(mapping[pair>>32])<<32|uint64(numbers[uint32(pair)])] += n
	}
	return nil
}

// byGroup lists the counts of each group, most frequent first, those equally frequent in the order of their values.
func (c *valueCounts) byGroup(groups int, t event.Type) ([][]valueCount, arrow.Array, error) {
	values, err := c.values(t)
	if err != nil {
		return nil, nil, err
	}
	out := make([][]valueCount, groups)
	for pair, n := range c.pairs {
		g := pair >> 32
		out[g] = append(out[g], valueCount{value: uint32(pair), n: n})
	}
	compare := Comparer(values, values, t)
	for _, counted := range out {
		slices.SortFunc(counted, func(x, y valueCount) int {
			if c := cmp.Compare(y.n, x.n); c != 0 {
				return c
			}
			return compare(int(x.value), int(y.value))
		})
	}
	return out, values, nil
}

func (c *valueCounts) bytes() int64 { return c.size + int64(len(c.pairs))*mapEntryBytes }
