package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// bucketOfWindow is the bucket of a time that begins where its window of TUMBLE does.
func bucketOfWindow(t *ast.WindowTable, when argument, size *plan.Literal) (*plan.Call, error) {
	bucket, err := applied("time_bucket", t.Pos, argument{size, t.Pos}, when)
	call, _ := bucket.(*plan.Call)
	return call, err
}

// windowEnd is the place among the groups of the end of the window of TUMBLE, -1 where it is none of them.
func (q *selection) windowEnd() int {
	if q.scope.tumble == nil {
		return -1
	}
	return slices.IndexFunc(q.groups, func(g plan.Expr) bool {
		ref, ok := g.(*plan.ColumnRef)
		return ok && ref.Index == len(q.scope.columns)-1
	})
}

// endOfFilled gives windows that FILL has added their ends: all end where the next begins.
func endOfFilled(n *plan.Fill, end int, bucket *timeBucket, pos event.Position) (plan.Node, error) {
	out := &plan.Project{Input: n}
	columns := n.Columns()
	for i, c := range columns {
		out.Exprs, out.Names = append(out.Exprs, columnOf(columns, i)), append(out.Names, c.Name)
	}
	var err error
	out.Exprs[end], err = applied("+", pos, argument{columnOf(columns, n.Time), pos}, argument{bucket.call.Args[0], pos})
	return out, err
}
