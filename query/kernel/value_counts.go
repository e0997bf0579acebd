package kernel

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

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

// state is two columns: of each group its values and how often each comes, in the order of the values' numbers.
func (c *valueCounts) state(groups []uint32, t event.Type) ([]arrow.Array, error) {
	counted := make([][]valueCount, reach(groups))
	for pair, n := range c.pairs {
		if g := pair >> 32; g < uint64(len(counted)) {
			counted[g] = append(counted[g], valueCount{value: uint32(pair), n: n})
		}
	}
	values, err := c.values(t)
	if err != nil {
		return nil, err
	}
	return countLists(values, chosen(counted, groups), t)
}

// countLists makes lists of values, in their order, and lists of their counts.
func countLists(values arrow.Array, counted [][]valueCount, t event.Type) ([]arrow.Array, error) {
	compare := Comparer(values, values, t)
	var rows []int32
	counts, ends := make([][]int64, len(counted)), make([]int, len(counted))
	for i, of := range counted {
		slices.SortFunc(of, func(x, y valueCount) int {
			return cmp.Or(compare(int(x.value), int(y.value)), cmp.Compare(x.value, y.value))
		})
		counts[i] = []int64{}
		for _, c := range of {
			rows, counts[i] = append(rows, int32(c.value)), append(counts[i], c.n)
		}
		ends[i] = len(rows)
	}
	valueLists, err := NewLists(Decode(Take(values, rows)), ends, nil)
	if err != nil {
		return nil, err
	}
	numberLists, err := wordLists(counts)
	return []arrow.Array{valueLists, numberLists}, err
}

// openCountLists undoes countLists, numbering the values anew.
func openCountLists(state []arrow.Array, t event.Type, numbers *valueNumbers) ([][]valueCount, error) {
	values, rows := OpenLists(state[0])
	counts, countRows := OpenLists(state[1])
	if !slices.Equal(rows, countRows) || values.NullN() > 0 {
		return nil, errState("values and counts that do not fit")
	}
	codes, err := numbers.numbers(values, t)
	if err != nil {
		return nil, err
	}
	out := make([][]valueCount, state[0].Len())
	for i, n := range counts.(*array.Int64).Int64Values() {
		out[rows[i]] = append(out[rows[i]], valueCount{value: codes[i], n: n})
	}
	return out, nil
}

// restore undoes state.
func (c *valueCounts) restore(state []arrow.Array, t event.Type) error {
	counted, err := openCountLists(state, t, &c.valueNumbers)
	if err != nil {
		return err
	}
	c.pairs = map[uint64]int64{}
	for g, of := range counted {
		for _, v := range of {
			c.pairs[uint64(g)<<32|uint64(v.value)] += v.n
		}
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
