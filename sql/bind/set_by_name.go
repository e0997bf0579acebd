package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// namedOperands plans both sides of UNION BY NAME: each gives the columns of the left side, then those that only the right one has, with NULL
// for what it lacks itself.
func (b *binder) namedOperands(s *ast.SetOperation, w *withs, _ []event.Type) (left, right plan.Node, err error) {
	b.marks = false
	if left, err = b.selectPlan(s.Left, w, nil); err != nil {
		return nil, nil, err
	}
	if right, err = b.selectPlan(s.Right, w, nil); err != nil {
		return nil, nil, err
	}
	names, err := namesOfBoth(s, left, right)
	if err != nil {
		return nil, nil, err
	}
	left, right = withNames(left, right, names), withNames(right, left, names)
	common, err := commonTypes(s, left, right)
	if err != nil {
		return nil, nil, err
	}
	columns := left.Columns()
	return converted(left, columns, common), converted(right, columns, common), nil
}

// namesOfBoth are the names of the columns of both sides, each once. A side may have a name once.
func namesOfBoth(s *ast.SetOperation, left, right plan.Node) ([]string, error) {
	var out []string
	for _, side := range []struct {
		node plan.Node
		pos  event.Position
	}{{left, s.Left.Pos}, {right, s.Right.Pos}} {
		columns := side.node.Columns()
		for i, c := range columns {
			if at := named(columns, c.Name); at != i {
				return nil, event.Errorf(event.CodeBadRequest, "UNION BY NAME of a query with two columns %q", c.Name).At(side.pos).
					WithHint("give one of them another name by AS")
			}
			if !slices.ContainsFunc(out, func(known string) bool { return strings.EqualFold(known, c.Name) }) {
				out = append(out, c.Name)
			}
		}
	}
	return out, nil
}

// named is the place of the first column of a name, whatever its case; -1 where there is none.
func named(columns []plan.Column, name string) int {
	return slices.IndexFunc(columns, func(c plan.Column) bool { return strings.EqualFold(c.Name, name) })
}

// withNames brings a side's columns into an order of names, with NULL for those that only the other side has.
func withNames(n, other plan.Node, names []string) plan.Node {
	columns, others := n.Columns(), other.Columns()
	out := &plan.Project{Input: n, Names: names}
	for _, name := range names {
		if at := named(columns, name); at >= 0 {
			out.Exprs = append(out.Exprs, columnOf(columns, at))
		} else {
			out.Exprs = append(out.Exprs, nullLiteral(others[named(others, name)].Type))
		}
	}
	return out
}
