package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// closingBuckets reads GROUP BY time_bucket(INTERVAL '1 minute', ts), or date_trunc('minute', ts), of a view that shows windows when they close as
// the windows that these buckets are: so an event counts as long as its bucket is open. Other queries stay as they are.
func closingBuckets(s *ast.Select) *ast.Select {
	if _, windowed := s.From.(*ast.WindowTable); windowed || s.From == nil {
		return s
	}
	for i, e := range s.GroupBy {
		call, ok := itemOf(s, e).(*ast.Call)
		if !ok || call.Over != nil || len(call.Args) != 2 {
			continue
		}
		width := bucketWidth(call)
		if width == nil {
			continue
		}
		out := *s
		out.From = &ast.WindowTable{
			Function: "TUMBLE", Pos: call.Name.Pos, Input: s.From, Time: call.Args[1], Widths: []ast.NamedArg{{Value: width}},
		}
		out.GroupBy = append(slices.Clone(s.GroupBy), boundColumns(call.Name.Pos)...)
		out.GroupBy[i] = call // whose name may be that of a bound
		return &out
	}
	return s
}

// truncations are the widths of what date_trunc cuts off, where windows begin at the same instants.
var truncations = map[string]string{
	"second": "1 second", "minute": "1 minute", "hour": "1 hour", "day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months",
	"year": "12 months",
}

// bucketWidth is the width of the buckets that a call rounds times down to, nil for other calls.
func bucketWidth(call *ast.Call) ast.Expr {
	switch strings.ToLower(call.Name.Text) {
	case "time_bucket", "date_bin":
		return call.Args[0]
	case "date_trunc":
		if unit, ok := call.Args[0].(*ast.String); ok && truncations[strings.ToLower(unit.Value)] != "" {
			width := ast.String{Pos: unit.Pos, Value: truncations[strings.ToLower(unit.Value)]}
			return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: unit.Pos}, Value: width}
		}
	}
	return nil
}

// boundColumns name both bounds of a window.
func boundColumns(pos event.Position) []ast.Expr {
	var out []ast.Expr
	for _, name := range boundNames {
		out = append(out, &ast.Column{Parts: []ast.Name{{Text: name, Pos: pos}}})
	}
	return out
}
