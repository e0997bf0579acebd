package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// vector is one column of rows that come and go: values by slot. Whoever owns it decides which slots are in use.
type vector interface {
	// put sets the value of each slot, growing the vector where needed: slots[i] takes values[rows[i]], or values[i] where rows is nil.
	put(slots []uint32, values arrow.Array, rows []int32)
	// reach makes sure that there are so many slots.
	reach(slots int)
	// gather gives the values of slots, which may repeat.
	gather(slots []uint32) arrow.Array
	// match clears equal[i] where the value of slots[i] is not values[i], NULL being equal to NULL. The comparison is of bits.
	match(slots []uint32, values arrow.Array, equal []bool)
	// isNull reports whether the value of a slot is NULL.
	isNull(slot uint32) bool
	// drop says that the values of slots are not needed any more.
	drop(slots []uint32)
	// bytes is the memory held.
	bytes() int64
}

func newVector(t event.Type) vector {
	switch t.Kind {
	case event.Unknown:
		return nullVector{}
	case event.Boolean:
		return &boolVector{}
	case event.SmallInt:
		return &fixedVector[int16]{arrow: t.Arrow(), width: 2}
	case event.Integer, event.Date, event.Real:
		return &fixedVector[int32]{arrow: t.Arrow(), width: 4}
	case event.BigInt, event.Double, event.TimestampTZ, event.Time:
		return &fixedVector[int64]{arrow: t.Arrow(), width: 8}
	case event.Interval:
		return &fixedVector[arrow.MonthDayNanoInterval]{arrow: t.Arrow(), width: 16}
	case event.Numeric, event.UUID:
		return &fixedVector[decimal128.Num]{arrow: t.Arrow(), width: 16}
	case event.Array:
		return &listVector{typ: t}
	default:
		return &textVector{binary: t.Kind == event.Bytea}
	}
}

// rowAt is the row for place i of a list; nil stands for all rows in order.
func rowAt(rows []int32, i int) int {
	if rows == nil {
		return i
	}
	return int(rows[i])
}

// highest is one more than the greatest slot.
func highest(slots []uint32) int {
	most := 0
	for _, s := range slots {
		most = max(most, int(s)+1)
	}
	return most
}

// lengthened is a slice of at least n elements, the new ones zero. It doubles, so that growing by one at a time costs little.
func lengthened[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n > cap(s) {
		larger := make([]T, n, max(n, 2*cap(s)))
		copy(larger, s)
		return larger
	}
	grown := s[:n]
	clear(grown[len(s):])
	return grown
}

// nulls marks slots that hold NULL; it is empty as long as none does.
type nulls []bool

func (n *nulls) put(slots []uint32, values arrow.Array, rows []int32) {
	if len(*n) == 0 && values.NullN() == 0 {
		return
	}
	*n = lengthened(*n, highest(slots))
	for i, s := range slots {
		(*n)[s] = values.IsNull(rowAt(rows, i))
	}
}

func (n nulls) at(slot uint32) bool { return int(slot) < len(n) && n[slot] }

// validity is the Bitmap of slots; nil where none is NULL.
func (n nulls) validity(slots []uint32) event.Bitmap {
	if len(n) == 0 {
		return nil
	}
	out := event.NewBitmap(len(slots))
	for i, s := range slots {
		if !n.at(s) {
			out.Set(i)
		}
	}
	return out
}

// fixedVector holds values of a fixed width by their bits.
type fixedVector[T int16 | int32 | int64 | arrow.MonthDayNanoInterval | decimal128.Num] struct {
	arrow  arrow.DataType
	width  int64
	values []T
	null   nulls
}

func (v *fixedVector[T]) put(slots []uint32, values arrow.Array, rows []int32) {
	v.values = lengthened(v.values, highest(slots))
	v.null.put(slots, values, rows)
	in := arrow.GetValues[T](values.Data(), 1)
	if rows == nil {
		for i, s := range slots {
			v.values[s] = in[i]
		}
		return
	}
	for i, s := range slots {
		v.values[s] = in[rows[i]]
	}
}

func (v *fixedVector[T]) gather(slots []uint32) arrow.Array {
	out := make([]T, len(slots))
	for i, s := range slots {
		out[i] = v.values[s]
	}
	return event.NewFixed(v.arrow, out, v.null.validity(slots))
}

func (v *fixedVector[T]) match(slots []uint32, values arrow.Array, equal []bool) {
	in := arrow.GetValues[T](values.Data(), 1)
	if len(v.null) == 0 && values.NullN() == 0 {
		for i, s := range slots {
			equal[i] = equal[i] && v.values[s] == in[i]
		}
		return
	}
	for i, s := range slots {
		null := values.IsNull(i)
		equal[i] = equal[i] && v.null.at(s) == null && (null || v.values[s] == in[i])
	}
}

func (v *fixedVector[T]) reach(slots int) { v.values = lengthened(v.values, slots) }

func (v *fixedVector[T]) isNull(slot uint32) bool { return v.null.at(slot) }

func (v *fixedVector[T]) drop([]uint32) {}

func (v *fixedVector[T]) bytes() int64 { return v.width*int64(cap(v.values)) + int64(cap(v.null)) }

// boolVector holds BOOLEAN.
type boolVector struct {
	values []bool
	null   nulls
}

func (v *boolVector) put(slots []uint32, values arrow.Array, rows []int32) {
	v.values = lengthened(v.values, highest(slots))
	v.null.put(slots, values, rows)
	in := values.(*array.Boolean)
	for i, s := range slots {
		v.values[s] = in.Value(rowAt(rows, i))
	}
}

func (v *boolVector) gather(slots []uint32) arrow.Array {
	out := event.NewBitmap(len(slots))
	for i, s := range slots {
		if v.values[s] {
			out.Set(i)
		}
	}
	return event.NewBooleans(out, len(slots), v.null.validity(slots))
}

func (v *boolVector) match(slots []uint32, values arrow.Array, equal []bool) {
	in := values.(*array.Boolean)
	for i, s := range slots {
		null := in.IsNull(i)
		equal[i] = equal[i] && v.null.at(s) == null && (null || v.values[s] == in.Value(i))
	}
}

func (v *boolVector) reach(slots int) { v.values = lengthened(v.values, slots) }

func (v *boolVector) isNull(slot uint32) bool { return v.null.at(slot) }

func (v *boolVector) drop([]uint32) {}

func (v *boolVector) bytes() int64 { return int64(cap(v.values) + cap(v.null)) }

// nullVector is a column that is always NULL.
type nullVector struct{}

func (nullVector) put([]uint32, arrow.Array, []int32)  {}
func (nullVector) gather(slots []uint32) arrow.Array   { return array.NewNull(len(slots)) }
func (nullVector) match([]uint32, arrow.Array, []bool) {}
func (nullVector) reach(int)                           {}
func (nullVector) isNull(uint32) bool                  { return true }
func (nullVector) drop([]uint32)                       {}
func (nullVector) bytes() int64                        { return 0 }

// decoded are columns without dictionaries.
func decoded(columns []arrow.Array) []arrow.Array {
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		out[i] = kernel.Decode(c)
	}
	return out
}
