package bind

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// groupWindow reads the older way to write windows, GROUP BY TUMBLE(ts, INTERVAL '1 minute') with TUMBLE_START(...) among the columns, as
// the window table function that it means. Other queries stay as they are.
func groupWindow(s *ast.Select) (*ast.Select, error) {
	if s.Stream != nil {
		return streamWindow(s)
	}
	at := slices.IndexFunc(s.GroupBy, func(e ast.Expr) bool { return groupedWindow(s, e) != nil })
	if at < 0 {
		return s, nil
	}
	call := groupedWindow(s, s.GroupBy[at])
	table := windowOfCall(call)
	if s.From == nil || len(table.Widths) == 0 && withoutTime(table) == table {
		return nil, errWindowCall(table.Function, call.Name.Pos)
	}
	table.Input = s.From
	out := *s
	out.From, out.GroupBy = table, nil
	for i, e := range s.GroupBy {
		if i != at {
			out.GroupBy = append(out.GroupBy, e)
			if table.Function == "SESSION" {
				table.PartitionBy = append(table.PartitionBy, itemOf(s, e))
			}
			continue
		}
		out.GroupBy = append(out.GroupBy, boundColumns(call.Name.Pos)...)
	}
	return &out, nil
}

// streamWindows are the window table functions that the kinds of WINDOW behind FROM stand for.
var streamWindows = map[string]string{"TUMBLING": "TUMBLE", "HOPPING": "HOP", "SESSION": "SESSION"}

// streamWindow reads WINDOW TUMBLING (...) behind FROM as the window table function that it means, by event time. The query groups by the windows
// besides.
func streamWindow(s *ast.Select) (*ast.Select, error) {
	w := s.Stream
	if s.From == nil || (len(s.GroupBy) == 0 && !s.GroupByAll) {
		return nil, event.Errorf(event.CodeBadRequest, "WINDOW %s needs FROM and GROUP BY", w.Kind).At(w.Pos).
			WithHint("GROUP BY says within what windows are counted; without keys write FROM %s(...) GROUP BY window_start, window_end", streamWindows[w.Kind])
	}
	table := &ast.WindowTable{Function: streamWindows[w.Kind], Pos: w.Pos, Input: s.From, Widths: []ast.NamedArg{{Value: w.Size}}}
	if w.Advance != nil {
		table.Widths = []ast.NamedArg{{Value: w.Advance}, {Value: w.Size}}
	}
	out := *s
	out.Stream, out.From, out.GroupBy = nil, table, slices.Clone(s.GroupBy)
	if w.Kind == "SESSION" {
		for _, e := range s.GroupBy {
			table.PartitionBy = append(table.PartitionBy, itemOf(s, e))
		}
	}
	out.GroupBy = append(out.GroupBy, boundColumns(w.Pos)...)
	return &out, nil
}

// callableWindows are the functions that make windows in GROUP BY, by the window table functions that they stand for. Those of Spark have names of
// their own; its window overlaps others if it is told how far apart they begin.
var callableWindows = map[string]string{
	"TUMBLE": "TUMBLE", "HOP": "HOP", "CUMULATE": "CUMULATE", "SESSION": "SESSION", "WINDOW": "TUMBLE", "SESSION_WINDOW": "SESSION",
}

// groupedWindow is the call of a window that an element of GROUP BY is, or stands for by the name or the number of a column; nil for others.
func groupedWindow(s *ast.Select, e ast.Expr) *ast.Call {
	call, ok := itemOf(s, e).(*ast.Call)
	if !ok || call.Over != nil || call.Name.Quoted || callableWindows[strings.ToUpper(call.Name.Text)] == "" {
		return nil
	}
	return call
}

