package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// lateness is what becomes of rows that came too late: those beyond the horizon are left out.
type lateness struct {
	// horizon is an interval of no months; nil for none.
	horizon *plan.Literal
	pos     event.Position
	// used counts the places that leave late rows out.
	used int
	// implied is set for a view that says nothing of late rows.
	implied *impliedLateness
}

// punctuality tells rows that came in time for their window from others.
type punctuality struct {
	// own is the time of a row that the watermark before the row is compared with: the end of its window, or its event time.
	own, watermark argument
	// op holds between own and the watermark for rows that are in time.
	op string
}

// lateClause reads LATE DROP and LATE RECOMPUTE WITHIN.
func (b *binder) lateClause(l *ast.Late) (*lateness, error) {
	out := &lateness{pos: l.Pos}
	if l.Within == nil {
		return out, nil
	}
	var err error
	if out.horizon, err = b.width("LATE RECOMPUTE WITHIN", l.Within); err != nil {
		return nil, err
	}
	if widthOf(out.horizon).months != 0 {
		return nil, event.Errorf(event.CodeBadRequest, "LATE RECOMPUTE WITHIN cannot be in months, which differ in length").At(l.Within.Position()).
			WithHint("write it in days")
	}
	return out, nil
}

// watch leaves late rows out of a function over the time when whose input has watermarks, where LATE says so: a row is in time if there was no
// watermark before it, or if a time of its own is after that, or at it, as op says.
func (b *binder) watch(s *scope, t *ast.WindowTable, input *scope, when, own plan.Expr, op string) (err error) {
	at := watermarkColumn(input)
	if at < 0 || b.late == nil || len(input.parts) > 0 || !b.late.watched(t, when, input) { // what is late is known before rows are joined
		return nil
	}
	b.late.used++
	p := punctuality{own: argument{own, t.Pos}, watermark: argument{input.ref(at), t.Pos}, op: op}
	s.late, err = p.condition(b.late)
	return err
}

// condition is true for rows that are in time, or no later than the horizon.
func (p *punctuality) condition(l *lateness) (plan.Expr, error) {
	first, err := applied("is_null", l.pos, p.watermark)
	if err != nil {
		return nil, err
	}
	own := p.own
	if l.horizon != nil {
		if own.expr, err = applied("+", l.pos, own, argument{l.horizon, l.pos}); err != nil {
			return nil, err
		}
	}
	ahead, err := applied(p.op, l.pos, own, p.watermark)
	if err != nil {
		return nil, err
	}
	return applied("or", l.pos, argument{first, l.pos}, argument{ahead, l.pos})
}

// enterLate obeys the LATE of a query until leave is called: it goes for all windows in it that have none of their own.
func (b *binder) enterLate(l *ast.Late) (leave func(), err error) {
	if l.Into != nil {
		return nil, event.Errorf(event.CodeBadRequest, "only a materialized view keeps its late rows elsewhere").At(l.Into.Pos)
	}
	inner, err := b.lateClause(l)
	if err != nil {
		return nil, err
	}
	outer := b.late
	b.late = inner
	return func() { b.late = outer }, nil
}

// lateUsed makes sure that the LATE of a query has something to leave out. Whether a join is bounded in time is known once it has been
// optimized.
func (b *binder) lateUsed(s *ast.Select, sc *scope) error {
	if len(sc.parts) > 0 {
		b.lateJoins = &LateJoins{Pos: s.Late.Pos, Recompute: b.late.horizon != nil, Needed: b.late.used == 0}
		return nil
	}
	if b.late.used == 0 {
		return ErrNothingLate(s.Late.Pos)
	}
	return nil
}

// LateJoins says that late events are to be left out of the joins of a query that bound the time between their rows.
type LateJoins struct {
	Pos event.Position
	// Recompute tells that windows take late rows for a while, which joins do not.
	Recompute bool
	// Needed tells that there is nothing else that LATE could be meant for.
	Needed bool
}

// ErrNothingLate says that a query with LATE leaves nothing out.
func ErrNothingLate(pos event.Position) error {
	return event.Errorf(event.CodeBadRequest, "LATE DROP needs a window table function over a stream in FROM").At(pos).
		WithHint("as in FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1 minute'); OVER by event time and joins bounded in time know late rows too")
}

// ErrLateJoin says that a join takes no late rows.
func ErrLateJoin(pos event.Position) error {
	return event.Errorf(event.CodeBadRequest, "LATE RECOMPUTE is for windows of FROM, not for joins").At(pos).
		WithHint("LATE DROP leaves late rows out of both sides")
}

// inTime leaves out the rows that came too late, where that is asked for.
func (s *scope) inTime(n plan.Node) plan.Node {
	if s.late == nil {
		return n
	}
	return &plan.Filter{Input: n, Predicate: s.late}
}

// horizonMicros is the horizon in microseconds.
func (l *lateness) horizonMicros() int64 {
	if l == nil || l.horizon == nil {
		return 0
	}
	return widthOf(l.horizon).micros
}

// bindLateEvents leaves late events out of the frames of a view's window functions where those go by event time: a frame that the
// watermark has passed is complete then.
func (q *selection) bindLateEvents() error {
	late, s := q.binder.late, q.scope
	if late == nil || s.late != nil || len(s.parts) > 0 || len(q.rows.windows.calls) == 0 || q.aggregated() {
		return nil
	}
	at := watermarkColumn(s)
	when := s.timeline()
	if at < 0 || when == nil {
		return nil
	}
	byTime := slices.ContainsFunc(q.rows.windows.calls, func(c windowCall) bool {
		return len(c.order) > 0 && !c.order[0].Descending && sameExpr(c.order[0].Expr, when)
	})
	if !byTime {
		return nil
	}
	if late.horizon != nil {
		return event.Errorf(event.CodeBadRequest, "LATE RECOMPUTE is for windows of FROM, not for those of OVER").At(late.pos)
	}
	late.used++
	return q.leaveOutLate(punctuality{own: argument{when, late.pos}, watermark: argument{s.ref(at), late.pos}, op: ">="})
}

// leaveOutLate adds to WHERE, in front of it, that rows are in time.
func (q *selection) leaveOutLate(p punctuality) error {
	late := q.binder.late
	punctual, err := p.condition(late)
	if err != nil || q.where == nil {
		q.where = punctual
		return err
	}
	q.where, err = applied("and", late.pos, argument{punctual, late.pos}, argument{q.where, late.pos})
	return err
}
