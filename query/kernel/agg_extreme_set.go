package kernel

import (
	"cmp"
	"slices"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// extremeSet is min and max of values that can go again: it keeps how often each group has each value, and of every group a heap of its
// values. A value that has gone stays in the heap until it comes to its top, or until most of the heap has gone; while it is there,
// so is its entry in counts, which is how a value that comes back is known to be in the heap still.
type extremeSet[T comparable] struct {
	form   setForm[T]
	sign   int // -1 for max
	counts map[groupValue[T]]int64
	heaps  [][]T   // by group
	gone   []int32 // by group: values in the heap that have gone
	held   int64   // what the values take beside the map and the heaps
}

type groupValue[T comparable] struct {
	group uint32
	value T
}

// setForm reads and writes columns of a type.
type setForm[T comparable] struct {
	result  event.Type
	read    func(o Operand, rows int) func(i int) T
	write   func(values []T, valid event.Bitmap) arrow.Array
	compare func(a, b T) int
	// size is what a value points to, and own makes it independent of the batch; nil where values are themselves.
	size func(T) int
	own  func(T) T
}

func newExtremeSet(f *plan.Function) (Retractable, bool) {
	switch form := extremeForm(f).(type) {
	case setForm[int64]:
		return setOf(form, extremeSign(f)), true
	case setForm[decimal128.Num]:
		return setOf(form, extremeSign(f)), true
	case setForm[string]:
		return setOf(form, extremeSign(f)), true
	default:
		return nil, false
	}
}

// extremeSign is 1 for min and -1 for max.
func extremeSign(f *plan.Function) int {
	if f.Name == "max" {
		return -1
	}
	return 1
}

// extremeForm is the setForm of what min or max is of; nil where there is none.
func extremeForm(f *plan.Function) any {
	switch f.Result.Kind {
	case event.Numeric:
		return wordsForm(f.Result, decimal128.Num.Cmp)
	case event.UUID:
		return wordsForm(f.Result, event.CompareUUIDs)
	case event.Text, event.Bytea:
		return textForm(f.Result)
	default:
	}
	for _, form := range []orderedForm{
		bigintForm, timestampForm, doubleForm, booleanForm, smallintForm, integerForm, dateForm, realForm, timeForm,
	} {
		if f.Signature() == f.Name+"("+form.name+")" {
			return keysForm(f.Result, form)
		}
	}
	return nil
}

func setOf[T comparable](form setForm[T], sign int) *extremeSet[T] {
	return &extremeSet[T]{form: form, sign: sign, counts: map[groupValue[T]]int64{}}
}

func keysForm(t event.Type, form orderedForm) setForm[int64] {
	return setForm[int64]{result: t, write: form.restore, compare: cmp.Compare[int64], read: func(o Operand, rows int) func(int) int64 {
		if o.Const {
			o = Operand{Array: o.Expand(rows)}
		}
		keys := form.keys(o, rows, make([]int64, rows))
		return func(i int) int64 { return keys[i] }
	}}
}

func wordsForm(t event.Type, compare func(a, b decimal128.Num) int) setForm[decimal128.Num] {
	return setForm[decimal128.Num]{
		result: t, compare: compare,
		read: func(o Operand, _ int) func(int) decimal128.Num { v := fixed[decimal128.Num](o); return v.at },
		write: func(values []decimal128.Num, valid event.Bitmap) arrow.Array {
			return event.NewFixed(t.Arrow(), values, valid)
		},
	}
}

func textForm(t event.Type) setForm[string] {
	return setForm[string]{
		result: t, compare: strings.Compare, size: func(s string) int { return len(s) }, own: strings.Clone,
		read: func(o Operand, _ int) func(int) string { v := textsOf(o); return v.at },
		write: func(values []string, valid event.Bitmap) arrow.Array {
			offsets := make([]int32, 1, len(values)+1)
			var data []byte
			for _, v := range values {
				data = append(data, v...)
				offsets = append(offsets, int32(len(data)))
			}
			if t.Kind == event.Bytea {
				return event.NewBinaries(offsets, data, valid)
			}
			return event.NewStrings(offsets, data, valid)
		},
	}
}

func (a *extremeSet[T]) Update(groups Groups, args []Operand, rows int) error {
	a.grow(groups.Count)
	at, valid := a.form.read(args[0], rows), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			a.add(groupOf(groups, i), at(i), 1)
		}
	}
	return nil
}

func (a *extremeSet[T]) grow(count int) {
	a.heaps, a.gone = grown(a.heaps, count, nil), grown(a.gone, count, 0)
}

func (a *extremeSet[T]) add(g uint32, v T, times int64) {
	n, inHeap := a.counts[groupValue[T]{g, v}]
	switch {
	case !inHeap:
		if a.form.own != nil {
			v = a.form.own(v)
			a.held += int64(a.form.size(v))
		}
		a.heaps[g] = append(a.heaps[g], v)
		a.rise(a.heaps[g])
	case n == 0:
		a.gone[g]--
	}
	a.counts[groupValue[T]{g, v}] = n + times
}

// Retract takes rows out.
func (a *extremeSet[T]) Retract(groups Groups, args []Operand, rows int) error {
	a.grow(groups.Count)
	at, valid := a.form.read(args[0], rows), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			a.remove(groupOf(groups, i), at(i))
		}
	}
	return nil
}

func (a *extremeSet[T]) remove(g uint32, v T) {
	key := groupValue[T]{g, v}
	n, ok := a.counts[key]
	if !ok || n == 0 {
		return // it never came
	}
	a.counts[key] = n - 1
	if n > 1 {
		return
	}
	if a.gone[g]++; 2*int(a.gone[g]) > len(a.heaps[g]) {
		a.sweep(g)
	}
}

