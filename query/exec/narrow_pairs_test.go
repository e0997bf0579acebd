package exec

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestPairsOfNarrowKeysKeepTheirNumbers gives a table batches of two keys, from some batch on with NULLs, and compares the groups'
// numbers and keys with those of a map.
func TestPairsOfNarrowKeysKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	kinds := []event.Kind{event.SmallInt, event.Integer, event.Date, event.Boolean, event.Real, event.BigInt, event.Double, event.TimestampTZ}
	rapid.Check(t, func(t *rapid.T) {
		narrow := rapid.SampledFrom(kinds[:5]).Draw(t, "narrow")
		types := []event.Type{{Kind: narrow}, {Kind: rapid.SampledFrom(kinds).Draw(t, "other")}}
		if rapid.Bool().Draw(t, "swapped") {
			types[0], types[1] = types[1], types[0]
		}
		table := newGroupTable(types)
		require.NotNil(t, table.narrow)
		numbers := map[string]uint32{}
		var keys []string
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			nulls := rapid.IntRange(0, 3).Draw(t, "nulls") == 0
			rows := rapid.IntRange(0, 20).Draw(t, "rows")
			columns := []arrow.Array{keyValues(t, types[0], rows, nulls), keyValues(t, types[1], rows, nulls)}
			ids := make([]uint32, rows)
			table.assign(columns, ids)
			for i, id := range ids {
				key := pairText(columns, i)
				if _, ok := numbers[key]; !ok {
					numbers[key] = uint32(len(keys))
					keys = append(keys, key)
				}
				require.Equal(t, numbers[key], id, key)
			}
		}
		require.Equal(t, len(keys), table.count())
		found, err := table.keys()
		require.NoError(t, err)
		for i, key := range keys {
			require.Equal(t, key, pairText(found, i))
		}
	})
}

func pairText(columns []arrow.Array, row int) string {
	return fmt.Sprintf("%s, %s", columns[0].ValueStr(row), columns[1].ValueStr(row))
}

// keyValues are small numbers of both signs and the ends of a type.
func keyValues(t *rapid.T, typ event.Type, rows int, nulls bool) arrow.Array {
	valid := event.NewBitmap(rows)
	numbers := make([]int64, rows)
	for i := range numbers {
		numbers[i] = rapid.SampledFrom([]int64{0, 1, -1, 2, 77, -1 << 15, 1<<15 - 1, -1 << 31, 1<<31 - 1}).Draw(t, "value")
		if !nulls || rapid.IntRange(0, 3).Draw(t, "null") > 0 {
			valid.Set(i)
		}
	}
	if !nulls {
		valid = nil
	}
	switch typ.Kind {
	case event.Boolean:
		bits := event.NewBitmap(rows)
		for i, n := range numbers {
			if n > 0 {
				bits.Set(i)
			}
		}
		return event.NewBooleans(bits, rows, valid)
	case event.SmallInt:
		return event.NewFixed(typ.Arrow(), converted[int16](numbers), valid)
	case event.Integer:
		return event.NewFixed(typ.Arrow(), converted[int32](numbers), valid)
	case event.Date:
		return event.NewFixed(typ.Arrow(), converted[arrow.Date32](numbers), valid)
	case event.Real:
		return event.NewFixed(typ.Arrow(), converted[float32](numbers), valid)
	case event.Double:
		return event.NewFixed(typ.Arrow(), converted[float64](numbers), valid)
	case event.TimestampTZ:
		return event.NewTimestamps(numbers, valid)
	default:
		return event.NewInt64s(numbers, valid)
	}
}

func converted[T int16 | int32 | float32 | float64 | arrow.Date32](numbers []int64) []T {
	out := make([]T, len(numbers))
	for i, n := range numbers {
		out[i] = T(n)
	}
	return out
}
