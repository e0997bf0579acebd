package optimize

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// dropNoopProjections removes projections that give their input's columns in their order and under their names.
func dropNoopProjections(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		if p, ok := n.(*plan.Project); ok && isNoop(p) {
			return p.Input, nil
		}
		return n, nil
	})
}

func isNoop(p *plan.Project) bool {
	for i, e := range p.Exprs {
		if c, ok := e.(*plan.ColumnRef); !ok || c.Index != i {
			return false
		}
	}
	if plan.Width(p.Input) != len(p.Exprs) {
		return false
	}
	for i, c := range p.Input.Columns() {
		if p.Names[i] != c.Name {
			return false
		}
	}
	return true
}
