package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// rightSide makes the scope of the right side of a join. A lateral one can name columns of the left side: row then has what it takes of
// each row there.
func (b *binder) rightSide(t *ast.Join, left *scope, w *withs) (*scope, *outerRow, error) {
	if !isLateral(t.Right) {
		right, err := b.from(t.Right, w)
		return right, nil, err
	}
	around := b.outer
	row := &outerRow{x: &scalars{binder: b, scope: left, withs: w, outer: around}}
	b.outer = row
	right, err := b.from(t.Right, w)
	b.outer = around
	if err != nil {
		return nil, nil, err
	}
	if len(row.args) > 0 && (t.Kind == ast.RightJoin || t.Kind == ast.FullJoin) {
		return nil, nil, event.Errorf(event.CodeBadRequest, "the right side of a %s takes columns of the left one", t.Kind).
			At(t.Right.Position()).WithHint("only CROSS JOIN, JOIN and LEFT JOIN can be lateral")
	}
	return right, row, nil
}

// isLateral reports whether a table can name the columns of those before it: queries behind LATERAL, functions, and joins of these.
func isLateral(t ast.Table) bool {
	switch t := t.(type) {
	case *ast.Subquery:
		return t.Lateral
	case *ast.Series, *ast.Unnest:
		return true
	case *ast.Join:
		return isLateral(t.Left) || isLateral(t.Right)
	default:
		return false
	}
}