// sweep takes the values that have gone out of a heap.
func (a *extremeSet[T]) sweep(g uint32) {
	kept := a.heaps[g][:0]
	for _, v := range a.heaps[g] {
		if a.counts[groupValue[T]{g, v}] > 0 {
			kept = append(kept, v)
		} else {
			a.forget(g, v)
		}
	}
	clear(a.heaps[g][len(kept):])
	a.heaps[g], a.gone[g] = kept, 0
	if len(kept) == 0 {
		a.heaps[g] = nil
	}
	for i := len(kept)/2 - 1; i >= 0; i-- {
		a.sink(kept, i)
	}
}

func (a *extremeSet[T]) forget(g uint32, v T) {
	delete(a.counts, groupValue[T]{g, v})
	if a.form.size != nil {
		a.held -= int64(a.form.size(v))
	}
}

func (a *extremeSet[T]) before(x, y T) bool { return a.form.compare(x, y)*a.sign < 0 }

// rise moves the last element of a heap to its place.
func (a *extremeSet[T]) rise(heap []T) {
	for i := len(heap) - 1; i > 0 && a.before(heap[i], heap[(i-1)/2]); i = (i - 1) / 2 {
		heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
	}
}

// sink moves an element of a heap to its place below.
func (a *extremeSet[T]) sink(heap []T, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if a.before(heap[child], heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// best is the first value of a group that has not gone.
func (a *extremeSet[T]) best(g uint32) (v T, ok bool) {
	for len(a.heaps[g]) > 0 {
		heap := a.heaps[g]
		if v = heap[0]; a.counts[groupValue[T]{g, v}] > 0 {
			return v, true
		}
		a.forget(g, v)
		last := len(heap) - 1
		heap[0] = heap[last]
		var none T
		heap[last] = none
		a.heaps[g] = heap[:last]
		a.sink(a.heaps[g], 0)
		a.gone[g]--
	}
	return v, false
}

func (a *extremeSet[T]) Result(groups int) (arrow.Array, error) {
	all := make([]uint32, groups)
	for g := range all {
		all[g] = uint32(g)
	}
	return a.ResultOf(all)
}

// ResultOf is the result of some groups.
func (a *extremeSet[T]) ResultOf(groups []uint32) (arrow.Array, error) {
	a.grow(reach(groups))
	out, valid := make([]T, len(groups)), event.NewBitmap(len(groups))
	for i, g := range groups {
		v, ok := a.best(g)
		if ok {
			out[i] = v
			valid.Set(i)
		}
	}
	return a.form.write(out, valid), nil
}

func (a *extremeSet[T]) Merge(other Accumulator, mapping []uint32, count int) error {
	a.grow(count)
	for key, n := range other.(*extremeSet[T]).counts {
		if n > 0 {
			a.add(mapping[key.group], key.value, n)
		}
	}
	return nil
}

// State has the values of each group in their order and how often each is there.
func (a *extremeSet[T]) State(groups []uint32) ([]arrow.Array, error) {
	a.grow(reach(groups))
	var values []T
	var counts []int64
	ends := make([]int, len(groups))
	for i, g := range groups {
		a.sweep(g)
		heap := slices.Clone(a.heaps[g])
		slices.SortFunc(heap, a.form.compare)
		for _, v := range heap {
			values, counts = append(values, v), append(counts, a.counts[groupValue[T]{g, v}])
		}
		ends[i] = len(values)
	}
	return a.form.save(values, counts, ends)
}

// save is the state of a set: the values of each group end to end, how often each is there, and where each group ends.
func (f setForm[T]) save(values []T, counts []int64, ends []int) ([]arrow.Array, error) {
	valueLists, err := NewLists(f.write(values, nil), ends, nil)
	if err != nil {
		return nil, err
	}
	countLists, err := NewLists(event.NewInt64s(counts, nil), ends, nil)
	return []arrow.Array{valueLists, countLists}, err
}

// open reads what save has written: the values, how often each is there, and its group.
func (f setForm[T]) open(state []arrow.Array) (values arrow.Array, counts []int64, groups []uint32, err error) {
	if err := CheckState(state, arrow.ListOf(f.result.Arrow()), wordsType); err != nil {
		return nil, nil, nil, err
	}
	values, groups = OpenLists(state[0])
	numbers, again := OpenLists(state[1])
	if !slices.Equal(groups, again) || values.NullN() > 0 {
		return nil, nil, nil, errState("%d values counted %d times", len(groups), len(again))
	}
	return values, numbers.(*array.Int64).Int64Values(), groups, nil
}

func (a *extremeSet[T]) Restore(state []arrow.Array) error {
	values, counts, groups, err := a.form.open(state)
	if err != nil {
		return err
	}
	a.grow(state[0].Len())
	at := a.form.read(Operand{Array: values}, values.Len())
	for i, n := range counts {
		if _, twice := a.counts[groupValue[T]{groups[i], at(i)}]; twice || n <= 0 {
			return errState("a value is there %d times, or twice", n)
		}
		a.add(groups[i], at(i), n)
	}
	return nil
}

// Bytes counts a value twice, once in its heap, with the share of the map's free places.
func (a *extremeSet[T]) Bytes() int64 {
	var key groupValue[T]
	var value T
	each := 2*int64(unsafe.Sizeof(key)+8) + 2*int64(unsafe.Sizeof(value))
	return each*int64(len(a.counts)) + sizeOf(a.heaps) + sizeOf(a.gone) + a.held
}
