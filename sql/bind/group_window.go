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
	at := slices.IndexFunc(s.GroupBy, func(e ast.Expr) bool { return windowCallName(e) != "" })
	if at < 0 {
		return s, nil
	}
	call := s.GroupBy[at].(*ast.Call)
	function := windowCallName(call)
	if s.From == nil {
		return nil, errWindowCall(function, call.Name.Pos)
	}
	if len(call.Args) < 2 {
		return nil, errWindowCall(function, call.Name.Pos)
	}
	table := &ast.WindowTable{Function: function, Pos: call.Name.Pos, Input: s.From, Time: call.Args[0]}
	for _, width := range call.Args[1:] {
		table.Widths = append(table.Widths, ast.NamedArg{Value: width})
	}
	out := *s
	out.From, out.GroupBy = table, nil
	for i, e := range s.GroupBy {
		if i != at {
			out.GroupBy = append(out.GroupBy, e)
			if function == "SESSION" {
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

// windowCallName is the window table function that an element of GROUP BY calls, empty for others.
func windowCallName(e ast.Expr) string {
	call, ok := e.(*ast.Call)
	if !ok || call.Over != nil || call.Name.Quoted {
		return ""
	}
	name := strings.ToUpper(call.Name.Text)
	if _, ok := windowWidths[name]; !ok {
		return ""
	}
	return name
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

// windowPart binds TUMBLE_START(...) and its like, which take the same arguments as the window in GROUP BY.
func (x *scalars) windowPart(name string, e *ast.Call) (out plan.Expr, ok bool, err error) {
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
	if _, found := x.scope.find("window_end"); len(found) == 0 {
		return nil, true, errWindowCall(function, e.Name.Pos)
	}
	out, err = x.column(&ast.Column{Parts: []ast.Name{{Text: column, Pos: e.Name.Pos}}})
	return out, true, err
}

// otherWindows are functions of Spark, Azure and ClickHouse that make windows, by the window table functions that do so here.
var otherWindows = map[string]string{
	"window": "TUMBLE", "session_window": "SESSION", "tumblingwindow": "TUMBLE", "hoppingwindow": "HOP", "slidingwindow": "HOP", "sessionwindow": "SESSION",
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
