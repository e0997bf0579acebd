// Package kernel computes over batches: the functions, operators and aggregates of package plan, casts, CASE, and the
// gathering and comparing of values that relational operators need.
//
// Everything here is pure: no locks, no clock, no I/O. A Program and every scalar function may be used from any goroutine.
// Arrays that come in are never changed, and arrays that go out may share memory with them. An array may start at an offset (a
// slice),
// and TEXT and JSONB may come plain or as a dictionary. The type is chosen once per batch; then a plain loop runs over slices.
//
// NULL is decided outside the typed loops: a strict function is told which rows count, so that what lies in memory under a
// NULL can never raise an error. The package does not plan, fold constants or decide which rows form a group.
package kernel

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Operand is an argument or a result: as many rows as the batch has, or one value that stands for all of them.
type Operand struct {
	Array arrow.Array
	// Const says that Array has length 1 and holds for every row.
	Const bool
}

// Context is what stays fixed throughout one query.
type Context struct {
	// Now is the time that now() gives, in microseconds since 1970.
	Now int64
	// Outer are the values of the row that a plan is computed for, of one element each: those of plan.OuterRef.
	Outer []arrow.Array
	// Done is closed when nobody waits for the answer any more, which is looked at before every call; nil is never.
	Done <-chan struct{}
	// Looked is told of every such look, by tests of how soon work ends; nil otherwise.
	Looked func()
	// Memo is shared by all contexts of a query; nil remembers nothing.
	Memo *Memo
	// Random is shared by all contexts of a query; nil is one that nobody has seeded.
	Random *Random
}

// Err is the error of work that nobody waits for, nil as long as somebody does. It costs a few nanoseconds: whatever goes over more than a
// batch of rows asks for it every time that it has done a batch's work.
func (c *Context) Err() error {
	if c.Looked != nil {
		c.Looked()
	}
	select {
	case <-c.Done:
		return context.Canceled
	default:
		return nil
	}
}

// Func computes one overload over the rows of a batch. Arguments have exactly the overload's types. An error that the values
// cause is an *event.Error.
type Func func(ctx *Context, args []Operand, rows int) (Operand, error)

// Lookup finds the implementation of a scalar function. It reports false for aggregates.
func Lookup(f *plan.Function) (Func, bool) {
	impl, ok := functions[f.Signature()]
	if !ok {
		return lookupArray(f)
	}
	if impl.lax != nil {
		return impl.lax, true
	}
	return strict(f.Result, impl.strict), true
}

// Expand repeats a constant; any other operand is returned as it is. Repeated text is a dictionary of one value.
func (o Operand) Expand(rows int) arrow.Array {
	if !o.Const {
		return o.Array
	}
	if isText(o.Array) {
		return repeatText(o.Array, rows)
	}
	return Take(o.Array, make([]int32, rows))
}

// null is one NULL that stands for all rows.
func null(t event.Type) Operand { return Operand{Array: event.NewNulls(t, 1), Const: true} }
