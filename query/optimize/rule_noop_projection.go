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
	columns := p.Input.Columns()
	if len(columns) != len(p.Exprs) {
		return false
	}
	for i, e := range p.Exprs {
		c, ok := e.(*plan.ColumnRef)
		if !ok || c.Index != i || p.Names[i] != columns[i].Name {
			return false
		}
	}
	return true
}
