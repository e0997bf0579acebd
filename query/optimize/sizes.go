package optimize

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// WithSizes says of every scan about how many rows its stream has, for rules that choose by size. rows gives 0 for what it does not know.
// The plan given stays as it is.
func WithSizes(n plan.Node, rows func(stream string) int64) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		s, ok := n.(*plan.Scan)
		if !ok {
			return n, nil
		}
		out := *s
		out.Rows = rows(s.Stream)
		return &out, nil
	})
}
