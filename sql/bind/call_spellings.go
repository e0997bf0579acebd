package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// rangeArray is range(...) in the place of a value: an array.
func (x *scalars) rangeArray(e *ast.Call) ast.Expr {
	args := x.rangeArguments(e.Args, e.Name.Pos)
	if args == nil {
		return nil
	}
	return callOf(e, "array_series", args...)
}

// shifted is date_add or date_sub of a time and an interval.
func shifted(e *ast.Call, op string) ast.Expr {
	if len(e.Args) != 2 {
		return nil
	}
	return &ast.Binary{Pos: e.Name.Pos, Op: op, Left: e.Args[0], Right: e.Args[1]}
}

// movedBucket is time_bucket with an interval behind the time, by which buckets begin later than without it.
func (x *scalars) movedBucket(e *ast.Call) ast.Expr {
	if len(e.Args) != 3 {
		return nil
	}
	if by, err := x.argument(e.Args[2]); err != nil || by.typ().Kind != event.Interval {
		return nil
	}
	start := "2000-01-03 00:00:00Z" // where buckets begin that are given no origin
	if width, ok := writtenText(e.Args[0]); ok && inMonths(width) {
		start = "2000-01-01 00:00:00Z"
	}
	origin := &ast.TypedLiteral{Type: ast.TypeName{Text: "TIMESTAMPTZ", Pos: e.Name.Pos}, Value: ast.String{Pos: e.Name.Pos, Value: start}}
	return callOf(e, "time_bucket", e.Args[0], e.Args[1], &ast.Binary{Pos: e.Name.Pos, Op: "+", Left: origin, Right: e.Args[2]})
}

// hexOf is hex(...): the digits of a number, or those of the bytes of a text.
func (x *scalars) hexOf(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	a, err := x.argument(e.Args[0])
	if err != nil {
		return nil // the call will say so
	}
	digits := callOf(e, "to_hex", e.Args[0])
	switch a.typ().Kind {
	case event.Bytea:
		digits = callOf(e, "encode", e.Args[0], &ast.String{Pos: e.Name.Pos, Value: "hex"})
	case event.Text, event.Unknown:
		digits = callOf(e, "encode", callOf(e, "convert_to", e.Args[0], &ast.String{Pos: e.Name.Pos, Value: "UTF8"}),
			&ast.String{Pos: e.Name.Pos, Value: "hex"})
	default: // to_hex takes whole numbers
	}
	return callOf(e, "upper", digits)
}

// joinedBytes is string_agg of BYTEA, which joins the digits of its bytes and reads them again; nil for other types.
func (x *scalars) joinedBytes(e *ast.Call) ast.Expr {
	if len(e.Args) != 2 {
		return nil
	}
	restore := x.outer.mark()
	a, err := x.argument(e.Args[0])
	restore()
	if err != nil || a.typ().Kind != event.Bytea {
		return nil // the call will say what is wrong
	}
	hex := &ast.String{Pos: e.Name.Pos, Value: "hex"}
	digits := *e
	digits.Args = []ast.Expr{callOf(e, "encode", e.Args[0], hex), callOf(e, "encode", as(e.Args[1], "BYTEA"), hex)}
	return callOf(e, "decode", &digits, hex)
}

// bytesOfHex are the bytes that a text of hexadecimal digits says.
func bytesOfHex(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	return callOf(e, "decode", e.Args[0], &ast.String{Pos: e.Name.Pos, Value: "hex"})
}

// trimmedScale is trim_scale of a number: one written out loses the zeros at its end, any other has the places of its type.
func trimmedScale(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	n, ok := e.Args[0].(*ast.Number)
	if !ok || !strings.Contains(n.Text, ".") || strings.ContainsAny(n.Text, "eE") {
		return &ast.Binary{Pos: e.Name.Pos, Op: "+", Left: e.Args[0], Right: &ast.Number{Pos: e.Name.Pos, Text: "0"}}
	}
	return &ast.Number{Pos: n.Pos, Text: strings.TrimSuffix(strings.TrimRight(n.Text, "0"), ".")}
}
