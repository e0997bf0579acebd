package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// bucketWindows makes windows of the buckets of time that a view groups by.
type bucketWindows struct {
	// made are the windows.
	made map[*ast.WindowTable]bool
	// timeColumn names the event time of a table of FROM, where rows of the same moment are to be windows too; nil where they are not.
	timeColumn func(t ast.Table) string
	// otherTime tells that one goes by another time than that of events, in whose order events do not come.
	otherTime bool
}

func newBucketWindows() *bucketWindows { return &bucketWindows{made: map[*ast.WindowTable]bool{}} }

// wantsBuckets reports whether the buckets of time that a view groups by may be windows, once its query has been bound as it stands: where it shows
// rows when windows close, or says what becomes of late rows, and has no window so far; and where nothing else says how groups are forgotten.
func (b *binder) wantsBuckets(s *ast.CreateView, options catalog.ViewOptions) bool {
	if b.late.used == 0 && (options.OnClose || s.Late != nil) {
		return true
	}
	return !options.OnClose && options.Memory == 0 && b.ttl == nil
}

// closedBuckets is the plan of a view's query with buckets of time as windows. It is nil where that leaves late rows out at no more places than the
// query as it stands, which has plain of them; and for views that show rows at once, where a bucket is not of the event time: who groups by another
// time has not said that what comes behind the watermark is late for it.
func (b *binder) closedBuckets(s *ast.Select, plain int, onClose bool) (plan.Node, *bucketWindows) {
	closes, late := *b, *b.late
	late.used = 0
	closes.buckets, closes.late = newBucketWindows(), &late
	if !onClose {
		closes.buckets.timeColumn = b.timeColumn
	}
	out, err := closes.selectPlan(s, nil, nil)
	if err != nil || late.used <= plain || !onClose && closes.buckets.otherTime {
		return nil, nil
	}
	return out, closes.buckets
}

// lateBuckets reads the buckets of time of a query with LATE as the windows that they are in a view. What is late for a join is known before it.
func (b *binder) lateBuckets(s *ast.Select) *ast.Select {
	if _, joined := s.From.(*ast.Join); joined || s.Late == nil || b.continuous {
		return s
	}
	w := newBucketWindows()
	w.timeColumn = b.timeColumn
	return w.in(s)
}

// in reads GROUP BY time_bucket(INTERVAL '1 minute', ts), or date_trunc('minute', ts), or SAMPLE BY 1m, as the windows that these buckets are: so an
// event counts as long as its bucket is open. Other queries stay as they are.
func (w *bucketWindows) in(s *ast.Select) *ast.Select {
	if _, windowed := s.From.(*ast.WindowTable); w == nil || windowed || s.From == nil || s.Fill != nil {
		return s
	}
	if sample := s.Sample; sample != nil {
		if sample.Width == nil || sample.First || sample.Zone != nil || sample.Offset != nil {
			return s
		}
		return w.over(s, &ast.WindowTable{Pos: sample.Pos, Widths: []ast.NamedArg{{Value: sample.Width}}})
	}
	for i, e := range s.GroupBy {
		bucket := itemOf(s, e)
		time, widths := bucketOf(bucket)
		if time == nil {
			continue
		}
		out := w.over(s, &ast.WindowTable{Pos: e.Position(), Time: time, Widths: widths})
		out.GroupBy[i] = bucket // whose name may be that of a bound
		return out
	}
	return w.moments(s)
}

// moments reads GROUP BY ts, or DISTINCT with ts among its columns, where ts is the event time, as windows of a microsecond.
func (w *bucketWindows) moments(s *ast.Select) *ast.Select {
	name := ""
	if w.timeColumn != nil {
		name = w.timeColumn(s.From)
	}
	if name == "" || s.GroupByAll {
		return s
	}
	distinct := *s
	if s.Distinct && len(s.DistinctOn) == 0 && len(s.GroupBy) == 0 && s.Having == nil {
		distinct.Distinct = false
		for _, item := range s.Items {
			if _, star := item.Expr.(*ast.Star); star {
				return s
			}
			distinct.GroupBy = append(distinct.GroupBy, item.Expr)
		}
	}
	for i, e := range distinct.GroupBy {
		column := columnOfGroup(s, e)
		if column == nil || !strings.EqualFold(column.Parts[len(column.Parts)-1].Text, name) {
			continue
		}
		width := []ast.NamedArg{{Value: intervalText(e.Position(), "1 microsecond")}}
		out := w.over(&distinct, &ast.WindowTable{Pos: e.Position(), Time: column, Widths: width})
		out.GroupBy[i] = column
		return out
	}
	return s
}

// columnOfGroup is the column that an element of GROUP BY is, or stands for by its number or another name; nil for others.
func columnOfGroup(s *ast.Select, e ast.Expr) *ast.Column {
	column, ok := itemOf(s, e).(*ast.Column)
	if !ok {
		return nil
	}
	for _, item := range s.Items {
		if named, ok := item.Expr.(*ast.Column); ok && item.Alias != nil && len(column.Parts) == 1 && strings.EqualFold(item.Alias.Text, column.Parts[0].Text) {
			return named
		}
	}
	return column
}

// timeColumn is the name of the event time of a stream or view, empty for other tables and for time of arrival.
func (b *binder) timeColumn(t ast.Table) string {
	table, ok := t.(*ast.StreamTable)
	if !ok || table.Schema != nil {
		return ""
	}
	var schema *event.Schema
	if view, ok := b.view(table.Name); ok {
		schema = view.Schema
	} else if stream, err := b.stream(table.Name); err == nil {
		schema = stream.Schema
	} else {
		return ""
	}
	column, ok := schema.ByID(schema.TimeColumn)
	if !ok || schema.TimeColumn == 0 {
		return ""
	}
	return column.Name
}

