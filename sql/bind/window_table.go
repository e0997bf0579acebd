package bind

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// maxOverlap bounds how many windows one row can fall into.
const maxOverlap = 10_000

// windowWidths names the widths that each window table function takes, in order.
var windowWidths = map[string][]string{
	"TUMBLE": {"size"}, "HOP": {"slide", "size"}, "CUMULATE": {"step", "size"}, "SESSION": {"gap"},
}

var assignKinds = map[string]plan.AssignKind{"TUMBLE": plan.Tumble, "HOP": plan.Hop, "CUMULATE": plan.Cumulate}

// boundNames are the columns that window table functions add.
var boundNames = [2]string{"window_start", "window_end"}

// fromWindow makes the scope of a window table function: the columns of its input, and where the window starts and ends.
func (b *binder) fromWindow(t *ast.WindowTable, w *withs) (*scope, error) {
	b.marks = true
	input, err := b.from(t.Input, w)
	b.marks = false
	if err != nil {
		return nil, err
	}
	input.whole()
	given := t
	t = withoutTime(t)
	inside := &scalars{binder: b, scope: input, place: t.Function}
	when, err := inside.windowTime(t)
	if err != nil {
		return nil, err
	}
	if when.typ().Kind != event.TimestampTZ {
		return nil, event.Errorf(event.CodeTypeMismatch, "the time of %s must be TIMESTAMPTZ, not %s", t.Function, when.typ()).At(when.pos)
	}
	b.buckets.goBy(given, when.expr, input)
	t, shift, err := b.windowOffset(t)
	if err != nil {
		return nil, err
	}
	widths, err := b.widths(t)
	if err != nil {
		return nil, err
	}
	if t.Function == "SESSION" {
		return inside.session(t, when.expr, widths[0])
	}
	if len(t.PartitionBy) > 0 {
		return nil, event.Errorf(event.CodeBadRequest, "%s takes no PARTITION BY: its windows are the same for all rows", t.Function).
			At(t.PartitionBy[0].Position())
	}
	n := &plan.Assign{Kind: assignKinds[t.Function], Time: when.expr, Size: widths[len(widths)-1], Names: boundNames}
	if len(widths) > 1 {
		n.Step = widths[0]
	}
	out := windowScope(t, input)
	if t.Function == "TUMBLE" && shift == nil {
		if out.tumble, err = bucketOfWindow(t, when, n.Size); err != nil {
			return nil, err
		}
	}
	start := &plan.ColumnRef{Index: len(input.columns), Name: boundNames[0], Typ: timestamptz}
	end := &plan.ColumnRef{Index: len(input.columns) + 1, Name: boundNames[1], Typ: timestamptz}
	moved, err := shift.apply(t.Pos, &n.Time, start, end)
	if err != nil {
		return nil, err
	}
	if err := b.watch(out, t, input, when.expr, moved[1], ">"); err != nil {
		return nil, err
	}
	out.node = func() plan.Node {
		n.Input = input.node()
		return shift.bounds(out.inTime(n), moved)
	}
	return out, nil
}

// withoutTime reads TUMBLE(orders, INTERVAL '1 minute'), where no time is given, as by the event time.
func withoutTime(t *ast.WindowTable) *ast.WindowTable {
	if width, ok := t.Time.(*ast.TypedLiteral); ok && strings.EqualFold(width.Type.Text, "INTERVAL") {
		out := *t
		out.Time, out.Widths = nil, slices.Concat([]ast.NamedArg{{Value: width}}, t.Widths)
		return &out
	}
	return t
}

// windowTime is the time that the rows of windows go by, the event time where none is given.
func (x *scalars) windowTime(t *ast.WindowTable) (argument, error) {
	if t.Time != nil {
		return x.argument(t.Time)
	}
	if at := x.scope.timeline(); at != nil {
		return argument{at, t.Pos}, nil
	}
	return argument{}, event.Errorf(event.CodeBadRequest, "%s needs to be told the time here", t.Function).At(t.Pos).
		WithHint("write it in FROM: %s(TABLE orders, DESCRIPTOR(ts), %s)", t.Function, exampleWidths(windowWidths[t.Function]))
}

// session makes windows of rows that follow each other closely.
func (x *scalars) session(t *ast.WindowTable, when plan.Expr, gap *plan.Literal) (*scope, error) {
	n := &plan.Window{Order: []plan.SortKey{{Expr: when}}, Names: boundNames[:]}
	for _, e := range t.PartitionBy {
		key, err := x.value(e)
		if err != nil {
			return nil, err
		}
		n.Partition = append(n.Partition, key)
	}
	for _, fn := range []*plan.Function{plan.SessionStart, plan.SessionEnd} {
		n.Calls = append(n.Calls, plan.WindowCall{Fn: fn, Args: []plan.Expr{when, gap}, Frame: plan.WholePartition})
	}
	has, err := applied("is_not_null", t.Pos, argument{when, t.Pos})
	if err != nil {
		return nil, err
	}
	out := windowScope(t, x.scope)
	if err := x.binder.watch(out, t, x.scope, when, when, ">="); err != nil {
		return nil, err
	}
	out.node = func() plan.Node {
		n.Input = out.inTime(&plan.Filter{Input: x.scope.node(), Predicate: has})
		return n
	}
	return out, nil
}

