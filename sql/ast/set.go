package ast

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// SetOp combines the rows of two queries.
type SetOp uint8

// The set operations.
const (
	Union SetOp = iota
	Intersect
	Except
)

// String is the operation's word.
func (o SetOp) String() string { return [...]string{"UNION", "INTERSECT", "EXCEPT"}[o] }

// SetOperation is UNION, INTERSECT or EXCEPT of two queries. All keeps equal rows apart. ByName, of UNION alone, joins columns by their names.
type SetOperation struct {
	// Pos is that of the operation's word.
	Pos         event.Position
	Op          SetOp
	All, ByName bool
	Left, Right *Select
}

// String prints the operation; operands with clauses of their own that would otherwise go to the whole stand in parentheses.
func (s *SetOperation) String() string {
	out := setOperand(s.Left) + " " + s.Op.String() + " "
	if s.All {
		out += "ALL "
	}
	if s.ByName {
		out += "BY NAME "
	}
	return out + setOperand(s.Right)
}

func setOperand(q *Select) string {
	if q.Set != nil || len(q.With) > 0 || len(q.OrderBy) > 0 || q.Limit != nil || q.Offset != nil {
		return "(" + q.String() + ")"
	}
	return q.String()
}

// valueRows prints VALUES.
func valueRows(rows [][]Expr) string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = "(" + list(row) + ")"
	}
	return "VALUES " + strings.Join(out, ", ")
}
