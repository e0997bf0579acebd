package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// timeToLive is the option ttl of a view: a group of a plain GROUP BY is the latest run of its events, which ends when none has come for so
// long, and leaves the view then.
type timeToLive struct {
	after *plan.Literal
	pos   event.Position
	// used tells that there is a grouping that it goes for.
	used bool
}

// readTTL reads the option ttl, an interval without months.
func (b *binder) readTTL(o ast.Option) error {
	after, err := b.width("ttl", o.Value)
	if err != nil {
		return err
	}
	if widthOf(after).months != 0 {
		return event.Errorf(event.CodeBadRequest, "ttl cannot be in months, which differ in length").At(o.Value.Position()).
			WithHint("write it in days")
	}
	b.ttl = &timeToLive{after: after, pos: o.Name.Pos}
	return nil
}

// checkTTL refuses a ttl beside what says otherwise when rows show and change.
func (b *binder) checkTTL(s *ast.CreateView) error {
	switch {
	case b.ttl == nil:
		return nil
	case s.Emit != nil && s.Emit.OnClose:
		return event.Errorf(event.CodeBadRequest, "ttl with EMIT ON WINDOW CLOSE").At(b.ttl.pos).
			WithHint("with ttl a row shows while events keep coming, and goes afterwards; windows of SESSION show when they are over")
	case s.Late != nil && s.Late.Within != nil:
		return event.Errorf(event.CodeBadRequest, "ttl with LATE RECOMPUTE").At(b.ttl.pos).
			WithHint("LATE RECOMPUTE is for windows of FROM; a stream whose WATERMARK lies further back takes events for longer")
	}
	return nil
}

// usedTTL makes sure that ttl went for some grouping.
func (b *binder) usedTTL() error {
	if b.ttl == nil || b.ttl.used {
		return nil
	}
	return event.Errorf(event.CodeBadRequest, "ttl needs a GROUP BY of a stream's events, without windows").At(b.ttl.pos).
		WithHint("as in SELECT customer, count(*) FROM orders GROUP BY customer; windows, frames and joins that are bounded in time forget by themselves")
}

// bindTTL finds out whether the ttl of a view goes for this query, and leaves late events out then: an event must come before the watermark
// has passed it, as for a session.
func (q *selection) bindTTL() error {
	b := q.binder
	if b.ttl == nil || len(q.groups) == 0 {
		return nil
	}
	when := q.runTime()
	switch {
	case when == nil:
		return nil
	case q.sets != nil:
		return event.Errorf(event.CodeNotSupported, "ttl with grouping sets").At(b.ttl.pos).WithHint("make a view of each set of groups")
	case q.sampled != nil || q.ast.Fill != nil:
		return event.Errorf(event.CodeBadRequest, "ttl with SAMPLE BY or FILL").At(b.ttl.pos).
			WithHint("group by window_start and window_end of TUMBLE, which the watermark ends")
	}
	b.ttl.used, q.runs = true, when
	at := watermarkColumn(q.scope)
	if at < 0 { // the rows of a view are never late
		return nil
	}
	b.late.used++
	return q.leaveOutLate(punctuality{own: argument{when, b.ttl.pos}, watermark: argument{q.scope.ref(at), b.ttl.pos}, op: ">="})
}

// runTime is the time that the rows of FROM come in the order of, as far as there is one; nil for joins, windows and queries.
func (q *selection) runTime() *plan.ColumnRef {
	s := q.scope
	if s.late != nil || len(s.parts) > 0 || s.versions == 0 {
		return nil
	}
	return s.ref(s.versions - 1)
}

// latestRuns is a grouping of which only the latest run of events of each group counts, as long as the watermark has not passed its end.
func (q *selection) latestRuns(agg *plan.Aggregate) (plan.Node, error) {
	groups, width := len(agg.Groups), plan.Width(agg.Input)
	// The groups are columns of their own first, so that the runs are of the same values.
	keyed := &plan.Project{Input: agg.Input}
	for i, c := range agg.Input.Columns() {
		keyed.Exprs, keyed.Names = append(keyed.Exprs, columnOf(agg.Input.Columns(), i)), append(keyed.Names, c.Name)
	}
	keyed.Exprs, keyed.Names = append(keyed.Exprs, agg.Groups...), append(keyed.Names, agg.Names[:groups]...)
	runs := &plan.Window{Input: keyed, Order: []plan.SortKey{{Expr: q.runs}}, Names: []string{"_until"}}
	runs.Calls = []plan.WindowCall{{Fn: plan.SessionEnd, Args: []plan.Expr{q.runs, q.binder.ttl.after}, Frame: plan.WholePartition}}
	each := &plan.Aggregate{Input: runs, Aggregates: agg.Aggregates}
	columns := runs.Columns()
	for i := range groups {
		runs.Partition = append(runs.Partition, columnOf(columns, width+i))
	}
	each.Groups = append(append(each.Groups, runs.Partition...), columnOf(columns, width+groups))
	each.Names = append(append(append(each.Names, agg.Names[:groups]...), "_until"), agg.Names[groups:]...)

	columns = each.Columns()
	latest := &plan.FirstRows{Input: each, Keys: []plan.SortKey{{Expr: columnOf(columns, groups), Descending: true}}}
	out := &plan.Project{Names: agg.Names}
	for i := range columns {
		switch {
		case i < groups:
			latest.By = append(latest.By, columnOf(columns, i))
			fallthrough
		case i > groups:
			out.Exprs = append(out.Exprs, columnOf(columns, i))
		}
	}
	pos := q.binder.ttl.pos
	lives, err := applied(">", pos, argument{columnOf(columns, groups), pos}, argument{&plan.Call{Fn: plan.Watermark}, pos})
	out.Input = &plan.Filter{Input: latest, Predicate: lives}
	return out, err
}

// filledOrLatest is a grouping with what FILL adds to it, or what ttl leaves of it.
func (q *selection) filledOrLatest(agg *plan.Aggregate) (plan.Node, error) {
	if q.runs != nil {
		return q.latestRuns(agg)
	}
	return q.fill(agg)
}
