package parser

import (
	"strings"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// namedParameters are the functions that may be told the names of their arguments, with these in order. Those behind "|" stand in one place, and the
// function tells them apart by their types.
var namedParameters = map[string][]string{
	"time_bucket":         {"bucket_width|width", "ts|time", "timezone|origin|offset"},
	"time_bucket_gapfill": {"bucket_width|width", "ts|time", "timezone", "start", "finish"},
	"locf":                {"value", "prev", "treat_null_as_missing"},
	"interpolate":         {"value", "prev", "next"},
}

// argument reads one argument of a call and puts it in its place.
func (c *climber) argument(out *ast.Call, given *[]bool) error {
	start := c.lex.mark()
	t := c.lex.peek()
	name := ""
	if t.Type == tokenIdent || t.Type == tokenQuoted || t.Type == tokenKeyword && is(t, "OFFSET") {
		c.lex.next()
		if accept(c.lex, "=>") || accept(c.lex, ":=") {
			name = strings.ToLower(nameOf(t).Text)
		} else {
			c.lex.reset(start)
		}
	}
	at := len(out.Args)
	if name != "" {
		if at = placeOf(out, name); at < 0 {
			return notSupported(t, "an argument named "+name, orderHint(out))
		}
	}
	x, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	x = typedByName(name, x)
	for len(out.Args) <= at {
		out.Args, *given = append(out.Args, &ast.Null{Pos: position(t.Pos)}), append(*given, false)
	}
	if (*given)[at] {
		return notSupported(t, "a second value in the place of "+name, "leave one of them out")
	}
	out.Args[at], (*given)[at] = x, true
	return nil
}

// typedByName gives a text the type that the name of the argument says, where arguments of several types have its place.
func typedByName(name string, x ast.Expr) ast.Expr {
	text, ok := x.(*ast.String)
	typ := map[string]string{"offset": "INTERVAL", "origin": "TIMESTAMPTZ"}[name]
	if !ok || typ == "" {
		return x
	}
	return &ast.TypedLiteral{Type: ast.TypeName{Text: typ, Pos: text.Pos}, Value: *text}
}

// placeOf is where an argument of that name stands; below 0 where the function has none.
func placeOf(call *ast.Call, name string) int {
	if call.Name.Quoted {
		return -1
	}
	for i, names := range namedParameters[strings.ToLower(call.Name.Text)] {
		for one := range strings.SplitSeq(names, "|") {
			if one == name {
				return i
			}
		}
	}
	return -1
}

// orderHint says which names the arguments of a function have.
func orderHint(call *ast.Call) string {
	names := namedParameters[strings.ToLower(call.Name.Text)]
	if call.Name.Quoted || len(names) == 0 {
		return "pass arguments in order"
	}
	return "there are " + strings.NewReplacer("|", ", ").Replace(strings.Join(names, ", "))
}

// withoutZone is time_bucket_gapfill whose range was named without a time zone, which has no place of its own among the arguments in order.
func withoutZone(call *ast.Call, given []bool) {
	if strings.EqualFold(call.Name.Text, "time_bucket_gapfill") && len(call.Args) > 3 && !given[2] {
		call.Args = append(call.Args[:2:2], call.Args[3:]...)
	}
}
