package plan

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Same reports whether two expressions over the same input compute the same: they are built alike, names apart. Two calls of random() do
// not.
func Same(a, b Expr) bool {
	if a == b {
		return true
	}
	switch a := a.(type) {
	case *ColumnRef:
		b, ok := b.(*ColumnRef)
		return ok && a.Index == b.Index
	case *Literal:
		b, ok := b.(*Literal)
		return ok && a.Typ.Equal(b.Typ) && a.Typ.Clock == b.Typ.Clock && array.Equal(a.Value, b.Value)
	case *Call:
		b, ok := b.(*Call)
		return ok && !a.Fn.Volatile && sameFunction(a.Fn, b.Fn) && sameOperands(a, b)
	case *Cast:
		b, ok := b.(*Cast)
		return ok && a.To.Equal(b.To) && a.To.Clock == b.To.Clock && a.Try == b.Try && Same(a.Input, b.Input)
	case *Case:
		b, ok := b.(*Case)
		return ok && (a.Else == nil) == (b.Else == nil) && sameOperands(a, b)
	default:
		return false
	}
}

// sameFunction knows the overloads of NUMERIC apart, which are made for each precision and scale.
func sameFunction(a, b *Function) bool {
	sameResult := a.Result.Equal(b.Result) && a.Result.Clock == b.Result.Clock
	return a == b || a.Name == b.Name && sameResult && slices.EqualFunc(a.Args, b.Args, event.Type.Equal) && a.Variadic == b.Variadic
}

func sameOperands(a, b Expr) bool {
	x, y := Operands(a), Operands(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !Same(x[i], y[i]) {
			return false
		}
	}
	return true
}
