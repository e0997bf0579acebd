package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// bindLatest binds LATEST ON time PARTITION BY keys over the rows that WHERE keeps: the newest row of each key. Of rows with the
// same time the last stored is the newest.
func (q *selection) bindLatest() error {
	if q.ast.Latest == nil {
		return nil
	}
	q.plain.place = "LATEST ON"
	on, err := q.latestTime()
	if err != nil {
		return err
	}
	switch on.Type().Kind {
	case event.TimestampTZ, event.Date, event.BigInt:
	default:
		return event.Errorf(event.CodeTypeMismatch, "LATEST ON takes a time, not %s", on.Type()).At(q.ast.Latest.On.Position())
	}
	q.latest = &plan.FirstRows{Keys: withTies([]plan.SortKey{{Expr: on, Descending: true}}, q.scope.eventOrder(true))}
	for _, e := range q.ast.Latest.By {
		by, err := q.plain.value(e)
		if err != nil {
			return err
		}
		q.latest.By = append(q.latest.By, by)
	}
	return nil
}

// latestTime is the time that LATEST goes by: the event time where it names none.
func (q *selection) latestTime() (plan.Expr, error) {
	if q.ast.Latest.On != nil {
		return q.plain.value(q.ast.Latest.On)
	}
	if at := q.scope.timeline(); at != nil {
		return at, nil
	}
	return nil, event.Errorf(event.CodeBadRequest, "LATEST BY needs a stream in FROM").At(q.ast.Latest.Pos).
		WithHint("name the time: LATEST ON ts PARTITION BY key")
}

// bindDistinctOn binds DISTINCT ON (...): a name is a column of the result first and of the input second, as in ORDER BY.
func (q *selection) bindDistinctOn() error {
	for _, e := range q.ast.DistinctOn {
		key := sortKey{order: ast.Order{Expr: e}}
		if err := q.bindKey(&key, "DISTINCT ON"); err != nil {
			return err
		}
		q.distinctOn = append(q.distinctOn, key)
	}
	if len(q.distinctOn) == 0 || q.aggregated() {
		return nil
	}
	// Rows that are equal by ORDER BY are told apart by the order of events, so that the answer is one.
	for _, k := range q.scope.eventOrder(false) {
		q.ties = append(q.ties, sortKey{index: -1, expr: k.Expr})
	}
	return nil
}

// firstOf keeps the first row of each combination of DISTINCT ON by the order of ORDER BY.
func (q *selection) firstOf(node plan.Node) plan.Node {
	columns := node.Columns()
	out := &plan.FirstRows{Input: node, Keys: planKeys(columns, append(append([]sortKey(nil), q.keys...), q.ties...))}
	for _, k := range q.distinctOn {
		out.By = append(out.By, columnOf(columns, k.index))
	}
	return out
}
