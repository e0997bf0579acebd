package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// sortBound is how the last row that a top-n has kept so far stands in its first key. Rows that come later in that key alone
// can be left out unseen; those that come level with it are kept, for the other keys to decide.
type sortBound struct {
	key    plan.SortKey
	isNull bool
	prefix uint64
}

func newSortBound(column arrow.Array, key plan.SortKey, row int) *sortBound {
	b := &sortBound{key: key, isNull: isNull(column, row)}
	if !b.isNull {
		prefixes, _ := firstPrefixes(column, key, []int32{int32(row)})
		b.prefix = prefixes[0].prefix
	}
	return b
}

// within lists the rows of a batch, by the values of the first key, that the bound lets pass.
func (b *sortBound) within(column arrow.Array, rows int) []int32 {
	nulls, values := splitNulls(column, rows)
	switch {
	case b.isNull && b.key.NullsFirst:
		return nulls
	case b.isNull:
		return sequence(rows)
	}
	prefixes, _ := firstPrefixes(column, b.key, values)
	kept := values[:0]
	if b.key.NullsFirst {
		kept = append([]int32(nil), nulls...)
	}
	for _, p := range prefixes {
		if p.prefix <= b.prefix {
			kept = append(kept, p.row)
		}
	}
	return kept
}

func isNull(column arrow.Array, row int) bool {
	return column.DataType().ID() == arrow.NULL || column.IsNull(row)
}

// sequence is the numbers below n.
func sequence(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}
