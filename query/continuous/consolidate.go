package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// consolidate adds up the weights of equal rows and leaves out those that come to nothing.
func consolidate(d Delta) Delta {
	if d.Rows < 2 {
		return d
	}
	x := newRowIndex(typesOfArrays(d.Columns))
	slots, fresh := x.assign(decoded(d.Columns), d.Rows)
	if len(fresh) == d.Rows {
		return d
	}
	weights := make([]int64, x.slots())
	for i, s := range slots {
		weights[s] += d.weight(i)
	}
	slices.Sort(fresh)
	var rows []int32
	var kept []int64
	for _, row := range fresh {
		if w := weights[slots[row]]; w != 0 {
			rows, kept = append(rows, row), append(kept, w)
		}
	}
	out := d.take(rows)
	out.Weights = kept
	return out
}

// net is a change consolidated and in the order that Changes promises. Rows that have a key and only come are that already.
func (p *Program) net(d Delta) Delta {
	if p.key != nil && p.neat {
		return p.replacing(d)
	}
	if p.key != nil && !slices.ContainsFunc(d.Weights, func(w int64) bool { return w < 0 }) {
		return d
	}
	return p.replacing(consolidate(d))
}

// isNeat tells operators that never give a row back only to give the same row again: those that compare groups with what was given of them,
// and what keeps all columns of such rows.
func isNeat(n node) bool {
	switch n := n.(type) {
	case *accumulateNode, *retractNode, *topNode:
		return true
	case *filterNode:
		return isNeat(n.ins[0])
	case *projectNode:
		kept := plainColumns(n.exprs)
		slices.Sort(kept)
		return len(slices.Compact(kept)) == len(n.ins[0].columns()) && isNeat(n.ins[0])
	default:
		return false
	}
}

// replacing puts what goes before what comes, so that the old row of a key precedes the one that takes its place.
func (p *Program) replacing(d Delta) Delta {
	if p.key == nil || d.Weights == nil {
		return d
	}
	var rows []int32
	for i, w := range d.Weights {
		if w < 0 {
			rows = append(rows, int32(i))
		}
	}
	if len(rows) == 0 || rows[len(rows)-1] == int32(len(rows)-1) { // they come first as it is
		return d
	}
	for i, w := range d.Weights {
		if w > 0 {
			rows = append(rows, int32(i))
		}
	}
	return d.take(rows)
}

// cut is one row of columns.
func cut(columns []arrow.Array, row int) []arrow.Array {
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		out[i] = array.NewSlice(c, int64(row), int64(row)+1)
	}
	return out
}

func typesOf(columns []plan.Column) []event.Type {
	out := make([]event.Type, len(columns))
	for i, c := range columns {
		out[i] = c.Type
	}
	return out
}

// typesOfArrays are types whose vectors hold the arrays' values.
func typesOfArrays(columns []arrow.Array) []event.Type {
	out := make([]event.Type, len(columns))
	for i, c := range columns {
		out[i] = storedType(c.DataType())
	}
	return out
}

func storedType(t arrow.DataType) event.Type {
	switch t := t.(type) {
	case *arrow.ListType:
		elem := storedType(t.Elem())
		return event.Type{Kind: event.Array, Elem: &elem}
	case *arrow.NullType:
		return event.Type{Kind: event.Unknown}
	case *arrow.BooleanType:
		return event.Type{Kind: event.Boolean}
	case *arrow.Int16Type:
		return event.Type{Kind: event.SmallInt}
	case *arrow.Int32Type:
		return event.Type{Kind: event.Integer}
	case *arrow.Date32Type:
		return event.Type{Kind: event.Date}
	case *arrow.Float32Type:
		return event.Type{Kind: event.Real}
	case *arrow.Int64Type:
		return event.Type{Kind: event.BigInt}
	case *arrow.Time64Type:
		return event.Type{Kind: event.Time}
	case *arrow.Float64Type:
		return event.Type{Kind: event.Double}
	case *arrow.TimestampType:
		return event.Type{Kind: event.TimestampTZ}
	case *arrow.MonthDayNanoIntervalType:
		return event.Type{Kind: event.Interval}
	case *arrow.Decimal128Type:
		return event.Type{Kind: event.Numeric, Precision: t.Precision, Scale: t.Scale}
	case *arrow.FixedSizeBinaryType:
		return event.Type{Kind: event.UUID}
	case *arrow.BinaryType:
		return event.Type{Kind: event.Bytea}
	default:
		return event.Type{Kind: event.Text}
	}
}
