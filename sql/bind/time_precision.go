package bind

import (
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// mostDigits is how many digits times have behind the second.
const mostDigits = 6

// roundedTime is a cast to TIMESTAMP(n) or TIMESTAMPTZ(n): the cast without n, rounded to n digits behind the second. It is nil where nothing
// is to be rounded.
func roundedTime(e *ast.Cast, to event.Type) ast.Expr {
	before, rest, sized := strings.Cut(e.Type.Text, "(")
	size, behind, closed := strings.Cut(rest, ")")
	digits, err := strconv.Atoi(strings.TrimSpace(size))
	if to.Kind != event.TimestampTZ || !sized || !closed || err != nil || digits >= mostDigits {
		return nil
	}
	whole := *e
	whole.Type.Text = before + behind
	unit := 1
	for range mostDigits - digits {
		unit *= 10
	}
	interval := func(micros int) ast.Expr {
		value := ast.String{Pos: e.Pos, Value: strconv.Itoa(micros) + " microseconds"}
		return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: e.Pos}, Value: value}
	}
	later := &ast.Binary{Pos: e.Pos, Op: "+", Left: &whole, Right: interval(unit / 2)}
	return &ast.Call{Name: ast.Name{Text: "time_bucket", Pos: e.Pos}, Args: []ast.Expr{interval(unit), later}}
}
