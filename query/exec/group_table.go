package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// groupTable numbers the distinct combinations of key values densely, in order of first appearance. Each key column numbers
// its own values first; then the numbers of two columns at a time are combined. NULL is a value like others.
type groupTable struct {
	columns []keyColumn
	pairs   []*pairTable // pairs[i] combines the groups by columns 0..i with the codes of column i+1
	codes   []uint32     // scratch
}

// keyColumn numbers the distinct values of one key column densely, in order of first appearance.
type keyColumn interface {
	// encode writes the code of each value.
	encode(values arrow.Array, codes []uint32)
	// count is the number of codes so far.
	count() int
	// decode gives the values behind codes.
	decode(codes []uint32) (arrow.Array, error)
	// bytes is the memory held.
	bytes() int64
}

func newGroupTable(types []event.Type) *groupTable {
	t := &groupTable{}
	for i, typ := range types {
		t.columns = append(t.columns, newKeyColumn(typ))
		if i > 0 {
			t.pairs = append(t.pairs, &pairTable{})
		}
	}
	return t
}

func newKeyColumn(t event.Type) keyColumn {
	switch t.Kind {
	case event.Boolean:
		return newIntKeys(booleanKeys, restoreBooleans)
	case event.BigInt:
		return newIntKeys(integerKeys, event.NewInt64s)
	case event.TimestampTZ:
		return newIntKeys(integerKeys, event.NewTimestamps)
	case event.Double:
		return newIntKeys(doubleKeys, restoreDoubles)
	case event.Interval:
		return newIntervalKeys()
	case event.JSONB:
		return newJSONKeys()
	case event.Array:
		return newArrayKeys(t)
	case event.Unknown:
		return nullKeys{}
	case event.SmallInt, event.Integer, event.Date, event.Real, event.Numeric, event.UUID, event.Bytea:
		return newDeclaredKeys(t)
	default:
		return newTextKeys()
	}
}

// typesOf is the types of expressions.
func typesOf(exprs []plan.Expr) []event.Type {
	out := make([]event.Type, len(exprs))
	for i, e := range exprs {
		out[i] = e.Type()
	}
	return out
}

// assign writes the group of each row, adding groups that are new.
func (t *groupTable) assign(keys []arrow.Array, ids []uint32) {
	t.columns[0].encode(keys[0], ids)
	for i, pair := range t.pairs {
		t.codes = resized(t.codes, len(ids))
		t.columns[i+1].encode(keys[i+1], t.codes)
		pair.combine(ids, t.codes)
	}
}

func (t *groupTable) count() int {
	if n := len(t.pairs); n > 0 {
		return t.pairs[n-1].count()
	}
	return t.columns[0].count()
}

// keys gives one column per key with a row for each group.
func (t *groupTable) keys() ([]arrow.Array, error) {
	out := make([]arrow.Array, len(t.columns))
	ids := make([]uint32, t.count())
	for i := range ids {
		ids[i] = uint32(i)
	}
	var err error
	for i := len(t.pairs) - 1; i >= 0; i-- {
		lefts, rights := t.pairs[i].split(ids)
		if out[i+1], err = t.columns[i+1].decode(rights); err != nil {
			return nil, err
		}
		ids = lefts
	}
	out[0], err = t.columns[0].decode(ids)
	return out, err
}

func (t *groupTable) bytes() int64 {
	total := int64(4 * cap(t.codes))
	for _, c := range t.columns {
		total += c.bytes()
	}
	for _, p := range t.pairs {
		total += p.bytes()
	}
	return total
}
