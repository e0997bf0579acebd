package exec

import (
	"cmp"
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// prefixed is a row with the start of its first key as an integer of the same order. Most comparisons end there, without a
// call and without touching the columns.
type prefixed struct {
	prefix uint64
	row    int32
}

// sortRows gives the rows in the order of the keys, whose values are columns. Rows equal in all keys stay as they lie. It fails where nobody
// waits for the answer any more.
func sortRows(ctx *kernel.Context, columns []arrow.Array, keys []plan.SortKey, rows int) ([]int32, error) {
	compare := comparers(columns, keys)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	nulls, values := splitNulls(columns[0], rows)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	prefixes, whole := firstPrefixes(columns[0], keys[0], values)
	from := 0
	if whole {
		from = 1 // equal prefixes mean equal values
	}
	err := kernel.SortFunc(ctx, prefixes, func(a, b prefixed) int {
		if a.prefix != b.prefix {
			if a.prefix < b.prefix {
				return -1
			}
			return 1
		}
		return compareRows(compare[from:], a.row, b.row)
	})
	if err != nil {
		return nil, err
	}
	if err := kernel.SortFunc(ctx, nulls, func(a, b int32) int { return compareRows(compare[1:], a, b) }); err != nil {
		return nil, err
	}
	order := make([]int32, 0, rows)
	if keys[0].NullsFirst {
		order = append(order, nulls...)
	}
	for _, p := range prefixes {
		order = append(order, p.row)
	}
	if !keys[0].NullsFirst {
		order = append(order, nulls...)
	}
	return order, nil
}

// compareRows goes from key to key and leaves rows that are equal in all as they lie.
func compareRows(compare []func(i, j int) int, a, b int32) int {
	for _, c := range compare {
		if out := c(int(a), int(b)); out != 0 {
			return out
		}
	}
	return cmp.Compare(a, b)
}

// comparers makes one comparison for each key, with its direction and the place of NULLs.
func comparers(columns []arrow.Array, keys []plan.SortKey) []func(i, j int) int {
	out := make([]func(i, j int) int, len(keys))
	for k, key := range keys {
		out[k] = comparer(columns[k], key)
	}
	return out
}

func comparer(column arrow.Array, key plan.SortKey) func(i, j int) int {
	if column.DataType().ID() == arrow.NULL {
		return func(int, int) int { return 0 }
	}
	compare := kernel.Comparer(column, column, key.Expr.Type())
	if key.Descending {
		ascending := compare
		compare = func(i, j int) int { return ascending(j, i) }
	}
	if column.NullN() == 0 {
		return compare
	}
	return func(i, j int) int {
		switch a, b := column.IsNull(i), column.IsNull(j); {
		case !a && !b:
			return compare(i, j)
		case a == b:
			return 0
		case a == key.NullsFirst:
			return -1
		default:
			return 1
		}
	}
}

// splitNulls parts the rows by whether the column is NULL.
func splitNulls(column arrow.Array, rows int) (nulls, values []int32) {
	values = make([]int32, 0, rows)
	allNull := column.DataType().ID() == arrow.NULL
	anyNull := allNull || column.NullN() > 0
	for i := range rows {
		if anyNull && (allNull || column.IsNull(i)) {
			nulls = append(nulls, int32(i))
		} else {
			values = append(values, int32(i))
		}
	}
	return nulls, values
}

// firstPrefixes computes the prefixes of rows. whole says that they stand for all of the value.
func firstPrefixes(column arrow.Array, key plan.SortKey, rows []int32) (out []prefixed, whole bool) {
	prefix, whole := prefixOf(column, key.Expr.Type())
	flip := uint64(0)
	if key.Descending {
		flip = ^flip
	}
	out = make([]prefixed, len(rows))
	for i, row := range rows {
		out[i] = prefixed{prefix: prefix(int(row)) ^ flip, row: row}
	}
	return out, whole
}

// prefixOf chooses how a column's values become integers. Types without an order of their bytes have no prefix.
func prefixOf(column arrow.Array, t event.Type) (prefix func(row int) uint64, whole bool) {
	const sign = 1 << 63 // makes signed integers compare as unsigned ones
	switch t.Kind {
	case event.Boolean:
		values := column.(*array.Boolean)
		return func(row int) uint64 {
			if values.Value(row) {
				return 1
			}
			return 0
		}, true
	case event.BigInt, event.TimestampTZ, event.Time:
		values := arrow.GetValues[int64](column.Data(), 1)
		return func(row int) uint64 { return uint64(values[row]) ^ sign }, true
	case event.Double:
		values := arrow.GetValues[float64](column.Data(), 1)
		return func(row int) uint64 { return uint64(kernel.OrderedBits(values[row])) ^ sign }, true
	case event.Text:
		return func(row int) uint64 { return textPrefix(event.StringAt(column, row)) }, false
	default:
		return declaredPrefix(column, t)
	}
}

// textPrefix is the first eight bytes, the first the most significant. A shorter text is filled up with zeros, which never puts
// it behind a longer one that it begins.
func textPrefix(s string) uint64 {
	if len(s) >= 8 {
		return binary.BigEndian.Uint64([]byte(s[:8]))
	}
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// RowOrder compares two rows of columns by keys, one for each column, as a sort does.
func RowOrder(columns []arrow.Array, keys []plan.SortKey) func(i, j int32) int {
	compare := comparers(columns, keys)
	return func(i, j int32) int {
		for _, c := range compare {
			if out := c(int(i), int(j)); out != 0 {
				return out
			}
		}
		return 0
	}
}
