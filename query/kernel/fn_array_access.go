package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerArrayAccess(r arrayRegistry) {
	r.strict("subscript/ai", func(*plan.Function) kernel { return subscript })
	r.lax("array_slice/aii", arraySlice)
	r.strict("cardinality/a", func(*plan.Function) kernel { return arrayLength })
	length := func(*plan.Function) kernel { return arrayDimension }
	r.strict("array_length/a", length)
	r.strict("array_length/ai", length)
	r.strict("array_upper/ai", length)
	r.strict("array_lower/ai", func(*plan.Function) kernel {
		return func(c *call) (arrow.Array, error) {
			lengths, err := arrayDimension(c)
			if err != nil {
				return nil, err
			}
			ones := make([]int64, c.rows)
			for i := range ones {
				ones[i] = 1
			}
			return event.NewInt64s(ones, validityOf(lengths)), nil
		}
	})
	r.strict("array_ndims/a", func(f *plan.Function) kernel { return arrayDepth(f.Args[0]) })
}

// subscript is the element at a place counted from 1; NULL where there is none.
func subscript(c *call) (arrow.Array, error) {
	l, at := listsOf(c.args[0]), fixed[int64](c.args[1])
	picks := make([]int32, c.rows)
	for i := range picks {
		picks[i] = -1
		if !c.valid.Valid(i) {
			continue
		}
		from, to := l.span(i)
		if n := at.at(i); n >= 1 && n <= int64(to-from) {
			picks[i] = int32(from + int(n) - 1)
		}
	}
	return TakeOrNull(l.values, picks), nil
}

// arraySlice is the elements from one place to another, both included; a bound that is NULL is no bound.
func arraySlice(_ *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	l := listsOf(Operand{Array: args[0]})
	low, high := fixed[int64](Operand{Array: args[1]}), fixed[int64](Operand{Array: args[2]})
	b := newListBuilder(rows, nil)
	for i := range rows {
		if args[0].IsNull(i) {
			b.end(true)
			continue
		}
		from, to := l.span(i)
		n := int64(to - from)
		first, last := int64(1), n
		if args[1].IsValid(i) {
			first = max(first, min(low.at(i), n+1))
		}
		if args[2].IsValid(i) {
			last = min(last, max(high.at(i), 0))
		}
		b.pickSpan(from+int(first)-1, from+int(last))
		b.end(false)
	}
	return b.finish(l.values)
}

func arrayLength(c *call) (arrow.Array, error) {
	l := listsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		from, to := l.span(i)
		return int64(to - from), nil
	})
}

// arrayDimension is the length of a dimension, the first unless told; NULL where the array is empty or has no such dimension.
func arrayDimension(c *call) (arrow.Array, error) {
	l := listsOf(c.args[0])
	out := make([]int64, c.rows)
	for i := range out {
		if !c.valid.Valid(i) {
			continue
		}
		from, to := l.span(i)
		n, inner := int64(to-from), l
		if len(c.args) == 2 {
			depth := fixed[int64](c.args[1]).at(i)
			if depth < 1 {
				n = 0
			}
			for ; depth > 1 && n > 0; depth-- {
				if inner, n = firstInner(inner, from); n > 0 {
					from, _ = inner.span(from)
				}
			}
		}
		if out[i] = n; n == 0 {
			c.setNull(i)
		}
	}
	return event.NewInt64s(out, c.valid), nil
}

// firstInner is access to the arrays among the elements, and the length of the one at a place; 0 where the elements are no arrays.
func firstInner(l lists, at int) (inner lists, length int64) {
	if l.values.DataType().ID() != arrow.LIST {
		return l, 0
	}
	inner = listsOf(Operand{Array: l.values})
	from, to := inner.span(at)
	return inner, int64(to - from)
}

// arrayDepth is how deep arrays nest; NULL where they are empty.
func arrayDepth(t event.Type) kernel {
	depth := int64(0)
	for ; t.Kind == event.Array; t = *t.Elem {
		depth++
	}
	return func(c *call) (arrow.Array, error) {
		lengths, err := arrayDimension(&call{ctx: c.ctx, args: c.args[:1], rows: c.rows, valid: c.valid})
		if err != nil {
			return nil, err
		}
		out := make([]int64, c.rows)
		for i := range out {
			out[i] = depth
		}
		return event.NewInt64s(out, validityOf(lengths)), nil
	}
}
