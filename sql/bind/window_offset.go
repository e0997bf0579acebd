package bind

import (
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// windowShift moves windows by an offset: times are moved back, fall into windows that lie as they always do, and the bounds of those are
// moved forth. nil moves nothing.
type windowShift struct{ by *plan.Literal }

// windowOffset takes the offset away from a window table function: it is the argument after the widths, or has the name.
func (b *binder) windowOffset(t *ast.WindowTable) (*ast.WindowTable, *windowShift, error) {
	if t.Function == "SESSION" {
		return t, nil, nil
	}
	out := *t
	out.Widths = nil
	var shift *windowShift
	for i, arg := range t.Widths {
		isOffset := i == len(windowWidths[t.Function]) && arg.Name == nil
		if arg.Name != nil {
			isOffset = indexFold([]string{"offset"}, arg.Name.Text) == 0
		}
		if !isOffset {
			out.Widths = append(out.Widths, arg)
			continue
		}
		if shift != nil {
			return nil, nil, event.Errorf(event.CodeBadRequest, "%s has two offsets", t.Function).At(arg.Value.Position())
		}
		if of, ok := arg.Value.(*ast.TypedLiteral); ok && strings.EqualFold(of.Type.Text, "TIME") { // as Calcite has it
			arg.Value = intervalText(of.Type.Pos, of.Value.Value)
		}
		if zone, ok := arg.Value.(*ast.String); ok && inMonths(zone.Value) && isZone(zone.Value) {
			return nil, nil, event.Errorf(event.CodeNotSupported, "%s in a time zone: not supported yet", t.Function).At(zone.Pos).
				WithHint("GROUP BY time_bucket(INTERVAL '1 day', ts, '%s')", zone.Value)
		}
		a, err := b.constants(t.Function + " offset").argument(arg.Value)
		if err != nil {
			return nil, nil, err
		}
		value, err := coerce(a, interval)
		if err != nil {
			return nil, nil, err
		}
		literal, ok := value.(*plan.Literal)
		if !ok || literal.Value.IsNull(0) || widthOf(literal).months != 0 {
			return nil, nil, event.Errorf(event.CodeBadRequest, "the offset of %s must be a constant INTERVAL without months", t.Function).At(a.pos)
		}
		shift = &windowShift{by: intervalLiteral(arrow.MonthDayNanoInterval{Nanoseconds: widthOf(literal).micros * 1000})}
	}
	return &out, shift, nil
}

// isZone reports whether a text names a time zone.
func isZone(text string) bool {
	_, err := time.LoadLocation(text)
	return err == nil && text != ""
}

// apply moves the time of a window back, and gives its bounds moved forth.
func (w *windowShift) apply(pos event.Position, when *plan.Expr, bounds ...plan.Expr) ([]plan.Expr, error) {
	if w == nil {
		return bounds, nil
	}
	by := argument{w.by, pos}
	var err error
	if *when, err = applied("-", pos, argument{*when, pos}, by); err != nil {
		return nil, err
	}
	out := make([]plan.Expr, len(bounds))
	for i, bound := range bounds {
		if out[i], err = applied("+", pos, argument{bound, pos}, by); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// bounds puts the moved bounds in the place of those that a node has as its last columns.
func (w *windowShift) bounds(n plan.Node, moved []plan.Expr) plan.Node {
	if w == nil {
		return n
	}
	width := plan.Width(n)
	p := firstColumns(n, width-len(moved)).(*plan.Project)
	for i, e := range moved {
		p.Exprs, p.Names = append(p.Exprs, e), append(p.Names, boundNames[i])
	}
	return p
}