// windowOfCall is the window table function, without its input, that a call in GROUP BY stands for: the time comes first, or none, which is the
// event time, and then the widths. Spark has the size before the slide.
func windowOfCall(call *ast.Call) *ast.WindowTable {
	out := &ast.WindowTable{Function: callableWindows[strings.ToUpper(call.Name.Text)], Pos: call.Name.Pos}
	if len(call.Args) == 0 {
		return out
	}
	out.Time = call.Args[0]
	for _, width := range call.Args[1:] {
		out.Widths = append(out.Widths, ast.NamedArg{Value: width})
	}
	if strings.EqualFold(call.Name.Text, "WINDOW") && len(out.Widths) > 1 {
		out.Function = "HOP"
		out.Widths[0], out.Widths[1] = out.Widths[1], out.Widths[0]
	}
	return out
}

// itemOf is the expression that an element of GROUP BY stands for: one of the result's by its number or its name, or the element itself.
func itemOf(s *ast.Select, e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.Number:
		if n, err := strconv.Atoi(e.Text); err == nil && n >= 1 && n <= len(s.Items) {
			return s.Items[n-1].Expr
		}
	case *ast.Column:
		for _, item := range s.Items {
			if _, isColumn := item.Expr.(*ast.Column); item.Alias != nil && !isColumn && len(e.Parts) == 1 && strings.EqualFold(item.Alias.Text, e.Parts[0].Text) {
				return item.Expr
			}
		}
	default:
	}
	return e
}

// windowParts are the columns that functions such as TUMBLE_START stand for.
var windowParts = map[string]string{"start": "window_start", "end": "window_end", "rowtime": windowTime}

// windowTime is the last instant of a window in other systems. It is no column of its own, but can be named.
const windowTime = "window_time"

// windowPart binds TUMBLE_START(...) and its like, which take the same arguments as the window in GROUP BY, and the window itself.
func (x *scalars) windowPart(name string, e *ast.Call) (out plan.Expr, ok bool, err error) {
	if callableWindows[strings.ToUpper(name)] != "" && x.windowed() {
		out, err = x.bind(windowObject(e.Name.Pos))
		return out, true, err
	}
	if other := otherWindows[strings.ToLower(name)]; other != "" {
		return nil, true, errWindowCall(other, e.Name.Pos)
	}
	function, part, _ := strings.Cut(strings.ToUpper(name), "_")
	if _, known := windowWidths[function]; !known {
		return nil, false, nil
	}
	if part == "" {
		return nil, true, errWindowCall(function, e.Name.Pos)
	}
	column, known := windowParts[strings.ToLower(part)]
	if !known {
		return nil, false, nil
	}
	if !x.windowed() {
		return nil, true, errWindowCall(function, e.Name.Pos)
	}
	out, err = x.column(&ast.Column{Parts: []ast.Name{{Text: column, Pos: e.Name.Pos}}})
	return out, true, err
}

// windowed reports whether rows have the bounds of a window.
func (x *scalars) windowed() bool {
	_, found := x.scope.find("window_end")
	return len(found) > 0
}

// windowObject is a window as a value: an object with its start and its end.
func windowObject(pos event.Position) ast.Expr {
	out := &ast.Call{Name: ast.Name{Text: "jsonb_build_object", Pos: pos}}
	for _, part := range []string{"start", "end"} {
		bound := &ast.Column{Parts: []ast.Name{{Text: windowParts[part], Pos: pos}}}
		out.Args = append(out.Args, &ast.String{Pos: pos, Value: part}, bound)
	}
	return out
}

// boundOfValue is the start or the end of a window that a query of FROM gives as a value; nil for other columns and members.
func (x *scalars) boundOfValue(i int, ref *plan.ColumnRef, path []ast.Name) plan.Expr {
	if len(path) != 1 || windowParts[path[0].Text] == "" || !isWindowObject(x.scope.columns[i].source, x.scope.columns[i].at) {
		return nil
	}
	pos := path[0].Pos
	member, err := applied("->>", pos, argument{ref, pos}, argument{stringLiteral(path[0].Text, text), pos})
	if err != nil {
		return nil
	}
	out, err := cast(argument{member, pos}, timestamptz)
	if err != nil {
		return nil
	}
	return out
}

