package continuous

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

var text = event.Type{Kind: event.Text}

// randomRows makes rows of a BIGINT and a TEXT, with NULLs and repetitions.
func randomRows(rng *rand.Rand, n int) []arrow.Array {
	ids, names := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	for range n {
		if rng.IntN(8) == 0 {
			ids.AppendNull()
		} else {
			ids.Append(rng.Int64N(5))
		}
		if rng.IntN(8) == 0 {
			names.AppendNull()
		} else {
			names.Append([]string{"", "a", "bb", "a longer one"}[rng.IntN(4)])
		}
	}
	return []arrow.Array{ids.NewArray(), names.NewArray()}
}

func printed(columns []arrow.Array, row int) string {
	out := ""
	for _, c := range columns {
		out += "|" + c.ValueStr(row)
	}
	return out
}

// TestRowIndexKeepsDistinctRows holds the index to a map, also where nearly all hashes collide.
func TestRowIndexKeepsDistinctRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		x := newRowIndex([]event.Type{bigint, text})
		if rapid.Bool().Draw(t, "colliding") {
			x.hash = func(columns []arrow.Array, rows int) []uint64 {
				out := hashRows(columns, rows)
				for i := range out {
					out[i] &= 3
				}
				return out
			}
		}
		model := map[string]uint32{}
		for step := range rapid.IntRange(1, 20).Draw(t, "steps") {
			columns := randomRows(rng, rng.IntN(20))
			slots, fresh := x.assign(columns, columns[0].Len())
			if step == 0 {
				next := uint32(0)
				for _, slot := range slots {
					require.LessOrEqual(t, slot, next, "new rows make slots in their order")
					next = max(next, slot+1)
				}
			}
			made := map[int32]bool{}
			for _, row := range fresh {
				made[row] = true
			}
			for i, slot := range slots {
				row := printed(columns, i)
				known, ok := model[row]
				require.Equal(t, !ok, made[int32(i)], row)
				if ok {
					require.Equal(t, known, slot, row)
				}
				model[row] = slot
			}
			for row, slot := range model {
				if rng.IntN(3) == 0 {
					x.remove([]uint32{slot})
					delete(model, row)
				}
			}
			require.Equal(t, len(model), x.count())
			for row, slot := range model {
				require.Equal(t, row, printed(x.gather([]uint32{slot}), 0))
			}
			require.Len(t, x.all(), len(model))
		}
	})
}

// TestBagCountsRows holds a bag whose rows come and go to a map of weights.
func TestBagCountsRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		b := newBag([]event.Type{bigint, text}, false)
		model := map[string]int64{}
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			columns := randomRows(rng, rng.IntN(12))
			d := Delta{Columns: columns, Rows: columns[0].Len()}
			keys := make([]uint32, d.Rows)
			for i := range d.Rows {
				keys[i] = uint32(rng.IntN(3))
				row := fmt.Sprint(keys[i], printed(columns, i))
				weight := int64(1 + rng.IntN(2))
				if model[row] > 0 && rng.IntN(2) == 0 {
					weight = -model[row]
				}
				d.Weights = append(d.Weights, weight)
				model[row] += weight
			}
			require.NoError(t, b.add(d, keys))
		}
		got := map[string]int64{}
		for key := range uint32(3) {
			under := b.under([]uint32{key})
			for i := range under.Rows {
				got[fmt.Sprint(key, printed(under.Columns, i))]++
			}
		}
		for row, weight := range model {
			if weight == 0 {
				delete(model, row)
			}
		}
		require.Equal(t, model, got)
	})
}

// TestTextVectorWritesItsArenaAnew drops most of a lot of text and still has the rest.
func TestTextVectorWritesItsArenaAnew(t *testing.T) {
	t.Parallel()
	v := newVector(text)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	var slots []uint32
	for i := range 4000 {
		b.Append(fmt.Sprintf("the text of row %08d, which takes some room", i))
		slots = append(slots, uint32(i))
	}
	v.put(slots, b.NewArray(), nil)
	full := v.bytes()
	v.drop(slots[10:])
	require.Less(t, v.bytes(), full/2)
	require.Equal(t, "the text of row 00000007, which takes some room", v.gather([]uint32{7}).ValueStr(0))
}

// TestCalendarGivesWhatIsDue asks for times in steps: everything comes out once, when its time has come and not before.
func TestCalendarGivesWhatIsDue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOf(rapid.Int64Range(-5_000_000, 5_000_000)).Draw(t, "times")
		var c calendar
		for i, at := range times {
			c.add(at, uint32(i))
		}
		given := map[uint32]bool{}
		for upTo := int64(-6_000_000); upTo <= 6_000_000; upTo += 700_001 {
			for _, e := range c.due(upTo) {
				require.False(t, given[e.slot])
				given[e.slot] = true
				require.Equal(t, times[e.slot], e.at)
				require.LessOrEqual(t, e.at, upTo)
				require.Greater(t, e.at, upTo-700_001)
			}
		}
		require.Len(t, given, len(times))
	})
}
