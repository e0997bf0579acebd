package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// momentOf is the moment at which clocks in a zone show what an expression says; nil for a call of timezone with a point in time, which
// gives what they show at it.
func momentOf(e *ast.Call) ast.Expr {
	if len(e.Args) != 2 || !showsClock(e.Args[1]) {
		return nil
	}
	return callOf(e, "from_wall_clock", e.Args...)
}

// showsClock reports whether an expression is written as what a clock shows, without a zone: by the type TIMESTAMP, which is TIMESTAMPTZ in
// all else, or as what timezone gives.
func showsClock(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.TypedLiteral:
		return isClockType(e.Type)
	case *ast.Cast:
		return isClockType(e.Type)
	case *ast.Binary:
		return (e.Op == "+" || e.Op == "-") && showsClock(e.Left)
	case *ast.Call:
		switch name := strings.ToLower(e.Name.Text); {
		case name == "timezone" && len(e.Args) == 2:
			return !showsClock(e.Args[1])
		case name == "date_trunc" && len(e.Args) == 2:
			return showsClock(e.Args[1])
		}
	}
	return false
}

func isClockType(t ast.TypeName) bool {
	name, size, sized := strings.Cut(t.Text, "(")
	if sized {
		_, behind, _ := strings.Cut(size, ")")
		name += behind
	}
	name = strings.ToUpper(name)
	return name == "TIMESTAMP" || name == "TIMESTAMP WITHOUT TIME ZONE" || name == "DATETIME"
}
