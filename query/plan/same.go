package plan

import (
	"hash/maphash"
	"math/bits"
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

// Fingerprint is a number that is equal for expressions that are the Same, and mostly differs for others. It is good within one process.
func Fingerprint(e Expr) uint64 {
	switch e := e.(type) {
	case *ColumnRef:
		return mixed(1, uint64(e.Index))
	case *Literal:
		return mixed(2, literalFingerprint(e))
	case *Call:
		h := mixed(3, maphash.String(fingerprintSeed, e.Fn.Name))
		for _, arg := range e.Args {
			h = mixed(h, Fingerprint(arg))
		}
		return h
	case *Cast:
		return mixed(mixed(4, uint64(e.To.Kind)), Fingerprint(e.Input))
	default:
		h := uint64(5)
		for _, part := range Operands(e) {
			h = mixed(h, Fingerprint(part))
		}
		return h
	}
}

var fingerprintSeed = maphash.MakeSeed()

// literalFingerprint tells constants of the usual types apart.
func literalFingerprint(e *Literal) uint64 {
	if e.Value.IsNull(0) {
		return 0
	}
	switch v := e.Value.(type) {
	case *array.Int64:
		return uint64(v.Value(0))
	case *array.Timestamp:
		return uint64(v.Value(0))
	case *array.String:
		return maphash.String(fingerprintSeed, v.Value(0))
	default:
		return 1
	}
}

// mixed folds the 128-bit product of two numbers.
func mixed(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return high ^ low
}
