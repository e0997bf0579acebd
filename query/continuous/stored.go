package continuous

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// stored gives the columns of a plan whose types are not stored as themselves the types that they are stored as: whoever keeps the output
// keeps these.
func stored(n plan.Node) plan.Node {
	out := &plan.Project{Input: n}
	changed := false
	for i, c := range n.Columns() {
		var e plan.Expr = &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type}
		if to := event.StoredAs(c.Type); !to.Equal(c.Type) {
			e, changed = &plan.Cast{Input: e, To: to}, true
		}
		out.Exprs, out.Names = append(out.Exprs, e), append(out.Names, c.Name)
	}
	if !changed {
		return n
	}
	return out
}

// declared tells what a column was before it was stored; nil where that is the same.
func declared(c plan.Column) *event.Type {
	if event.StoredAs(c.Type).Equal(c.Type) {
		return nil
	}
	return &c.Type
}
