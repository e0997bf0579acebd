package continuous

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// scanNode passes on what an input gained.
type scanNode struct {
	base
	input string
	at    []int    // the columns among those of Input.Fields
	ids   []string // what the columns are, whatever their names
}

func (c *compiler) compileScan(n *plan.Scan) (node, error) {
	info, ok := c.inputs[n.Stream]
	if !ok {
		return nil, event.Errorf(event.CodeInternal, "compile query: nothing is known of %q", n.Stream)
	}
	out := &scanNode{base: base{cols: n.Columns()}, input: n.Stream}
	out.tr.appendOnly = info.Kind == StreamInput || info.AppendOnly
	out.tr.bounds, out.tr.watermarks = map[int]int64{}, map[int]bool{}
	for i, f := range n.Fields {
		out.ids = append(out.ids, fmt.Sprintf("%s.%d %s", n.Stream, f, out.cols[i].Type))
		out.at = append(out.at, slices.Index(c.fields[n.Stream].Fields, f))
		out.tr.watermarks[i] = f != 0 && f == info.watermark()
		if info.watermark() == 0 && f == info.Time && f != 0 {
			out.tr.bounds[i] = 1 // what comes or goes is at or after the watermark
		}
	}
	if len(n.Filter) == 0 {
		return out, nil
	}
	unfiltered := *n
	unfiltered.Filter, unfiltered.Ranges = nil, nil
	return c.filterOver(out, &unfiltered, n.Filter)
}

func (n *scanNode) describe() string {
	out := "scan " + n.input
	if !n.tr.appendOnly {
		out += " (rows come and go)"
	}
	return out
}

func (n *scanNode) start(*Machine, []operator) operator { return &scanOp{node: n} }

type scanOp struct {
	stateless
	node *scanNode
}

func (o *scanOp) step(_ context.Context, s *stepping) (Delta, error) {
	in := s.inputs[o.node.input].Rows
	if in.Rows == 0 {
		return noChange(o.node.cols), nil
	}
	out := Delta{Columns: make([]arrow.Array, len(o.node.at)), Weights: in.Weights, Rows: in.Rows}
	for i, at := range o.node.at {
		if at >= len(in.Columns) || in.Columns[at].Len() != in.Rows {
			return Delta{}, event.Errorf(event.CodeInternal, "step of %s: a column is missing or not of %d rows", o.node.input, in.Rows)
		}
		out.Columns[i] = in.Columns[at]
	}
	return out, nil
}

// stateless is an operator without state.
type stateless struct{}

func (stateless) save(*stateWriter) error { return nil }
func (stateless) load(*stateReader) error { return nil }
func (stateless) bytes() int64            { return 0 }
