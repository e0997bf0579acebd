package kernel

import (
	"math"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// StateVersion is the layout of what Accumulator.State gives. Whoever keeps states longer than a process lives keeps it beside
// them. A golden file (testdata/aggregate_states) shows the layout of every aggregate.
const StateVersion = 1

// MergeState adds groups that another accumulator of the same function once gave as its state: row i to group mapping[i]. fresh
// makes an empty accumulator of the function.
func MergeState(into Accumulator, fresh func() Accumulator, state []arrow.Array, mapping []uint32, count int) error {
	other := fresh()
	if err := other.Restore(state); err != nil {
		return err
	}
	return into.Merge(other, mapping, count)
}

// reach is the number of groups that an accumulator has to have for all of these to be among them.
func reach(groups []uint32) int {
	count := 0
	for _, g := range groups {
		count = max(count, int(g)+1)
	}
	return count
}

// chosen are the elements of groups.
func chosen[S any](states []S, groups []uint32) []S {
	out := make([]S, len(groups))
	for i, g := range groups {
		out[i] = states[g]
	}
	return out
}

// chosenFlags is the Bitmap of groups.
func chosenFlags(flags []bool, groups []uint32) event.Bitmap {
	out := event.NewBitmap(len(groups))
	for i, g := range groups {
		if flags[g] {
			out.Set(i)
		}
	}
	return out
}

// flagsOf says which rows of a column are not NULL.
func flagsOf(values arrow.Array) []bool {
	out := make([]bool, values.Len())
	valid := validityOf(values)
	for i := range out {
		out[i] = valid.Valid(i)
	}
	return out
}

// errState is the error for a state that no accumulator of the function gave.
func errState(format string, args ...any) error {
	return event.Errorf(event.CodeCorrupt, "state of an aggregate: "+format, args...)
}

// CheckState holds a state to the types of its columns, so that what follows may rely on them.
func CheckState(state []arrow.Array, types ...arrow.DataType) error {
	if len(state) != len(types) {
		return errState("%d columns, not %d", len(state), len(types))
	}
	for i, t := range types {
		switch {
		case !arrow.TypeEqual(t, state[i].DataType()):
			return errState("column %d is %s, not %s", i, state[i].DataType(), t)
		case state[i].Len() != state[0].Len():
			return errState("column %d has %d rows, not %d", i, state[i].Len(), state[0].Len())
		}
	}
	return nil
}

var (
	wordType    = arrow.PrimitiveTypes.Int64
	wordsType   = arrow.DataType(arrow.ListOf(wordType))
	doubleType  = arrow.PrimitiveTypes.Float64
	flagType    = arrow.FixedWidthTypes.Boolean
	binaryState = arrow.DataType(arrow.BinaryTypes.Binary)
)

// wordsIn is how many 64-bit words a state has, which must be made of nothing else.
func wordsIn[S any]() int {
	var s S
	return int(unsafe.Sizeof(s) / 8)
}

// wordColumns are states made of 64-bit words only (int64, uint64, float64), a column for each word.
func wordColumns[S any](states []S, groups []uint32) []arrow.Array {
	words := make([][]int64, wordsIn[S]())
	for w := range words {
		words[w] = make([]int64, len(groups))
	}
	for i, g := range groups {
		for w, v := range unsafe.Slice((*int64)(unsafe.Pointer(&states[g])), len(words)) {
			words[w][i] = v
		}
	}
	out := make([]arrow.Array, len(words))
	for w := range words {
		out[w] = event.NewInt64s(words[w], nil)
	}
	return out
}

// wordStates undoes wordColumns.
func wordStates[S any](state []arrow.Array) ([]S, error) {
	n := wordsIn[S]()
	types := make([]arrow.DataType, n)
	for i := range types {
		types[i] = wordType
	}
	if err := CheckState(state, types...); err != nil {
		return nil, err
	}
	out := make([]S, state[0].Len())
	for w, column := range state {
		for i, v := range column.(*array.Int64).Int64Values() {
			unsafe.Slice((*int64)(unsafe.Pointer(&out[i])), n)[w] = v
		}
	}
	return out, nil
}

// seenColumn is a value for each group, NULL where there is none yet.
func seenColumn[T arrow.FixedWidthType](t arrow.DataType, values []T, seen []bool, groups []uint32) []arrow.Array {
	return []arrow.Array{event.NewFixed(t, chosen(values, groups), chosenFlags(seen, groups))}
}

// openSeen undoes seenColumn. The values are a copy.
func openSeen[T arrow.FixedWidthType](state []arrow.Array, t arrow.DataType) ([]T, []bool, error) {
	if err := CheckState(state, t); err != nil {
		return nil, nil, err
	}
	return slices.Clone(arrow.GetValues[T](state[0].Data(), 1)), flagsOf(state[0]), nil
}

// bytesColumn is a BYTEA column of items, NULL where one is nil.
func bytesColumn(items [][]byte) (arrow.Array, error) {
	offsets, valid := make([]int32, 1, len(items)+1), event.NewBitmap(len(items))
	total := 0
	for _, item := range items {
		total += len(item)
	}
	if total > maxTextBytes {
		return nil, errTooMuchText()
	}
	data := make([]byte, 0, total)
	for i, item := range items {
		if item != nil {
			valid.Set(i)
		}
		data = append(data, item...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewBinaries(offsets, data, valid), nil
}

// bytesOf gives the item of each row of a BYTEA column, nil for NULL, and the bytes of all. The items may be appended to.
func bytesOf(column arrow.Array) (items [][]byte, total int64) {
	binary := column.(*array.Binary)
	items = make([][]byte, binary.Len())
	for i := range items {
		if binary.IsValid(i) {
			items[i] = append(make([]byte, 0, max(len(binary.Value(i)), 8)), binary.Value(i)...)
			total += int64(cap(items[i]))
		}
	}
	return items, total
}

// NewLists makes a list for each row: values lie in the order of the rows, and row i's end before ends[i]. Rows that valid does
// not mark are NULL and have no values.
func NewLists(values arrow.Array, ends []int, valid event.Bitmap) (arrow.Array, error) {
	if values.Len() > math.MaxInt32 {
		return nil, event.Errorf(event.CodeTooLarge, "lists of %d values", values.Len())
	}
	values = Decode(values)
	offsets := make([]int32, 1, len(ends)+1)
	for _, end := range ends {
		offsets = append(offsets, int32(end))
	}
	return event.NewLists(offsets, values, valid), nil
}

// OpenLists undoes NewLists: the values of all rows end to end and, for each value, its row.
func OpenLists(column arrow.Array) (values arrow.Array, rows []uint32) {
	lists := column.(*array.List)
	if lists.Len() == 0 {
		return array.NewSlice(lists.ListValues(), 0, 0), nil
	}
	first, _ := lists.ValueOffsets(0)
	_, last := lists.ValueOffsets(lists.Len() - 1)
	rows = make([]uint32, 0, last-first)
	for i := range lists.Len() {
		start, end := lists.ValueOffsets(i)
		for range end - start {
			rows = append(rows, uint32(i))
		}
	}
	return array.NewSlice(lists.ListValues(), first, last), rows
}

// wordLists makes lists of integers, NULL where one is nil.
func wordLists(items [][]int64) (arrow.Array, error) {
	var all []int64
	ends, valid := make([]int, len(items)), event.NewBitmap(len(items))
	for i, item := range items {
		if item != nil {
			valid.Set(i)
		}
		all = append(all, item...)
		ends[i] = len(all)
	}
	return NewLists(event.NewInt64s(all, nil), ends, valid)
}

// openWordLists undoes wordLists. The items are copies.
func openWordLists(column arrow.Array) [][]int64 {
	lists := column.(*array.List)
	words := lists.ListValues().(*array.Int64).Int64Values()
	out := make([][]int64, lists.Len())
	for i := range out {
		if lists.IsValid(i) {
			start, end := lists.ValueOffsets(i)
			out[i] = append(make([]int64, 0, end-start), words[start:end]...)
		}
	}
	return out
}

// steadyDouble is a column with the same number in every row, NULL for NaN: a parameter that every row of a state carries.
func steadyDouble(v float64, rows int) arrow.Array {
	values, valid := make([]float64, rows), event.NewBitmap(rows)
	if v != v {
		return event.NewFloat64s(values, valid)
	}
	for i := range values {
		values[i] = v
	}
	return event.NewFloat64s(values, nil)
}

// steadyFlag is steadyDouble for a boolean.
func steadyFlag(v bool, rows int) arrow.Array {
	out := event.NewBitmap(rows)
	for i := range rows {
		if v {
			out.Set(i)
		}
	}
	return event.NewBooleans(out, rows, nil)
}

// readSteady undoes steadyDouble.
func readSteady(column arrow.Array) float64 {
	if column.Len() == 0 || column.IsNull(0) {
		return math.NaN()
	}
	return column.(*array.Float64).Value(0)
}

// readSteadyFlag undoes steadyFlag.
func readSteadyFlag(column arrow.Array) bool {
	return column.Len() > 0 && column.(*array.Boolean).Value(0)
}