// bucketOf is the time that an expression rounds down, and the width of its buckets; nil for other expressions. A day is one.
func bucketOf(e ast.Expr) (time ast.Expr, widths []ast.NamedArg) {
	switch e := e.(type) {
	case *ast.Cast:
		if strings.EqualFold(e.Type.Text, "DATE") && !e.Try {
			return e.Input, []ast.NamedArg{{Value: intervalText(e.Pos, "1 day")}}
		}
	case *ast.Call:
		if len(e.Args) == 1 && e.Over == nil && strings.EqualFold(e.Name.Text, "DATE") {
			return e.Args[0], []ast.NamedArg{{Value: intervalText(e.Name.Pos, "1 day")}}
		}
		if widths = bucketWidths(e); e.Over == nil && len(widths) > 0 {
			return e.Args[1], widths
		}
	default:
	}
	return nil, nil
}

// over is the query with a window around what FROM reads, by which it groups as well.
func (w *bucketWindows) over(s *ast.Select, t *ast.WindowTable) *ast.Select {
	t.Function, t.Input = "TUMBLE", s.From
	w.made[t] = true
	out := *s
	out.From, out.GroupBy = t, append(slices.Clone(s.GroupBy), boundColumns(t.Pos)...)
	return &out
}

// goBy notes the time by which a window goes, one of the columns that it is made over.
func (w *bucketWindows) goBy(t *ast.WindowTable, when plan.Expr, input *scope) {
	if w == nil || !w.made[t] {
		return
	}
	ref, ok := when.(*plan.ColumnRef)
	w.otherTime = w.otherTime || !ok || !isEventTime(input.node(), ref.Index)
}

// isEventTime reports whether a column of a node is the event time of the stream or view whose rows it passes on.
func isEventTime(n plan.Node, at int) bool {
	switch n := n.(type) {
	case *plan.Scan:
		time := n.Schema.TimeColumn
		if time == 0 {
			time = event.FieldIngestedAt
		}
		return n.Fields[at] == time
	case *plan.Filter:
		return isEventTime(n.Input, at)
	case *plan.Project:
		e := meant(n.Exprs[at])
		ref, ok := e.(*plan.ColumnRef)
		return ok && isEventTime(n.Input, ref.Index)
	default:
		return false
	}
}

// truncations are the widths of what date_trunc cuts off, where windows begin at the same instants.
var truncations = map[string]string{
	"second": "1 second", "minute": "1 minute", "hour": "1 hour", "day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months",
	"year": "12 months",
}

// bucketWidths are the width of the buckets that a call rounds times down to, and where it has an origin how far that is behind the one that there is
// without; none for other calls.
func bucketWidths(call *ast.Call) []ast.NamedArg {
	name := strings.ToLower(call.Name.Text)
	switch {
	case len(call.Args) < 2:
	case name == "date_trunc" && len(call.Args) == 2:
		if unit, ok := call.Args[0].(*ast.String); ok && truncations[strings.ToLower(unit.Value)] != "" {
			return []ast.NamedArg{{Value: intervalText(unit.Pos, truncations[strings.ToLower(unit.Value)])}}
		}
	case name != "time_bucket" && name != "date_bin":
	case len(call.Args) == 2:
		return []ast.NamedArg{{Value: call.Args[0]}}
	case len(call.Args) == 3 && isIntervalText(call.Args[2]):
		if width, ok := writtenText(call.Args[0]); ok && !inMonths(width) {
			return []ast.NamedArg{{Value: call.Args[0]}, {Value: call.Args[2]}}
		}
	case len(call.Args) == 3:
		width, ok := writtenText(call.Args[0])
		parsed, err := event.ParseInterval(width)
		origin, isText := writtenText(call.Args[2])
		from, isTime := event.ParseTimestamp(origin)
		if ok && err == nil && parsed.Months == 0 && isText && isTime { // an origin of months moves their ends
			offset := intervalText(call.Args[2].Position(), fmt.Sprintf("%d microseconds", from-time2000.AddDate(0, 0, 2).UnixMicro()))
			return []ast.NamedArg{{Value: call.Args[0]}, {Value: offset}}
		}
	}
	return nil
}

// isIntervalText reports whether an expression is INTERVAL '5 minutes'.
func isIntervalText(e ast.Expr) bool {
	literal, ok := e.(*ast.TypedLiteral)
	return ok && strings.EqualFold(literal.Type.Text, "INTERVAL")
}

// inMonths reports whether the text of an interval has months in it, or is none.
func inMonths(text string) bool {
	parsed, err := event.ParseInterval(text)
	return err != nil || parsed.Months != 0
}

// writtenText is the text of a literal, with its type before it or not.
func writtenText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.String:
		return e.Value, true
	case *ast.TypedLiteral:
		return e.Value.Value, true
	default:
		return "", false
	}
}

func intervalText(pos event.Position, text string) ast.Expr {
	return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: ast.String{Pos: pos, Value: text}}
}

// boundColumns name both bounds of a window.
func boundColumns(pos event.Position) []ast.Expr {
	var out []ast.Expr
	for _, name := range boundNames {
		out = append(out, &ast.Column{Parts: []ast.Name{{Text: name, Pos: pos}}})
	}
	return out
}
