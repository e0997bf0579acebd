package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// temporal takes FOR SYSTEM_TIME AS OF away from the right side of a join. Such a join is an ASOF JOIN: each row of the left side meets the
// newest version of its key that is not after the time given, by event time. at is nil for other joins.
func temporal(t *ast.Join) (join *ast.Join, at ast.Expr) {
	right, ok := t.Right.(*ast.StreamTable)
	if !ok || right.SystemTime == nil {
		return t, nil
	}
	plain, out := *right, *t
	plain.SystemTime = nil
	out.Right, out.Asof = &plain, true
	return &out, right.SystemTime
}

// asOfTime adds to the conditions of a join that the version is not after the time given.
func (j *joining) asOfTime(at ast.Expr) error {
	if call, ok := at.(*ast.Call); ok && strings.EqualFold(call.Name.Text, "proctime") {
		return event.Errorf(event.CodeNotSupported, "FOR SYSTEM_TIME AS OF PROCTIME()").At(at.Position()).
			WithHint("the answer would change with the time of day; name the event time of the left side: FOR SYSTEM_TIME AS OF o.ts")
	}
	x := &scalars{binder: j.binder, scope: j.left, place: "FOR SYSTEM_TIME AS OF"}
	time, err := x.argument(at)
	if err != nil {
		return err
	}
	if j.right.versions == 0 {
		return event.Errorf(event.CodeBadRequest, "FOR SYSTEM_TIME AS OF needs a table that keeps every version with its event time").At(at.Position()).
			WithHint("a stream does, and a view whose rows stay as they are, with the event time among its columns")
	}
	version := argument{j.both.ref(len(j.left.columns) + j.right.versions - 1), time.pos}
	newest, err := applied(">=", time.pos, time, version)
	if err != nil {
		return err
	}
	j.on = append(j.on, newest)
	return nil
}
