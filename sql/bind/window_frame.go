package bind

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

var frameUnits = map[string]plan.FrameUnit{"ROWS": plan.FrameRows, "RANGE": plan.FrameRange, "GROUPS": plan.FrameGroups}

var frameExclusions = map[string]plan.FrameExclusion{
	"": plan.ExcludeNothing, "CURRENT ROW": plan.ExcludeRow, "GROUP": plan.ExcludeGroup, "TIES": plan.ExcludeTies,
}

// frame binds a frame. Without one, all rows up to the current one and its peers are seen, which without an order is all of them.
func (b *binder) frame(f *ast.Frame, order []plan.SortKey) (plan.Frame, error) {
	out := plan.WholePartition
	if len(order) > 0 {
		out.End.Kind = plan.CurrentRow
	}
	if f == nil {
		return out, nil
	}
	out = plan.Frame{Unit: frameUnits[f.Unit], Exclude: frameExclusions[f.Exclude], End: plan.FrameBound{Kind: plan.CurrentRow}}
	if out.Unit == plan.FrameGroups && len(order) == 0 {
		return out, event.Errorf(event.CodeBadRequest, "GROUPS needs an ORDER BY in its window").At(f.Pos)
	}
	var err error
	if out.Start, err = b.frameBound(f, f.Start, order); err != nil {
		return out, err
	}
	if f.End != nil {
		if out.End, err = b.frameBound(f, *f.End, order); err != nil {
			return out, err
		}
	}
	return out, checkBounds(f, out)
}

// checkBounds refuses frames that would end before they start, whatever the offsets are.
func checkBounds(f *ast.Frame, bound plan.Frame) error {
	switch {
	case bound.Start.Kind == plan.UnboundedFollowing:
		return event.Errorf(event.CodeBadRequest, "a frame cannot start at UNBOUNDED FOLLOWING").At(f.Start.Pos)
	case bound.End.Kind == plan.UnboundedPreceding:
		return event.Errorf(event.CodeBadRequest, "a frame cannot end at UNBOUNDED PRECEDING").At(f.End.Pos)
	case bound.Start.Kind > bound.End.Kind:
		err := event.Errorf(event.CodeBadRequest, "a frame that starts at %s cannot end at %s", bound.Start, bound.End).At(f.Start.Pos)
		return err.WithHint("the bound that comes first in the order stands first, as in BETWEEN 1 PRECEDING AND CURRENT ROW")
	}
	return nil
}

func (b *binder) frameBound(f *ast.Frame, bound ast.FrameBound, order []plan.SortKey) (plan.FrameBound, error) {
	switch {
	case bound.Direction == "CURRENT ROW":
		return plan.FrameBound{Kind: plan.CurrentRow}, nil
	case bound.Offset == nil && bound.Direction == "PRECEDING":
		return plan.FrameBound{Kind: plan.UnboundedPreceding}, nil
	case bound.Offset == nil:
		return plan.FrameBound{Kind: plan.UnboundedFollowing}, nil
	}
	out := plan.FrameBound{Kind: plan.Following}
	if bound.Direction == "PRECEDING" {
		out.Kind = plan.Preceding
	}
	want, err := offsetType(f, order)
	if err != nil {
		return out, err
	}
	out.Offset, err = b.frameOffset(f.Unit, bound.Offset, want)
	return out, err
}

// frameOffset reads an offset, which is the same for all rows.
func (b *binder) frameOffset(unit string, e ast.Expr, want event.Type) (*plan.Literal, error) {
	wrong := event.Errorf(event.CodeBadRequest, "the offset of %s must be a constant %s that is not negative", unit, want).At(e.Position())
	a, err := b.constants("a frame").argument(e)
	var coded *event.Error
	if errors.As(err, &coded) && coded.Code == event.CodeUnknownColumn {
		return nil, wrong
	}
	if err != nil {
		return nil, err
	}
	a.expr = widened(computed(a.expr))
	value, err := coerceOffset(unit, a, want)
	if err != nil {
		return nil, err
	}
	if literal, ok := value.(*plan.Literal); ok && !literal.Value.IsNull(0) && isOffset(literal) {
		return literal, nil
	}
	return nil, wrong
}