// windowScope is the input's columns under the name of the function's result, with the bounds of the window. Without an alias the input's
// names stay.
func windowScope(t *ast.WindowTable, input *scope) *scope {
	out := &scope{columns: append([]scopeColumn(nil), input.columns...), events: input.events, parts: input.parts}
	_, inner := input.find(boundNames[1])
	for _, name := range boundNames {
		out.columns = append(out.columns, scopeColumn{name: name, typ: timestamptz})
	}
	if t.Alias != nil {
		return out.named(t.Alias)
	}
	if len(input.tables) == 1 && len(inner) == 0 {
		return out.named(&input.tables[0])
	}
	out.tables, out.star = slices.Clone(input.tables), slices.Clone(input.star)
	if len(inner) > 0 { // windows of windows: the function's name tells its bounds from those of its input
		out.tables = append(out.tables, ast.Name{Text: strings.ToLower(t.Function), Pos: t.Pos})
	}
	for i := len(input.columns); i < len(out.columns); i++ {
		out.star = append(out.star, i)
		if len(inner) > 0 {
			out.columns[i].table = strings.ToLower(t.Function)
		}
	}
	return out
}

// watermarkColumn is the place of the hidden column that says how far time had come before a row; -1 where there is none.
func watermarkColumn(input *scope) int {
	for i, c := range input.columns {
		if c.mark || (c.hidden && c.field == event.FieldWatermark) {
			return i
		}
	}
	return -1
}

// widths reads the intervals of a window table function, in the order in which it takes them.
func (b *binder) widths(t *ast.WindowTable) ([]*plan.Literal, error) {
	names := windowWidths[t.Function]
	out := make([]*plan.Literal, len(names))
	for i, arg := range t.Widths {
		at := i
		if arg.Name != nil {
			if at = indexFold(names, arg.Name.Text); at < 0 {
				return nil, suggest(event.Errorf(event.CodeBadRequest, "%s takes no argument %q", t.Function, arg.Name.Text).At(arg.Name.Pos),
					arg.Name.Text, names)
			}
		}
		if at >= len(names) || out[at] != nil {
			return nil, event.Errorf(event.CodeBadRequest, "%s takes %s after the table and the time", t.Function, strings.Join(names, " and ")).
				At(arg.Value.Position())
		}
		var err error
		if out[at], err = b.width(t.Function+" "+names[at], arg.Value); err != nil {
			return nil, err
		}
	}
	for i, w := range out {
		if w == nil {
			return nil, event.Errorf(event.CodeBadRequest, "%s needs its %s", t.Function, names[i]).At(t.Pos).
				WithHint("as in %s(TABLE orders, DESCRIPTOR(ts), %s)", t.Function, exampleWidths(names))
		}
	}
	return out, checkWidths(t, out)
}

func exampleWidths(names []string) string {
	examples := map[string]string{
		"size": "INTERVAL '10 minutes'", "slide": "INTERVAL '1 minute'", "step": "INTERVAL '1 minute'", "gap": "INTERVAL '30 minutes'",
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n + " => " + examples[n]
	}
	return strings.Join(out, ", ")
}

func indexFold(names []string, name string) int {
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i
		}
	}
	return -1
}

// width reads one interval, which must be positive and must not mix months with smaller units.
func (b *binder) width(what string, e ast.Expr) (*plan.Literal, error) {
	literal, err := b.constantInterval(what, e)
	if err != nil {
		return nil, err
	}
	if v := widthOf(literal); v.months <= 0 && v.micros <= 0 || v.months != 0 && v.micros != 0 {
		return nil, event.Errorf(event.CodeBadRequest, "%s must be positive, and of months or of smaller units", what).At(e.Position())
	}
	return literal, nil
}

func (b *binder) constantInterval(what string, e ast.Expr) (*plan.Literal, error) {
	a, err := b.constants(what).argument(e)
	if err != nil {
		return nil, err
	}
	value, err := coerce(a, interval)
	if err != nil {
		return nil, err
	}
	literal, ok := value.(*plan.Literal)
	if !ok || literal.Value.IsNull(0) {
		return nil, event.Errorf(event.CodeBadRequest, "%s must be a constant INTERVAL", what).At(a.pos)
	}
	return literal, nil
}

// width is an interval in the one unit that it has; the other is 0.
type width struct{ months, micros int64 }

func widthOf(l *plan.Literal) width {
	v := l.Value.(*array.MonthDayNanoInterval).Value(0)
	const day = int64(24 * time.Hour / time.Microsecond)
	micros := v.Nanoseconds / int64(time.Microsecond)
	if int64(v.Days) > (math.MaxInt64-max(micros, 0))/day {
		return width{}
	}
	return width{months: int64(v.Months), micros: int64(v.Days)*day + micros}
}

// checkWidths holds the step against the size.
func checkWidths(t *ast.WindowTable, widths []*plan.Literal) error {
	if len(widths) < 2 {
		return nil
	}
	step, size := widthOf(widths[0]), widthOf(widths[1])
	name := windowWidths[t.Function][0]
	refuse := func(format string, args ...any) *event.Error {
		return event.Errorf(event.CodeBadRequest, format, args...).At(t.Pos)
	}
	small, large := step.micros, size.micros
	if step.months > 0 {
		small, large = step.months, size.months
	}
	switch {
	case (step.months > 0) != (size.months > 0):
		return refuse("%s needs a size and a %s that are both of months or both of smaller units", t.Function, name)
	case small > large:
		return refuse("the %s of %s is longer than its size", name, t.Function).
			WithHint("the %s comes first: %s(TABLE orders, DESCRIPTOR(ts), %s)", name, t.Function, exampleWidths(windowWidths[t.Function]))
	case t.Function == "CUMULATE" && large%small != 0:
		return refuse("the size of CUMULATE must be a multiple of its step")
	case large/small > maxOverlap:
		return refuse("every row would fall into %d windows; at most %d are allowed", large/small, maxOverlap)
	}
	return nil
}
