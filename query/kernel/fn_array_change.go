package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerArrayChange(r arrayRegistry) {
	for _, name := range []string{"||", "array_cat"} {
		r.lax(name+"/aa", arrayCat)
	}
	for _, name := range []string{"||", "array_append"} {
		r.lax(name+"/ae", func(_ *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
			return withElement(args[0], args[1], rows, false)
		})
	}
	for _, name := range []string{"||", "array_prepend"} {
		r.lax(name+"/ea", func(_ *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
			return withElement(args[1], args[0], rows, true)
		})
	}
	r.lax("array_remove/ae", arrayRemove)
	r.lax("array_replace/aee", arrayReplace)
	r.strict("array_reverse/a", func(*plan.Function) kernel {
		return perArray(func(b *listBuilder, _ *lists, _ int, from, to int) {
			for at := to - 1; at >= from; at-- {
				b.pick(at)
			}
		})
	})
	r.strict("array_sort/a", arraySort)
	r.strict("array_distinct/a", arrayDistinct)
	r.strict("trim_array/ai", func(*plan.Function) kernel { return trimArray })
}

// perArray makes of each array another one of its elements.
func perArray(build func(b *listBuilder, l *lists, row, from, to int)) kernel {
	return func(c *call) (arrow.Array, error) {
		l := listsOf(c.args[0])
		b := newListBuilder(c.rows, c.valid)
		for i := range c.rows {
			if c.valid.Valid(i) {
				from, to := l.span(i)
				build(b, &l, i, from, to)
			}
			b.end(false)
		}
		return b.finish(l.values)
	}
}

// arrayCat joins two arrays; NULL counts as none beside another.
func arrayCat(_ *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	x, y := listsOf(Operand{Array: args[0]}), listsOf(Operand{Array: args[1]})
	source, err := Concat([]arrow.Array{x.values, y.values})
	if err != nil {
		return nil, err
	}
	b := newListBuilder(rows, nil)
	for i := range rows {
		if args[0].IsValid(i) {
			b.pickSpan(x.span(i))
		}
		if args[1].IsValid(i) {
			from, to := y.span(i)
			b.pickSpan(from+x.values.Len(), to+x.values.Len())
		}
		b.end(args[0].IsNull(i) && args[1].IsNull(i))
	}
	return b.finish(source)
}

// withElement adds an element to an array; NULL counts as an array without any.
func withElement(arrays, elements arrow.Array, rows int, first bool) (arrow.Array, error) {
	l := listsOf(Operand{Array: arrays})
	source, err := Concat([]arrow.Array{l.values, elements})
	if err != nil {
		return nil, err
	}
	b := newListBuilder(rows, nil)
	for i := range rows {
		if first {
			b.pick(l.values.Len() + i)
		}
		if arrays.IsValid(i) {
			b.pickSpan(l.span(i))
		}
		if !first {
			b.pick(l.values.Len() + i)
		}
		b.end(false)
	}
	return b.finish(source)
}

func arrayRemove(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	l := listsOf(Operand{Array: args[0]})
	compare := elementOrdering(l.values, args[1], f.Args[1])
	b := newListBuilder(rows, nil)
	for i := range rows {
		if args[0].IsValid(i) {
			for from, to := l.span(i); from < to; from++ {
				if compare(from, i) != 0 {
					b.pick(from)
				}
			}
		}
		b.end(args[0].IsNull(i))
	}
	return b.finish(l.values)
}

func arrayReplace(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	l := listsOf(Operand{Array: args[0]})
	compare := elementOrdering(l.values, args[1], f.Args[1])
	source, err := Concat([]arrow.Array{l.values, args[2]})
	if err != nil {
		return nil, err
	}
	b := newListBuilder(rows, nil)
	for i := range rows {
		if args[0].IsValid(i) {
			for from, to := l.span(i); from < to; from++ {
				if compare(from, i) == 0 {
					b.pick(l.values.Len() + i)
				} else {
					b.pick(from)
				}
			}
		}
		b.end(args[0].IsNull(i))
	}
	return b.finish(source)
}

// arraySort puts elements in order, NULLs last.
func arraySort(f *plan.Function) kernel {
	return perArray(func(b *listBuilder, l *lists, _ int, from, to int) {
		compare := elementOrdering(l.values, l.values, *f.Args[0].Elem)
		start := len(b.picks)
		b.pickSpan(from, to)
		slices.SortStableFunc(b.picks[start:], func(x, y int32) int { return compare(int(x), int(y)) })
	})
}

// arrayDistinct leaves the first of equal elements.
func arrayDistinct(f *plan.Function) kernel {
	return func(c *call) (arrow.Array, error) {
		write, err := elementKey(listsOf(c.args[0]).values, *f.Args[0].Elem)
		if err != nil {
			return nil, err
		}
		return perArray(func(b *listBuilder, l *lists, _ int, from, to int) {
			seen := map[string]bool{}
			for at := from; at < to; at++ {
				key := "n"
				if l.values.IsValid(at) {
					key = string(write([]byte{'v'}, at))
				}
				if !seen[key] {
					seen[key] = true
					b.pick(at)
				}
			}
		})(c)
	}
}

// trimArray leaves out so many elements at the end.
func trimArray(c *call) (arrow.Array, error) {
	counts := fixed[int64](c.args[1])
	l := listsOf(c.args[0])
	for i := range c.rows {
		if from, to := l.span(i); c.valid.Valid(i) && (counts.at(i) < 0 || counts.at(i) > int64(to-from)) {
			return nil, event.Errorf(event.CodeInvalidValue, "trim_array: %d is not between 0 and the number of elements", counts.at(i))
		}
	}
	return perArray(func(b *listBuilder, _ *lists, row, from, to int) {
		b.pickSpan(from, to-int(counts.at(row)))
	})(c)
}