// coerceOffset gives an offset the type wanted. Rows are counted by whole numbers, to which others are rounded; beside a NUMERIC key it keeps its
// decimal places.
func coerceOffset(unit string, a argument, want event.Type) (plan.Expr, error) {
	switch {
	case want.Kind == event.Numeric && (isWhole(a.typ()) || a.typ().Kind == event.Numeric):
		return cast(a, plan.AsNumeric(numericOf(a)))
	case unit != "RANGE" && a.typ().Kind == event.Numeric:
		return wholeOffset(a, want)
	default:
		return coerce(a, want)
	}
}

// wholeOffset rounds a number written with a point.
func wholeOffset(a argument, want event.Type) (plan.Expr, error) {
	literal, ok := a.expr.(*plan.Literal)
	if !ok || literal.Value.IsNull(0) {
		return coerce(a, want)
	}
	v, _, fits := event.RescaleNumeric(literal.Value.(*array.Decimal128).Value(0), literal.Typ.Scale, 0)
	if !fits || !v.FitsInPrecision(18) {
		return coerce(a, want)
	}
	return bigintLiteral(int64(v.LowBits())), nil
}

// widened makes a BIGINT of a narrower whole literal, as 2::SMALLINT is, and a DOUBLE PRECISION of a REAL.
func widened(e plan.Expr) plan.Expr {
	literal, ok := e.(*plan.Literal)
	if !ok || literal.Value.IsNull(0) {
		return e
	}
	switch v := literal.Value.(type) {
	case *array.Int16:
		return bigintLiteral(int64(v.Value(0)))
	case *array.Int32:
		return bigintLiteral(int64(v.Value(0)))
	case *array.Float32:
		return doubleLiteral(float64(v.Value(0)))
	default:
		return e
	}
}

// offsetType is the type that the offsets of a frame have; those beside a NUMERIC have decimal places of their own. A key of a type that is not
// counted with takes a wider one that is, in which the rows have the same order.
func offsetType(f *ast.Frame, order []plan.SortKey) (event.Type, error) {
	if f.Unit != "RANGE" {
		return bigint, nil
	}
	if len(order) != 1 {
		return unknown, event.Errorf(event.CodeBadRequest, "RANGE with an offset needs exactly one key in ORDER BY, not %d", len(order)).
			At(f.Pos).WithHint("ROWS counts rows and GROUPS groups of equal rows, with any number of keys")
	}
	switch key := order[0].Expr.Type(); key.Kind {
	case event.BigInt, event.Double, event.Numeric:
		return key, nil
	case event.TimestampTZ:
		return interval, nil
	case event.SmallInt, event.Integer:
		order[0].Expr = &plan.Cast{Input: order[0].Expr, To: bigint}
		return bigint, nil
	case event.Real:
		order[0].Expr = &plan.Cast{Input: order[0].Expr, To: double}
		return double, nil
	case event.Date:
		order[0].Expr = &plan.Cast{Input: order[0].Expr, To: timestamptz}
		return interval, nil
	case event.Time: // as the times of one day, so that what lies beyond midnight is beyond them all
		day := fixedLiteral([]arrow.Date32{0}, event.Type{Kind: event.Date})
		onDay, err := applied("+", f.Pos, argument{day, f.Pos}, argument{order[0].Expr, f.Pos})
		order[0].Expr = onDay
		return interval, err
	default:
		return unknown, event.Errorf(event.CodeTypeMismatch, "RANGE with an offset cannot be ordered by %s", key).At(f.Pos).
			WithHint("order by a number or a time, or count with ROWS or GROUPS")
	}
}

// isOffset reports whether a literal is not negative in any of its parts.
func isOffset(l *plan.Literal) bool {
	switch v := l.Value.(type) {
	case *array.Int64:
		return v.Value(0) >= 0
	case *array.Float64:
		return v.Value(0) >= 0 // infinity is one, NaN is none
	case *array.Decimal128:
		return v.Value(0).Sign() >= 0
	case *array.MonthDayNanoInterval:
		return notNegative(v.Value(0))
	default:
		return false
	}
}

func notNegative(v arrow.MonthDayNanoInterval) bool {
	return v.Months >= 0 && v.Days >= 0 && v.Nanoseconds >= 0
}
