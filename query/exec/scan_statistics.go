package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// statisticsOp is a grouping into one row, part of which is known from statistics: its input reads the rest.
type statisticsOp struct {
	operator
	calls []*knownCall
}

// knownCall is one call with what statistics say of it.
type knownCall struct {
	name   string
	column int         // of the scan; -1 for count(*)
	count  int64       // of count
	end    arrow.Array // of min and max: one value, nil where there is none yet
}

func newKnownCalls(aggregates []plan.Aggregation) []*knownCall {
	out := make([]*knownCall, len(aggregates))
	for i, a := range aggregates {
		out[i] = &knownCall{name: a.Fn.Name, column: -1}
		if len(a.Args) == 1 {
			out[i].column = a.Args[0].(*plan.ColumnRef).Index
		}
	}
	return out
}

// settle takes the answers for some rows from their statistics, if every row is known to meet the conditions and every call is answered.
func settle(ctx *kernel.Context, calls []*knownCall, conditions []condition, rows query.Statistics) bool {
	for i := range conditions {
		if !conditions[i].holds(ctx, knownRows{rows}) {
			return false
		}
	}
	for _, c := range calls {
		if !c.answered(rows) {
			return false
		}
	}
	for _, c := range calls {
		c.add(rows)
	}
	return true
}

// answered reports whether statistics say what the call needs.
func (c *knownCall) answered(rows query.Statistics) bool {
	if c.column < 0 {
		return true
	}
	if c.name == "count" {
		_, ok := rows.Nulls(c.column)
		return ok
	}
	_, ok := rows.Ends(c.column)
	return ok
}

func (c *knownCall) add(rows query.Statistics) {
	switch {
	case c.column < 0:
		c.count += rows.Rows()
	case c.name == "count":
		nulls, _ := rows.Nulls(c.column)
		c.count += rows.Rows() - nulls
	default:
		ends, _ := rows.Ends(c.column)
		if ends == nil {
			return
		}
		at := int64(0)
		if c.name == "max" {
			at = 1
		}
		c.end = c.further(c.end, array.NewSlice(ends, at, at+1))
	}
}

// further is that of two ends which lies further out; one may be nil or NULL.
func (c *knownCall) further(a, b arrow.Array) arrow.Array {
	switch {
	case a == nil || a.IsNull(0):
		return b
	case b == nil || b.IsNull(0):
		return a
	case (wordOf(a) < wordOf(b)) == (c.name == "min"):
		return a
	default:
		return b
	}
}

// wordOf is the one value of an array of whole numbers or times.
func wordOf(values arrow.Array) int64 {
	if t, ok := values.(*array.Timestamp); ok {
		return int64(t.Value(0))
	}
	return values.(*array.Int64).Value(0)
}

// knownRows are statistics as conditions look at them: ends say nothing of rows that are NULL.
type knownRows struct{ query.Statistics }

// Bounds are the ends of a column that has a value in every row.
func (k knownRows) Bounds(column int) (lowHigh arrow.Array, ok bool) {
	if nulls, known := k.Nulls(column); !known || nulls > 0 {
		return nil, false
	}
	ends, ok := k.Ends(column)
	return ends, ok && ends != nil
}

func (o *statisticsOp) open() reader { return &statisticsReader{op: o, input: o.operator.open()} }

// statisticsReader adds what is known to the one row that the input gives.
type statisticsReader struct {
	op    *statisticsOp
	input reader
}

func (r *statisticsReader) next(ctx context.Context) (*Batch, error) {
	batch, err := r.input.next(ctx)
	if err != nil {
		return nil, err
	}
	out := &Batch{Columns: make([]arrow.Array, len(batch.Columns)), Rows: batch.Rows}
	for i, c := range r.op.calls {
		if c.name == "count" {
			out.Columns[i] = event.NewInt64s([]int64{c.count + wordOf(batch.Columns[i])}, nil)
			continue
		}
		out.Columns[i] = c.further(c.end, batch.Columns[i])
	}
	return out, nil
}

func (r *statisticsReader) close() { r.input.close() }
