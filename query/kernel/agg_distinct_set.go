package kernel

import (
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// distinctSet is an aggregate of the distinct values of rows that can go again: it keeps how often each group has each value, and what the
// aggregate is of one of each.
type distinctSet[T comparable] struct {
	form   setForm[T]
	inner  Retractable
	counts []map[T]int64 // by group
	values int64
	held   int64 // what the values take beside the maps
}

// NewRetractableDistinct makes an empty accumulator of count, sum or avg of distinct values of a type, whose rows can go. It reports false for
// other functions, and for types whose equal values can be written in more than one way.
func NewRetractableDistinct(f *plan.Function, of event.Type) (Retractable, bool) {
	if !slices.Contains([]string{"count", "sum", "avg"}, f.Name) {
		return nil, false
	}
	inner, ok := NewRetractable(f)
	if _, shows := inner.(ResultsOf); !ok || !shows {
		return nil, false
	}
	switch form := valueForm(of).(type) {
	case setForm[int64]:
		return &distinctSet[int64]{form: form, inner: inner}, true
	case setForm[decimal128.Num]:
		return &distinctSet[decimal128.Num]{form: form, inner: inner}, true
	case setForm[string]:
		return &distinctSet[string]{form: form, inner: inner}, true
	default:
		return nil, false
	}
}

// valueForm is the setForm of a type; nil where there is none.
func valueForm(t event.Type) any {
	switch t.Kind {
	case event.Numeric:
		return wordsForm(t, decimal128.Num.Cmp)
	case event.UUID:
		return wordsForm(t, event.CompareUUIDs)
	case event.Text, event.Bytea:
		return textForm(t)
	case event.BigInt:
		return keysForm(t, bigintForm)
	case event.Integer:
		return keysForm(t, integerForm)
	case event.SmallInt:
		return keysForm(t, smallintForm)
	case event.TimestampTZ:
		return keysForm(t, timestampForm)
	case event.Date:
		return keysForm(t, dateForm)
	case event.Boolean:
		return keysForm(t, booleanForm)
	default:
		return nil
	}
}

func (a *distinctSet[T]) Update(groups Groups, args []Operand, rows int) error {
	fresh, ids := a.turned(groups, args, rows, func(g uint32, v T) bool { return a.add(g, v, 1) })
	return a.inner.Update(Groups{IDs: ids, Count: groups.Count}, taken(args, rows, fresh), len(fresh))
}

// Retract takes rows out.
func (a *distinctSet[T]) Retract(groups Groups, args []Operand, rows int) error {
	gone, ids := a.turned(groups, args, rows, a.remove)
	return a.inner.Retract(Groups{IDs: ids, Count: groups.Count}, taken(args, rows, gone), len(gone))
}

// turned are the rows whose value f says is there now and was not, or the other way round, with their groups.
func (a *distinctSet[T]) turned(groups Groups, args []Operand, rows int, f func(g uint32, v T) bool) (some []int32, ids []uint32) {
	a.counts = grown(a.counts, groups.Count, nil)
	at, valid := a.form.read(args[0], rows), args[0].validity(rows)
	ids = []uint32{}
	for i := range rows {
		if g := groupOf(groups, i); valid.Valid(i) && f(g, at(i)) {
			some, ids = append(some, int32(i)), append(ids, g)
		}
	}
	return some, ids
}

// taken are arguments for some rows.
func taken(args []Operand, rows int, some []int32) []Operand {
	out := make([]Operand, len(args))
	for i, arg := range args {
		out[i] = Operand{Array: Take(arg.Expand(rows), some)}
	}
	return out
}

// add counts a value and reports whether it is the first of its group.
func (a *distinctSet[T]) add(g uint32, v T, times int64) bool {
	if a.counts[g] == nil {
		a.counts[g] = map[T]int64{}
	}
	n := a.counts[g][v]
	if n == 0 {
		a.values++
		if a.form.own != nil {
			v = a.form.own(v)
			a.held += int64(a.form.size(v))
		}
	}
	a.counts[g][v] = n + times
	return n == 0
}

// remove takes a value out and reports whether it was the last of its group.
func (a *distinctSet[T]) remove(g uint32, v T) bool {
	n := a.counts[g][v]
	if n > 1 {
		a.counts[g][v] = n - 1
	}
	if n != 1 {
		return false
	}
	delete(a.counts[g], v)
	a.values--
	if a.form.size != nil {
		a.held -= int64(a.form.size(v))
	}
	return true
}

// Merge adds the values of another's groups; one that is there already adds nothing to the aggregate.
func (a *distinctSet[T]) Merge(other Accumulator, mapping []uint32, count int) error {
	a.counts = grown(a.counts, count, nil)
	var values []T
	ids := []uint32{}
	for g, counts := range other.(*distinctSet[T]).counts {
		for v, n := range counts {
			if a.add(mapping[g], v, n) {
				values, ids = append(values, v), append(ids, mapping[g])
			}
		}
	}
	return a.inner.Update(Groups{IDs: ids, Count: count}, []Operand{{Array: a.form.write(values, nil)}}, len(values))
}

func (a *distinctSet[T]) Result(groups int) (arrow.Array, error) { return a.inner.Result(groups) }

// ResultOf is the result of some groups.
func (a *distinctSet[T]) ResultOf(groups []uint32) (arrow.Array, error) {
	return a.inner.(ResultsOf).ResultOf(groups)
}

// State has the values of each group in their order and how often each is there.
func (a *distinctSet[T]) State(groups []uint32) ([]arrow.Array, error) {
	a.counts = grown(a.counts, reach(groups), nil)
	var values []T
	var counts []int64
	ends := make([]int, len(groups))
	for i, g := range groups {
		from := len(values)
		for v := range a.counts[g] {
			values = append(values, v)
		}
		slices.SortFunc(values[from:], a.form.compare)
		for _, v := range values[from:] {
			counts = append(counts, a.counts[g][v])
		}
		ends[i] = len(values)
	}
	return a.form.save(values, counts, ends)
}

func (a *distinctSet[T]) Restore(state []arrow.Array) error {
	values, counts, groups, err := a.form.open(state)
	if err != nil {
		return err
	}
	a.counts = grown(a.counts, state[0].Len(), nil)
	at := a.form.read(Operand{Array: values}, values.Len())
	for i, n := range counts {
		if n <= 0 || !a.add(groups[i], at(i), n) {
			return errState("a value is there %d times, or twice", n)
		}
	}
	if groups == nil {
		groups = []uint32{}
	}
	return a.inner.Update(Groups{IDs: groups, Count: state[0].Len()}, []Operand{{Array: values}}, values.Len())
}

// Bytes counts each value with the share of its map's free places.
func (a *distinctSet[T]) Bytes() int64 {
	var value T
	return 2*int64(unsafe.Sizeof(value)+8)*a.values + sizeOf(a.counts) + a.held + a.inner.Bytes()
}
