package continuous

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileLatestRuns makes the operator of a grouping with a time to live: the sessions of each key, of which the latest is kept as long as
// the watermark has not passed its end. ok is false where a condition is about something else.
func (c *compiler) compileLatestRuns(n *plan.Filter) (out node, ok bool, err error) {
	var rest []plan.Expr
	for _, e := range plan.Conjuncts(n.Predicate) {
		if lives(e) {
			ok = true
		} else {
			rest = append(rest, e)
		}
	}
	if !ok {
		return nil, false, nil
	}
	refused := event.Errorf(event.CodeNotSupported, "ttl for groups of rows that come and go").
		WithHint("group the events of a stream, or of a view that only filters one")
	above, below := throughProjects(n.Input)
	first, isFirst := below.(*plan.FirstRows)
	if !isFirst {
		return nil, true, refused
	}
	inner, below := throughProjects(first.Input)
	groups, isGroups := below.(*plan.Aggregate)
	if !isGroups {
		return nil, true, refused
	}
	sessions, isSessions, err := c.compileSessions(groups)
	if err != nil {
		return nil, true, err
	}
	if !isSessions || !sessions.bounded {
		return nil, true, refused
	}
	sessions.latest = true
	sessions.tr.bounds = nil // a row goes when its end is passed, not when it is complete
	out = sessions
	for _, p := range append(inner, above...) {
		if out, err = projectOver(out, p); err != nil {
			return nil, true, err
		}
	}
	if len(rest) == 0 {
		return out, true, nil
	}
	out, err = c.filterOver(out, n.Input, rest)
	return out, true, err
}

// throughProjects is the first node below some projections, and these, the lowest first.
func throughProjects(n plan.Node) (projects []*plan.Project, below plan.Node) {
	p, ok := n.(*plan.Project)
	if !ok {
		return nil, n
	}
	projects, below = throughProjects(p.Input)
	return append(projects, p), below
}

// lives recognises `end > watermark()`.
func lives(e plan.Expr) bool {
	c, ok := e.(*plan.Call)
	if !ok || c.Fn.Name != ">" || len(c.Args) != 2 {
		return false
	}
	mark, ok := c.Args[1].(*plan.Call)
	return ok && mark.Fn == plan.Watermark
}

// PlanAt is what the output is the answer to once the watermark of the inputs has come to a time: Plan with that in the place of the
// watermark, where rows leave the view as it rises, and without the rows that wait for others behind them.
func (p *Program) PlanAt(watermark int64) plan.Node { return p.planAt(p.plan, watermark) }

func (p *Program) planAt(n plan.Node, watermark int64) plan.Node {
	window, _ := n.(*plan.Window)
	n = overInputs(n, func(in plan.Node) plan.Node { return p.planAt(in, watermark) })
	if waits, ok := p.awaited[window]; ok {
		return waits.at(n.(*plan.Window), watermark)
	}
	f, ok := n.(*plan.Filter)
	if !ok {
		return n
	}
	conjuncts := plan.Conjuncts(f.Predicate)
	for i, e := range conjuncts {
		if lives(e) {
			at := &plan.Literal{Value: event.NewTimestamps([]int64{watermark}, nil), Typ: event.Type{Kind: event.TimestampTZ}}
			conjuncts[i] = &plan.Call{Fn: e.(*plan.Call).Fn, Args: []plan.Expr{e.(*plan.Call).Args[0], at}}
		}
	}
	out := conjuncts[0]
	for _, e := range conjuncts[1:] {
		out = call("and", out, e)
	}
	return &plan.Filter{Input: f.Input, Predicate: out}
}
