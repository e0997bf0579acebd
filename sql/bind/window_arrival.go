package bind

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// impliedLateness is the rule of a view that says nothing of late rows.
type impliedLateness struct {
	// bounded tells that memory bounds the view, which shows rows at once: nothing has to be late for its sake. closes tells that it shows rows
	// when windows close.
	bounded, closes bool
	// byArrival is why windows of it would leave out nearly every row; nil where they do not.
	byArrival *event.Error
}

func implied(s *ast.CreateView, options catalog.ViewOptions) *impliedLateness {
	if s.Late != nil {
		return nil
	}
	return &impliedLateness{bounded: options.Memory > 0 && !options.OnClose, closes: options.OnClose}
}

// watched reports whether rows that come behind the watermark are late for a window. A stream that does not say what its time is has the arrival
// of its events for that, so windows of another time would be over before their rows come. Where memory bounds the view they take all rows, as
// buckets of that time do; elsewhere byArrival says so to who makes the view. One that was made before this was looked at stays as it is.
func (l *lateness) watched(t *ast.WindowTable, when plan.Expr, input *scope) bool {
	if l.implied == nil || len(input.parts) > 0 {
		return true
	}
	ref, ok := when.(*plan.ColumnRef)
	if !ok {
		return true
	}
	stream, column := timeBesideArrival(input.node(), ref.Index)
	switch {
	case stream == "":
		return true
	case l.implied.bounded:
		return false
	}
	fault := event.Errorf(event.CodeBadRequest, "the windows go by %q, but the event time of %s is when events arrive: nearly all would be late",
		column, stream).At(t.Pos)
	l.implied.byArrival = fault.WithHint("%s", l.implied.hint(column))
	return true
}

func (i *impliedLateness) hint(column string) string {
	made := fmt.Sprintf("make the stream with WATERMARK FOR %s AS %s - INTERVAL '5 seconds'", column, column)
	if !i.closes {
		made += "; or take events whenever they come, bounded by memory: WITH (memory = '256MB')"
	}
	return made + "; or write LATE DROP behind the query if they are to be late"
}

// timeBesideArrival names the stream, and the column of it, that a column of a node is, where the stream has no WATERMARK and the column is not the
// arrival of its events; empty elsewhere.
func timeBesideArrival(n plan.Node, at int) (stream, column string) {
	switch n := n.(type) {
	case *plan.Scan:
		if n.Schema.TimeColumn != 0 || n.Fields[at] == event.FieldIngestedAt {
			return "", ""
		}
		return n.Stream, n.Columns()[at].Name
	case *plan.Filter:
		return timeBesideArrival(n.Input, at)
	case *plan.Project:
		if ref, ok := meant(n.Exprs[at]).(*plan.ColumnRef); ok {
			return timeBesideArrival(n.Input, ref.Index)
		}
	}
	return "", ""
}
