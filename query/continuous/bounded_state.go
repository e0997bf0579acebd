package continuous

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// boundedRecompute refuses an operator whose keys are never forgotten, unless a bound on memory was asked for.
func (c *compiler) boundedRecompute(n *recomputeNode, of plan.Node) error {
	if n.expires >= 0 {
		return nil
	}
	return c.bounded(n, of)
}

// bounded refuses an operator whose state can grow without end, unless a bound on memory was asked for.
func (c *compiler) bounded(n node, of plan.Node) error {
	if c.options.MemoryBytes > 0 || !grows(n) {
		return nil
	}
	what, fix := unboundedText(of)
	if _, top := n.(*topNode); top && fix == unboundedOver {
		what, fix = "the first rows of each partition", "add window_start and window_end of a window table function to PARTITION BY"
	}
	if view := c.timeless(of); view != "" {
		fix = "view " + view + " has no watermark that windows close by: put its query into WITH, or take the window of the stream"
	}
	return event.Errorf(event.CodeNotSupported, "the state of %s would grow without end", what).
		WithHint("%s, or bound it by memory: WITH (memory = '256MB')", fix)
}

// timeless finds a view under windows that no watermark closes, because the view's rows may come at any time; empty where there is none.
func (c *compiler) timeless(n plan.Node) string {
	windows := false
	for n != nil {
		switch n := n.(type) {
		case *plan.Assign:
			windows = true
		case *plan.Scan:
			if info := c.inputs[n.Stream]; windows && info.Kind == ViewInput && info.Time == 0 {
				return n.Stream
			}
		}
		inputs := n.Inputs()
		if len(inputs) != 1 {
			return ""
		}
		n = inputs[0]
	}
	return ""
}

// grows reports whether an input can gain rows for ever.
func grows(n node) bool {
	switch n := n.(type) {
	case *scanNode:
		return true
	default:
		for _, in := range n.inputs() {
			if grows(in) {
				return true
			}
		}
		return false
	}
}

// unboundedOver is what bounds window functions.
const unboundedOver = "order by the event time with a frame that ends, or partition by window_end"

// unboundedText names an operator as its query does, and what would bound it.
func unboundedText(n plan.Node) (what, fix string) {
	switch n := n.(type) {
	case *plan.Aggregate:
		if len(n.Aggregates) == 0 {
			return "DISTINCT", "take the values of a closed window, with window_start or window_end among them"
		}
		return "GROUP BY", "group by window_start or window_end of a window table function as well, let groups go that have no more events: WITH (ttl = '1 day')"
	case *plan.Window:
		return "OVER", unboundedOver
	case *plan.FirstRows:
		return "LATEST ON", "add window_end to what it is taken by"
	case *plan.Sort, *plan.Limit:
		return "ORDER BY with LIMIT", "number the rows of a window: row_number() OVER (PARTITION BY window_end ...)"
	case *plan.Join:
		return "a join", "join on equal windows, or bound the time: b.ts BETWEEN a.ts AND a.ts + INTERVAL '10 minutes'"
	case *plan.AsofJoin:
		return "ASOF JOIN", "bound how old a partner may be: TOLERANCE INTERVAL '1 hour' behind ON"
	case *plan.Fill:
		return "FILL", "leave it to the query that reads the view"
	default:
		return "a subquery for each row", "write it as a join on equal windows"
	}
}
