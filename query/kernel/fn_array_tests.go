package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerArrayTests(r arrayRegistry) {
	for symbol, comparison := range comparisons {
		r.strict(symbol+"/aa", func(f *plan.Function) kernel { return comparison.kernel(f.Args[0]) })
		r[symbol+" any/ea"] = func(f *plan.Function) Func { return quantifiedOrEmpty(comparison, f, false) }
		r[symbol+" all/ea"] = func(f *plan.Function) Func { return quantifiedOrEmpty(comparison, f, true) }
	}
	r.strict("array_contains/ae", func(f *plan.Function) kernel {
		return func(c *call) (arrow.Array, error) {
			turned := *c
			turned.args, turned.valid = []Operand{c.args[1], c.args[0]}, slices.Clone(c.valid)
			out, err := quantified(comparisons["="], f.Args[1], false)(&turned)
			if err != nil {
				return nil, err
			}
			known := orAll(validityOf(out), c.rows)
			bits := booleans(Operand{Array: out}, c.rows)
			return event.NewBooleans(both(known, bits), c.rows, c.valid), nil
		}
	})
	r.strict("@>/aa", func(f *plan.Function) kernel { return containment(*f.Args[0].Elem, 0, 1) })
	r.strict("<@/aa", func(f *plan.Function) kernel { return containment(*f.Args[0].Elem, 1, 0) })
	r.strict("&&/aa", overlapping)
	r.lax("array_position/ae", arrayPosition)
	r.lax("array_positions/ae", arrayPositions)
	for name, want := range map[string]bool{"is_null": true, "is_not_null": false} {
		r[name+"/a"] = func(*plan.Function) Func { return isNullFunc(want) }
	}
	for name, distinct := range map[string]bool{"is distinct from": true, "is not distinct from": false} {
		r[name+"/aa"] = func(f *plan.Function) Func { return distinctFrom(f.Args[0], distinct) }
	}
	r["coalesce/a"] = func(f *plan.Function) Func { return coalesce(f.Result) }
	r["nullif/aa"] = func(f *plan.Function) Func { return nullIf(f.Result) }
	r["greatest/a"] = func(f *plan.Function) Func { return furthest(f.Result, 1) }
	r["least/a"] = func(f *plan.Function) Func { return furthest(f.Result, -1) }
}

// quantified compares a value with the elements of an array: whether the comparison holds for one of them, or for all. An element that
// is NULL makes the outcome NULL where no other decides.
func quantified(test comparison, elem event.Type, all bool) kernel {
	return func(c *call) (arrow.Array, error) {
		l := listsOf(c.args[1])
		compare := ordering(c.args[0], Operand{Array: l.values}, elem)
		out := event.NewBitmap(c.rows)
		for i := range c.rows {
			if !c.valid.Valid(i) {
				continue
			}
			decided, unknown := false, false
			for from, to := l.span(i); from < to && !decided; from++ {
				if l.values.IsNull(from) {
					unknown = true
					continue
				}
				decided = test.holds(compare(i, from)) != all
			}
			if decided != all {
				out.Set(i)
			}
			if unknown && !decided {
				c.setNull(i)
			}
		}
		return event.NewBooleans(out, c.rows, c.valid), nil
	}
}

// quantifiedOrEmpty is quantified where NULL has an answer too: compared with the elements of an array that has none.
func quantifiedOrEmpty(test comparison, f *plan.Function, all bool) Func {
	compute := strict(f.Result, quantified(test, f.Args[0], all))
	return func(ctx *Context, args []Operand, rows int) (Operand, error) {
		out, err := compute(ctx, args, rows)
		if err != nil || args[0].validity(rows) == nil || args[1].Array.DataType().ID() == arrow.NULL {
			return out, err
		}
		constant := args[0].Const && args[1].Const
		if constant {
			rows = 1
		}
		decided := emptyBeside(args[0], args[1], rows)
		if decided.Nulls(rows) == rows {
			return out, nil
		}
		whole := Operand{Array: Decode(out.Expand(rows))}
		bits, valid := slices.Clone(booleans(whole, rows)), slices.Clone(orAll(validityOf(whole.Array), rows))
		for i := range rows {
			if decided.Valid(i) {
				valid.Set(i)
				bits.Clear(i)
				if all {
					bits.Set(i)
				}
			}
		}
		return Operand{Array: event.NewBooleans(bits, rows, valid), Const: constant}, nil
	}
}

// emptyBeside marks the rows in which a value is NULL and an array is not, and has no elements.
func emptyBeside(value, arrays Operand, rows int) event.Bitmap {
	out, l := event.NewBitmap(rows), listsOf(arrays)
	known, there := value.validity(rows), arrays.validity(rows)
	for i := range rows {
		if from, to := l.span(i); !known.Valid(i) && there.Valid(i) && from == to {
			out.Set(i)
		}
	}
	return out
}

// containment asks whether every element of one array is equal to one of another; NULL is equal to nothing.
func containment(elem event.Type, whole, part int) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y := listsOf(c.args[whole]), listsOf(c.args[part])
		compare := elementOrdering(x.values, y.values, elem)
		return mapBooleans(c, func(i int) (bool, error) {
			for at, end := y.span(i); at < end; at++ {
				if y.values.IsNull(at) || !holds(&x, i, at, compare) {
					return false, nil
				}
			}
			return true, nil
		})
	}
}

// holds reports whether an array has an element equal to that at a place of another.
func holds(l *lists, row, at int, compare func(i, j int) int) bool {
	for from, to := l.span(row); from < to; from++ {
		if compare(from, at) == 0 {
			return true
		}
	}
	return false
}

// overlapping asks whether two arrays have an element in common.
func overlapping(f *plan.Function) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y := listsOf(c.args[0]), listsOf(c.args[1])
		compare := elementOrdering(x.values, y.values, *f.Args[0].Elem)
		return mapBooleans(c, func(i int) (bool, error) {
			for at, end := y.span(i); at < end; at++ {
				if y.values.IsValid(at) && holds(&x, i, at, compare) {
					return true, nil
				}
			}
			return false, nil
		})
	}
}

// arrayPosition is the first place of an element, from 1; NULL where there is none. NULL is looked for too.
func arrayPosition(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	l := listsOf(Operand{Array: args[0]})
	compare := elementOrdering(l.values, args[1], f.Args[1])
	out, valid := make([]int64, rows), event.NewBitmap(rows)
	for i := range rows {
		if args[0].IsNull(i) {
			continue
		}
		from, to := l.span(i)
		for at := from; at < to; at++ {
			if compare(at, i) == 0 {
				out[i] = int64(at - from + 1)
				valid.Set(i)
				break
			}
		}
	}
	return event.NewInt64s(out, valid), nil
}

// arrayPositions are all places of an element.
func arrayPositions(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	l := listsOf(Operand{Array: args[0]})
	compare := elementOrdering(l.values, args[1], f.Args[1])
	var places []int64
	offsets, valid := make([]int32, 1, rows+1), event.NewBitmap(rows)
	for i := range rows {
		if args[0].IsValid(i) {
			valid.Set(i)
			from, to := l.span(i)
			for at := from; at < to; at++ {
				if compare(at, i) == 0 {
					places = append(places, int64(at-from+1))
				}
			}
		}
		offsets = append(offsets, int32(len(places)))
	}
	return event.NewLists(offsets, event.NewInt64s(places, nil), valid), nil
}
