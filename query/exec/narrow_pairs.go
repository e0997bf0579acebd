package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// narrowPairs numbers the distinct pairs of two key columns that have an integer for each value, the first of at most 32 bits, in order
// of first appearance. Values of both are looked up together, where numbering those of one column first would take a second table, as
// large as the other where most values differ. It knows no NULL.
type narrowPairs struct {
	columns      [2]int   // indexes of the key columns
	narrow, wide *intKeys // say how values become integers and come back; their own tables are empty
	pairs        *fusedTable
}

// newNarrowPairs is nil for keys of other types or number.
func newNarrowPairs(types []event.Type) *narrowPairs {
	if len(types) != 2 {
		return nil
	}
	for i, t := range types {
		if !narrowKind(t.Kind) {
			continue
		}
		wide, ok := newKeyColumn(types[1-i]).(*intKeys)
		if !ok {
			return nil
		}
		return &narrowPairs{
			columns: [2]int{i, 1 - i},
			narrow:  newKeyColumn(t).(*intKeys), wide: wide,
			pairs: newFusedTable(),
		}
	}
	return nil
}

// narrowKind reports whether the integers of a type are told apart by their lower 32 bits.
func narrowKind(k event.Kind) bool {
	switch k {
	case event.Boolean, event.SmallInt, event.Integer, event.Date, event.Real:
		return true
	default:
		return false
	}
}

// takes reports whether the columns can be combined: there is no NULL in them.
func (p *narrowPairs) takes(keys []arrow.Array) bool {
	return keys[0].NullN() == 0 && keys[1].NullN() == 0
}

func (p *narrowPairs) assign(keys []arrow.Array, ids []uint32) {
	p.narrow.scratch = resized(p.narrow.scratch, len(ids))
	for i, v := range p.narrow.integers(keys[p.columns[0]], p.narrow.scratch) {
		ids[i] = uint32(v)
	}
	p.wide.scratch = resized(p.wide.scratch, len(ids))
	p.pairs.combine(ids, p.wide.integers(keys[p.columns[1]], p.wide.scratch))
}

func (p *narrowPairs) count() int { return p.pairs.count() }

func (p *narrowPairs) keys() []arrow.Array {
	narrow := make([]int64, p.count())
	for i, left := range p.pairs.lefts {
		narrow[i] = int64(int32(left))
	}
	out := make([]arrow.Array, 2)
	out[p.columns[0]] = p.narrow.restore(narrow, nil)
	out[p.columns[1]] = p.wide.restore(append([]int64(nil), p.pairs.keys...), nil)
	return out
}

func (p *narrowPairs) bytes() int64 {
	return p.pairs.bytes() + int64(8*(cap(p.narrow.scratch)+cap(p.wide.scratch)))
}
