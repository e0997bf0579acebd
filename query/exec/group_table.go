package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// groupTable numbers the distinct combinations of key values densely, in order of first appearance. One key column numbers
// its own values first; then the others are combined with these numbers, one after another. NULL is a value like others.
type groupTable struct {
	types  []event.Type
	narrow *narrowPairs // does all the work until it meets a NULL; nil where it cannot

	order []int // of combining: indexes of key columns
	first keyColumn
	pairs []*keyPairs // pairs[i] combines the groups by columns order[..i] with column order[i+1]
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
	t := &groupTable{types: types}
	if t.narrow = newNarrowPairs(types); t.narrow == nil {
		t.makeColumns()
	}
	return t
}

func (t *groupTable) makeColumns() {
	t.order = combiningOrder(t.types)
	for i, c := range t.order {
		if i == 0 {
			t.first = newKeyColumn(t.types[c])
		} else {
			t.pairs = append(t.pairs, newKeyPairs(t.types[c]))
		}
	}
}

// widen moves the groups met so far, which keep their numbers, to where NULL has a place.
func (t *groupTable) widen() {
	groups, count := t.narrow.keys(), t.narrow.count()
	t.narrow = nil
	t.makeColumns()
	t.assign(groups, make([]uint32, count))
}

// combiningOrder puts the last BIGINT at the end: of all keys it is the likeliest to have many values, and the last one is looked up
// once where others are looked up twice.
func combiningOrder(types []event.Type) []int {
	last := len(types) - 1
	for i, typ := range types {
		if typ.Kind == event.BigInt {
			last = i
		}
	}
	order := make([]int, 0, len(types))
	for i := range types {
		if i != last {
			order = append(order, i)
		}
	}
	return append(order, last)
}

func newKeyColumn(t event.Type) keyColumn {
	switch t.Kind {
	case event.Boolean:
		return newIntKeys(booleanKeys, restoreBooleans)
	case event.BigInt:
		return newIntKeys(integerKeys, event.NewInt64s)
	case event.TimestampTZ:
		return newIntKeys(integerKeys, event.NewTimestamps)
	case event.Time:
		return newIntKeys(integerKeys, event.NewTimes)
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
	if t.narrow != nil {
		if t.narrow.takes(keys) {
			t.narrow.assign(keys, ids)
			return
		}
		t.widen()
	}
	t.first.encode(keys[t.order[0]], ids)
	for i, pair := range t.pairs {
		pair.combine(ids, keys[t.order[i+1]])
	}
}

func (t *groupTable) count() int {
	if t.narrow != nil {
		return t.narrow.count()
	}
	if n := len(t.pairs); n > 0 {
		return t.pairs[n-1].count()
	}
	return t.first.count()
}

// keys gives one column per key with a row for each group.
func (t *groupTable) keys() ([]arrow.Array, error) {
	if t.narrow != nil {
		return t.narrow.keys(), nil
	}
	out := make([]arrow.Array, len(t.order))
	ids := sequenceOf(t.count())
	for i := len(t.pairs) - 1; i >= 0; i-- {
		var err error
		if ids, out[t.order[i+1]], err = t.pairs[i].split(ids); err != nil {
			return nil, err
		}
	}
	var err error
	out[t.order[0]], err = t.first.decode(ids)
	return out, err
}

func (t *groupTable) bytes() int64 {
	if t.narrow != nil {
		return t.narrow.bytes()
	}
	total := t.first.bytes()
	for _, p := range t.pairs {
		total += p.bytes()
	}
	return total
}

// fuse prepares an empty table for many groups: values that are integers are looked up together with the groups before them from the start.
func (t *groupTable) fuse() {
	for _, pair := range t.pairs {
		if ints, ok := pair.column.(*intKeys); ok {
			pair.fuse(ints)
		}
	}
}

// resettable is a key column that can forget its values and keep the memory.
type resettable interface{ reset() }

// reset forgets all groups and keeps the memory, if all columns can; if not, the table is good for nothing more.
func (t *groupTable) reset() bool {
	if t.narrow != nil {
		t.narrow.pairs.reset()
		return true
	}
	first, ok := t.first.(resettable)
	if !ok {
		return false
	}
	first.reset()
	for _, pair := range t.pairs {
		if !pair.reset() {
			return false
		}
	}
	return true
}
