package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// narrowSum gives the sum of INTEGER and SMALLINT the type BIGINT, as in PostgreSQL, so that dividing it truncates; that of BIGINT is
// NUMERIC. Since numbers compute in 64 bits here, the argument counts as INTEGER where PostgreSQL would compute it as one: also in the
// queries in FROM that it comes from.
func (x *scalars) narrowSum(sum plan.Expr, call *plan.Aggregation) plan.Expr {
	if call.Fn.Name != "sum" || call.Fn.Args[0].Kind != event.BigInt || !isNarrow(call.Args[0], x.scope.isNarrow) {
		return sum
	}
	return &plan.Cast{Input: sum, To: bigint}
}

// narrowArithmetic are the operators that give an INTEGER for INTEGERs.
var narrowArithmetic = []string{
	"+", "-", "*", "/", "%", "abs", "coalesce", "nullif", "greatest", "least", "&", "|", "#", "~", "<<", ">>", "gcd", "lcm",
}

// narrowResults are the functions that give an INTEGER whatever they take.
var narrowResults = []string{
	"length", "octet_length", "bit_length", "strpos", "ascii", "array_length", "array_upper", "array_lower", "cardinality", "array_position",
	"jsonb_array_length", "regexp_count", "regexp_instr", "width_bucket",
}

// isNarrow reports whether PostgreSQL would compute an expression as an INTEGER; columns says it of its columns.
func isNarrow(e plan.Expr, columns func(*plan.ColumnRef) bool) bool {
	isWide := func(e plan.Expr) bool { return !isNarrow(e, columns) }
	switch e := e.(type) {
	case *plan.ColumnRef:
		return isNarrowType(e.Typ) || columns(e)
	case *plan.OuterRef:
		return isNarrowType(e.Type())
	case *plan.Literal:
		v, ok := bigintValue(e)
		return ok && v == int64(int32(v)) || e.Value.IsNull(0)
	case *plan.Cast:
		return isNarrowType(e.Input.Type()) || isNarrowType(e.To)
	case *plan.Call:
		if e.Fn.Name == "-" && len(e.Args) == 2 && e.Args[0].Type().Kind == event.Date && e.Args[1].Type().Kind == event.Date {
			return true
		}
		return slices.Contains(narrowResults, e.Fn.Name) || slices.Contains(narrowArithmetic, e.Fn.Name) && !slices.ContainsFunc(e.Args, isWide)
	case *plan.Case:
		for _, w := range e.Whens {
			if isWide(w.Then) {
				return false
			}
		}
		return e.Else == nil || isNarrow(e.Else, columns)
	default:
		return false
	}
}

func isNarrowType(t event.Type) bool { return t.Kind == event.Integer || t.Kind == event.SmallInt }

// isNarrow reports whether a column is one of a query in FROM that gives INTEGERs.
func (s *scope) isNarrow(c *plan.ColumnRef) bool {
	if s == nil || s.prune || c.Index < 0 || c.Index >= len(s.columns) {
		return false
	}
	column := s.columns[c.Index]
	return column.typ.Kind == event.BigInt && column.source != nil && givesNarrow(column.source, column.at)
}

// givesNarrow reports whether a column of a query is of numbers that PostgreSQL would have as INTEGERs.
func givesNarrow(n plan.Node, column int) bool {
	below := func(input plan.Node) func(*plan.ColumnRef) bool {
		return func(c *plan.ColumnRef) bool { return c.Index >= 0 && givesNarrow(input, c.Index) }
	}
	none := func(*plan.ColumnRef) bool { return false }
	switch n := n.(type) {
	case *plan.Project:
		return isNarrow(n.Exprs[column], below(n.Input))
	case *plan.Values:
		return !slices.ContainsFunc(n.Rows, func(row []plan.Expr) bool { return !isNarrow(row[column], none) })
	case *plan.Union:
		return !slices.ContainsFunc(n.Parts, func(part plan.Node) bool { return !givesNarrow(part, column) })
	case *plan.Recursive:
		return givesNarrow(n.Base, column)
	case *plan.Series:
		return isNarrow(n.From, none) && isNarrow(n.To, none) && isNarrow(n.Step, none)
	case *plan.Aggregate:
		return column < len(n.Groups) && isNarrow(n.Groups[column], below(n.Input))
	case *plan.Filter, *plan.Sort, *plan.Limit, *plan.FirstRows:
		return givesNarrow(n.Inputs()[0], column)
	case *plan.Join:
		if width := plan.Width(n.Left); column >= width {
			return column-width < plan.Width(n.Right) && givesNarrow(n.Right, column-width)
		}
		return givesNarrow(n.Left, column)
	case *plan.Unnest:
		return unnestsNarrow(n, column, below(n.Input))
	default:
		return isNarrowType(n.Columns()[column].Type)
	}
}

// unnestsNarrow looks at arrays that are written out.
func unnestsNarrow(n *plan.Unnest, column int, below func(*plan.ColumnRef) bool) bool {
	at := column - plan.Width(n.Input)
	if at < 0 {
		return givesNarrow(n.Input, column)
	}
	if at >= len(n.Arrays) {
		return false
	}
	call, ok := n.Arrays[at].(*plan.Call)
	return ok && call.Fn.Name == "array" && !slices.ContainsFunc(call.Args, func(e plan.Expr) bool { return !isNarrow(e, below) })
}