// isWindowObject reports whether a column of a node is what windowObject makes.
func isWindowObject(n plan.Node, at int) bool {
	switch n := n.(type) {
	case *plan.Filter:
		return isWindowObject(n.Input, at)
	case *plan.Window:
		return at < plan.Width(n.Input) && isWindowObject(n.Input, at)
	case *plan.Project:
		switch e := n.Exprs[at].(type) {
		case *plan.ColumnRef:
			return isWindowObject(n.Input, e.Index)
		case *plan.Call:
			return e.Fn.Name == "jsonb_build_object" && len(e.Args) == 4 && strings.Contains(e.String(), "window_start")
		default:
			return false
		}
	default:
		return false
	}
}

// windowMember binds window, window.start and window.end, by which Spark and others name the window of GROUP BY.
func (x *scalars) windowMember(e *ast.Column) (plan.Expr, bool) {
	name := strings.ToUpper(e.Parts[0].Text)
	if (name != "WINDOW" && name != "SESSION_WINDOW") || e.Parts[0].Quoted || !x.windowed() {
		return nil, false
	}
	switch len(e.Parts) {
	case 1:
		out, err := x.bind(windowObject(e.Position()))
		return out, err == nil
	case 2:
		bound := windowParts[strings.ToLower(e.Parts[1].Text)]
		out, err := x.column(&ast.Column{Parts: []ast.Name{{Text: bound, Pos: e.Position()}}})
		return out, err == nil
	default:
		return nil, false
	}
}

// otherWindows are functions of Spark, Azure and ClickHouse that make windows, by the window table functions that do so here.
var otherWindows = map[string]string{
	"window": "TUMBLE", "session_window": "SESSION", "tumble_proctime": "TUMBLE", "hop_proctime": "HOP", "session_proctime": "SESSION",
	"tumblingwindow": "TUMBLE", "hoppingwindow": "HOP", "slidingwindow": "HOP", "sessionwindow": "SESSION",
	"tumblestart": "TUMBLE", "tumbleend": "TUMBLE", "hopstart": "HOP", "hopend": "HOP",
}

// errWindowCall says where a window is written.
func errWindowCall(function string, pos event.Position) error {
	return event.Errorf(event.CodeBadRequest, "%s is a function of FROM", function).At(pos).
		WithHint("FROM %s(TABLE orders, DESCRIPTOR(ts), %s), which has window_start and window_end", function, exampleWidths(windowWidths[function]))
}

// otherBounds are names that ksqlDB has for the bounds of windows.
var otherBounds = map[string]string{"windowstart": "window_start", "windowend": "window_end"}

// windowTimeColumn binds window_time, a millisecond before the end of a window, and other systems' names for its bounds.
func (x *scalars) windowTimeColumn(e *ast.Column) (plan.Expr, bool) {
	if out, ok := x.windowMember(e); ok {
		return out, true
	}
	last := len(e.Parts) - 1
	if bound := otherBounds[strings.ToLower(e.Parts[last].Text)]; bound != "" && len(e.Parts) <= 2 {
		same := &ast.Column{Parts: slices.Clone(e.Parts)}
		same.Parts[last].Text = bound
		out, err := x.column(same)
		return out, err == nil
	}
	if !strings.EqualFold(e.Parts[last].Text, windowTime) || len(e.Parts) > 2 {
		return nil, false
	}
	end := &ast.Column{Parts: slices.Clone(e.Parts)}
	end.Parts[last].Text = "window_end"
	value, err := x.column(end)
	if err != nil {
		return nil, false
	}
	step := intervalLiteral(arrow.MonthDayNanoInterval{Nanoseconds: int64(time.Millisecond)})
	out, err := applied("-", e.Position(), argument{value, e.Position()}, argument{step, e.Position()})
	return out, err == nil
}
