package kernel

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerTopK(all map[string]func() Accumulator) {
	for _, f := range plan.Functions["approx_top_k"] {
		all[f.Signature()] = func() Accumulator { return &topK{} }
	}
}

// topCounters is how many values of a group keep a counter.
const topCounters = 1024

// topK is approx_top_k(x, k): the k most frequent values as a JSON array of {"value", "count", "error"}. It counts as J. Misra and
// D. Gries (Finding repeated elements, 1982) do: with up to topCounters distinct values in a group the counts are exact; beyond,
// the least are forgotten and the others lowered by as much. The true count lies in [count - error, count], the error is at most
// the group's rows / topCounters, and every value more frequent than that is found.
type topK struct {
	typ     event.Type
	k       int
	numbers valueNumbers
	groups  []topGroup
	entries int64 // counters of all groups
}

type topGroup struct {
	counts  map[uint32]int64
	lowered int64 // by how much any count may be too low
}

func (a *topK) of(f *plan.Function) { a.typ = f.Args[0] }

func (a *topK) Update(groups Groups, args []Operand, rows int) error {
	a.groups = grown(a.groups, groups.Count, topGroup{})
	if rows == 0 {
		return nil
	}
	if k, ok := firstNumber(args[1], rows); ok {
		if k < 1 || k > topCounters {
			return event.Errorf(event.CodeInvalidValue, "approx_top_k gives from 1 to %d values, not %v", topCounters, k)
		}
		a.k = int(k)
	}
	values := args[0].Expand(rows)
	numbers, err := a.numbers.numbers(values, a.typ)
	if err != nil {
		return err
	}
	valid := validityOf(values)
	for i, number := range numbers {
		if valid.Valid(i) {
			a.add(&a.groups[groupOf(groups, i)], number, 1)
		}
	}
	return a.forget()
}

func (a *topK) add(g *topGroup, number uint32, n int64) {
	if g.counts == nil {
		g.counts = map[uint32]int64{}
	}
	before := len(g.counts)
	g.counts[number] += n
	a.entries += int64(len(g.counts) - before)
	if len(g.counts) > 2*topCounters {
		a.lower(g)
	}
}

