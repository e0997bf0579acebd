package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// narrowSum gives the sum of INTEGER and SMALLINT the type BIGINT, as in PostgreSQL, so that dividing it truncates; that of BIGINT is
// NUMERIC. Since numbers compute in 64 bits here, the argument counts as INTEGER where PostgreSQL would compute it as one.
func narrowSum(sum plan.Expr, call *plan.Aggregation) plan.Expr {
	if call.Fn.Name != "sum" || call.Fn.Args[0].Kind != event.BigInt || !isNarrow(call.Args[0]) {
		return sum
	}
	return &plan.Cast{Input: sum, To: bigint}
}

// narrowArithmetic are the operators that give an INTEGER for INTEGERs.
var narrowArithmetic = []string{"+", "-", "*", "/", "%", "abs", "coalesce", "nullif", "greatest", "least", "&", "|", "#", "~"}

func isNarrow(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.ColumnRef, *plan.OuterRef:
		kind := e.Type().Kind
		return kind == event.Integer || kind == event.SmallInt
	case *plan.Literal:
		v, ok := bigintValue(e)
		return ok && v == int64(int32(v)) || e.Value.IsNull(0)
	case *plan.Cast:
		from := e.Input.Type().Kind
		return from == event.Integer || from == event.SmallInt
	case *plan.Call:
		return slices.Contains(narrowArithmetic, e.Fn.Name) && !slices.ContainsFunc(e.Args, isWide)
	case *plan.Case:
		for _, w := range e.Whens {
			if isWide(w.Then) {
				return false
			}
		}
		return e.Else == nil || isNarrow(e.Else)
	default:
		return false
	}
}

func isWide(e plan.Expr) bool { return !isNarrow(e) }