// lower takes the count of the first value that has no place from all counts and drops those that reach zero.
func (a *topK) lower(g *topGroup) {
	if len(g.counts) <= topCounters {
		return
	}
	sorted := make([]int64, 0, len(g.counts))
	for _, n := range g.counts {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	by := sorted[len(sorted)-1-topCounters]
	g.lowered += by
	a.entries -= int64(len(g.counts))
	for number, n := range g.counts {
		if n <= by {
			delete(g.counts, number)
		} else {
			g.counts[number] = n - by
		}
	}
	a.entries += int64(len(g.counts))
}

// forget drops values that no group counts any more, once they are the most.
func (a *topK) forget() error {
	const few = 64 << 10
	if int64(a.numbers.count) < 2*a.entries+few {
		return nil
	}
	used := make([]bool, a.numbers.count)
	for _, g := range a.groups {
		for number := range g.counts {
			used[number] = true
		}
	}
	var kept []int32
	renumbered := make([]uint32, len(used))
	for number, u := range used {
		if u {
			renumbered[number] = uint32(len(kept))
			kept = append(kept, int32(number))
		}
	}
	values, err := a.numbers.values(a.typ)
	if err != nil {
		return err
	}
	a.numbers = valueNumbers{}
	if _, err := a.numbers.numbers(Take(values, kept), a.typ); err != nil {
		return err
	}
	for i, g := range a.groups {
		counts := make(map[uint32]int64, len(g.counts))
		for number, n := range g.counts {
			counts[renumbered[number]] = n
		}
		a.groups[i].counts = counts
	}
	return nil
}

func (a *topK) Merge(other Accumulator, mapping []uint32, count int) error {
	a.groups = grown(a.groups, count, topGroup{})
	o := other.(*topK)
	a.k = max(a.k, o.k)
	if o.numbers.count == 0 {
		return nil
	}
	values, err := o.numbers.values(a.typ)
	if err != nil {
		return err
	}
	numbers, err := a.numbers.numbers(values, a.typ)
	if err != nil {
		return err
	}
	for i, from := range o.groups {
		g := &a.groups[mapping[i]]
		g.lowered += from.lowered
		for number, n := range from.counts {
			a.add(g, numbers[number], n)
		}
	}
	return a.forget()
}

// State is k, by how much counts may be too low, and the values that keep a counter with their counts.
func (a *topK) State(groups []uint32) ([]arrow.Array, error) {
	a.groups = grown(a.groups, reach(groups), topGroup{})
	ks, lowered, counted := make([]int64, len(groups)), make([]int64, len(groups)), make([][]valueCount, len(groups))
	for i, id := range groups {
		g := &a.groups[id]
		ks[i], lowered[i] = int64(a.k), g.lowered
		for number, n := range g.counts {
			counted[i] = append(counted[i], valueCount{value: number, n: n})
		}
	}
	values, err := a.numbers.values(a.typ)
	if err != nil {
		return nil, err
	}
	lists, err := countLists(values, counted, a.typ)
	return append([]arrow.Array{event.NewInt64s(ks, nil), event.NewInt64s(lowered, nil)}, lists...), err
}

func (a *topK) Restore(state []arrow.Array) error {
	if err := CheckState(state, wordType, wordType, arrow.ListOf(a.typ.Arrow()), wordsType); err != nil {
		return err
	}
	counted, err := openCountLists(state[2:], a.typ, &a.numbers)
	if err != nil {
		return err
	}
	a.groups = make([]topGroup, len(counted))
	ks, lowered := state[0].(*array.Int64), state[1].(*array.Int64)
	for i, of := range counted {
		if a.k = int(ks.Value(i)); a.k < 0 || a.k > topCounters || len(of) > 2*topCounters {
			return errState("%d counters for the top %d", len(of), a.k)
		}
		a.groups[i].lowered = lowered.Value(i)
		for _, c := range of {
			a.add(&a.groups[i], c.value, c.n)
		}
	}
	return nil
}

func (a *topK) Result(groups int) (arrow.Array, error) {
	a.groups = grown(a.groups, groups, topGroup{})
	values, err := a.numbers.values(a.typ)
	if err != nil || values.Len() == 0 {
		return event.NewNulls(jsonType, groups), err
	}
	write, err := jsonWriter(Operand{Array: values}, a.typ, values.Len())
	if err != nil {
		return nil, err
	}
	compare := Comparer(values, values, a.typ)
	offsets, valid := make([]int32, 1, groups+1), event.NewBitmap(groups)
	var data []byte
	for i := range groups {
		if g := &a.groups[i]; len(g.counts) > 0 {
			a.lower(g)
			valid.Set(i)
			data = appendTop(data, g.top(a.k, compare), g.lowered, write)
		}
		if len(data) > maxTextBytes {
			return nil, errTooMuchText()
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid), nil
}

// top is the k most frequent values, the first of equally frequent ones in their order.
func (g *topGroup) top(k int, compare func(i, j int) int) []valueCount {
	out := make([]valueCount, 0, len(g.counts))
	for number, n := range g.counts {
		out = append(out, valueCount{value: number, n: n})
	}
	slices.SortFunc(out, func(x, y valueCount) int {
		if c := cmp.Compare(y.n, x.n); c != 0 {
			return c
		}
		return compare(int(x.value), int(y.value))
	})
	return out[:min(k, len(out))]
}

func appendTop(dst []byte, top []valueCount, lowered int64, write func(dst []byte, i int) []byte) []byte {
	dst = append(dst, '[')
	for i, c := range top {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = write(append(dst, `{"value":`...), int(c.value))
		dst = appendMember(dst, "count", c.n+lowered)
		dst = append(appendMember(dst, "error", lowered), '}')
	}
	return append(dst, ']')
}

func (a *topK) Bytes() int64 { return sizeOf(a.groups) + a.numbers.size + a.entries*mapEntryBytes }
