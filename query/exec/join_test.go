package exec_test

import (
	"fmt"
	"sort"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestJoins asks joins of every kind, by every sort of condition, in many ways, and compares them with pairs tried one by one.
func TestJoins(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := newRand(t, seed)
			tab := newTable(rng, []int{0, 1, 5, 20, 40, 60}[seed])
			for _, q := range joinQuestions(tab, rng.Int64N(60), rng.Int64N(60)) {
				want := canonical(reference{tab}.run(q.root), false)
				for range 2 {
					askOnce(t, rng, tab, q, want)
				}
			}
		})
	}
}

// joinQuestions join the rows of a table before one id with those from another on.
func joinQuestions(t *table, before, from int64) []question {
	s := scan(t)
	left, right := where(s, call("<", col(s, "id"), lit(int(before)))), where(s, call(">=", col(s, "id"), lit(int(from))))
	of := func(name string) plan.Expr { return col(s, name) }
	other := func(name string) plan.Expr {
		c := *col(s, name).(*plan.ColumnRef)
		c.Index += len(s.Columns())
		return &c
	}
	same := func(name string) plan.Expr { return call("=", of(name), other(name)) }
	conditions := map[string][]plan.Expr{
		"all":          nil,
		"text":         {same("region")},
		"bigint":       {call("=", other("user"), of("user"))},
		"double":       {same("amount")},
		"time":         {same("ts")},
		"time and id":  {same("ts"), same("id")},
		"several":      {same("region"), same("ok"), same("user")},
		"interval":     {same("took")},
		"less":         {call("<", of("id"), other("id"))},
		"more":         {same("region"), call("<", of("amount"), other("amount")), call("<>", of("id"), other("id"))},
		"one side":     {same("ok"), call(">", of("amount"), lit(0.0)), call("<", other("amount"), lit(0.0))},
		"left only":    {of("ok")},
		"never":        {call("<", of("id"), lit(-1))},
		"other values": {call("=", of("id"), call("+", other("id"), lit(1)))},
	}
	tests := map[string]plan.Expr{
		"exists": nil, "in text": same("region"), "in double": same("amount"), "above": call(">", of("amount"), other("amount")),
		"not above": call("not", call(">", of("user"), other("user"))),
	}
	var out []question
	add := func(name string, j *plan.Join) { out = append(out, question{name: name, root: j}) }
	for name, on := range conditions {
		for _, kind := range []plan.JoinKind{plan.InnerJoin, plan.LeftJoin, plan.RightJoin, plan.FullJoin} {
			add(kind.String()+" "+name, &plan.Join{Left: left, Right: right, Kind: kind, On: on})
		}
		for test, e := range tests {
			add("mark "+test+" "+name, &plan.Join{Left: left, Right: right, Kind: plan.MarkJoin, On: on, Test: e, Mark: "mark"})
		}
	}
	add("single", &plan.Join{Left: left, Right: right, Kind: plan.SingleJoin, On: []plan.Expr{same("id")}})
	return append(out, joinStacks(s, left, right, same("region"), same("id"))...)
}

// joinStacks are plans with joins inside.
func joinStacks(s *plan.Scan, left, right plan.Node, region, id plan.Expr) []question {
	width := len(s.Columns())
	inner := &plan.Join{Left: left, Right: right, Kind: plan.InnerJoin, On: []plan.Expr{region}}
	outer := &plan.Join{Left: left, Right: right, Kind: plan.LeftJoin, On: []plan.Expr{id}}
	third := &plan.ColumnRef{Index: 2 * width, Name: "id", Typ: bigint}
	three := &plan.Join{
		Left: inner, Right: right, Kind: plan.InnerJoin, On: []plan.Expr{call("=", col(s, "id"), third)},
	}
	joined := func(name string) plan.Expr {
		c := *col(s, name).(*plan.ColumnRef)
		c.Index += width
		return &c
	}
	mark := &plan.Join{Left: left, Right: right, Kind: plan.MarkJoin, Test: region, Mark: "mark"}
	semi := &plan.Join{Left: left, Right: right, Kind: plan.MarkJoin, On: []plan.Expr{id}, Mark: "mark"}
	marked := &plan.ColumnRef{Index: width, Name: "mark", Typ: boolean}
	user := &plan.ColumnRef{Index: 2*width + 3, Name: "user", Typ: bigint}
	byUser := &plan.Join{
		Left: inner, Right: right, Kind: plan.InnerJoin, On: []plan.Expr{call("=", user, joined("user"))},
	}
	notIn := call("not", &plan.ColumnRef{Index: width, Name: "mark", Typ: boolean})
	all := &plan.Union{Parts: []plan.Node{left, right, left}}
	return []question{
		{name: "count of pairs", root: aggregate(inner, nil, agg("count"), agg("sum", joined("id")))},
		{name: "where of a left join", root: where(outer, call(">", joined("amount"), lit(1.0)), call("<", col(s, "id"), lit(50)))},
		{name: "where nothing pairs", root: where(outer, call("is_null", joined("id")))},
		{name: "three", root: project(three, col(s, "id"), third, joined("region"))},
		{name: "not in", root: project(where(mark, notIn), col(s, "id"))},
		{name: "in", root: project(where(semi, marked), col(s, "user"))},
		{name: "in, and more", root: project(where(semi, call(">", col(s, "amount"), lit(0.0)), marked), col(s, "user"))},
		{name: "three by user", root: project(where(byUser, call("<>", joined("id"), lit(3))), col(s, "id"), third, joined("region"))},
		{name: "union", root: where(project(all, col(s, "id"), col(s, "region")), call(">", &plan.ColumnRef{Index: 0, Typ: bigint}, lit(3)))},
		{name: "repeat", root: &plan.Repeat{Input: project(left, col(s, "region"), call("-", col(s, "id"), lit(2))), Times: &plan.ColumnRef{
			Index: 1, Name: "times", Typ: bigint,
		}}},
	}
}

// TestApplyAnswersAsItsJoin asks queries that depend on the outer row as they are and, by way of the optimizer, as joins.
func TestApplyAnswersAsItsJoin(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := newRand(t, seed)
			tab := newTable(rng, 10+15*int(seed))
			for _, q := range applyQuestions(tab) {
				src := &source{tables: map[string]*table{"t": tab}, rng: rng}
				want, _, err := answer(exec.New(src, nil, exec.Options{BatchRows: 9}), q.root)
				require.NoError(t, err, q.name)
				sort.Strings(want)
				for range 4 {
					askOnce(t, rng, tab, q, want)
				}
			}
		})
	}
}

func applyQuestions(t *table) []question {
	s := scan(t)
	arg := func(name string) plan.Expr {
		i := map[string]int{"region": 0, "user": 1, "amount": 2}[name]
		return &plan.OuterRef{Index: i, Name: name, Typ: col(s, name).Type()}
	}
	args := []plan.Expr{col(s, "region"), col(s, "user"), col(s, "amount")}
	left := where(s, call("<", col(s, "id"), lit(40)))
	inner := where(s, call("=", col(s, "region"), arg("region")), call("<", col(s, "amount"), arg("amount")), col(s, "ok"))
	byRegion := where(s, call("=", arg("region"), col(s, "region")), call(">", col(s, "id"), lit(5)))
	sums := aggregate(byRegion, nil, agg("count"), agg("sum", col(s, "id")), agg("max", col(s, "amount")))
	value := project(sums, call("+", col(sums, "count(*)"), call("coalesce", &plan.Cast{Input: col(sums, "sum(id)"), To: bigint}, lit(-7))))
	width := len(s.Columns())
	first := &plan.ColumnRef{Index: width, Name: "user", Typ: bigint}
	apply := func(kind plan.JoinKind, right plan.Node, test plan.Expr) *plan.Apply {
		return &plan.Apply{Left: left, Right: right, Kind: kind, Args: args, Test: test, Mark: "mark"}
	}
	beside := project(s, call("coalesce", arg("amount"), col(s, "amount")), arg("user")) // computed by workers who share the outer values
	most := aggregate(beside, nil, agg("max", &plan.ColumnRef{Index: 0, Typ: double}), agg("count", &plan.ColumnRef{Index: 1, Typ: bigint}))
	wider := func(name string) plan.Expr { return moved(col(s, name), width) }
	pairs := &plan.Join{Left: byRegion, Right: s, Kind: plan.InnerJoin, On: []plan.Expr{call("=", col(s, "user"), wider("user")),
		call(">", wider("amount"), arg("amount"))}}
	marked := &plan.Join{Left: inner, Right: byRegion, Kind: plan.MarkJoin, On: []plan.Expr{call("=", col(s, "user"), wider("user")),
		call("<>", wider("user"), arg("user"))}, Mark: "met"}
	unmet := project(where(marked, call("not", &plan.ColumnRef{Index: width, Name: "met", Typ: boolean})), col(s, "id"))
	byUser := aggregate(inner, []plan.Expr{col(s, "user")}, agg("count"), agg("max", call("+", col(s, "amount"), arg("amount"))))
	padded := &plan.Join{Left: s, Right: inner, Kind: plan.LeftJoin, On: []plan.Expr{call("=", col(s, "id"), wider("id")),
		call(">", col(s, "amount"), arg("amount"))}}
	top := &plan.Limit{Input: sorted(inner, desc(col(s, "amount")), asc(col(s, "id"))), Count: 1}
	return []question{
		{name: "exists", root: apply(plan.MarkJoin, inner, nil)},
		{name: "in", root: apply(plan.MarkJoin, project(inner, col(s, "user")), call("=", col(s, "user"), first))},
		{name: "in by key", root: apply(plan.MarkJoin, project(byRegion, col(s, "user")), call("=", col(s, "user"), first))},
		{name: "above all", root: apply(plan.MarkJoin, project(inner, col(s, "user")), call("<=", col(s, "user"), first))},
		{name: "aggregate", root: apply(plan.SingleJoin, value, nil)},
		{name: "aggregate by less", root: apply(plan.SingleJoin, project(aggregate(inner, nil, agg("count")), lit(1)), nil)},
		{name: "value", root: apply(plan.SingleJoin, project(where(s, call("=", col(s, "user"), arg("user")),
			call("=", col(s, "amount"), arg("amount")), call("=", col(s, "region"), arg("region"))), lit("found")), nil)},
		{name: "top", root: apply(plan.SingleJoin, project(top, col(s, "id")), nil)},
		{name: "independent", root: apply(plan.MarkJoin, project(s, col(s, "user")), call("=", col(s, "user"), first))},
		{name: "exists pair", root: apply(plan.MarkJoin, pairs, nil)},
		{name: "exists without another", root: apply(plan.MarkJoin, unmet, nil)},
		{name: "in without another", root: apply(plan.MarkJoin, unmet, call("<", col(s, "id"), &plan.ColumnRef{Index: width, Typ: bigint}))},
		{name: "groups", root: apply(plan.LeftJoin, byUser, nil)},
		{name: "groups, some", root: apply(plan.InnerJoin, where(byUser, call(">", col(byUser, "count(*)"), arg("user"))), nil)},
		{name: "aggregate of groups", root: apply(plan.SingleJoin, aggregate(byUser, nil, agg("max", col(byUser, "count(*)"))), nil)},
		{name: "aggregate of a left join", root: apply(plan.SingleJoin, aggregate(padded, nil, agg("count", wider("user")), agg("count")), nil)},
		{name: "lateral", root: apply(plan.LeftJoin, project(inner, col(s, "id")), nil)},
		{name: "values of the outer row beside its own", root: apply(plan.SingleJoin, most, nil)},
	}
}

func TestSingleJoinFailsOnSeveralRows(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 3)
	tab := newTable(rng, 30)
	s := scan(tab)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	_, _, err := answer(exec.New(src, nil, exec.Options{}), &plan.Join{Left: s, Right: s, Kind: plan.SingleJoin})
	requireCode(t, err, event.CodeBadRequest)
}

func TestJoinAsksTheBudget(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 4)
	tab := newTable(rng, 2000)
	s := scan(tab)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	join := &plan.Join{Left: s, Right: s, Kind: plan.InnerJoin, On: []plan.Expr{call("=", col(s, "id"),
		&plan.ColumnRef{Index: len(s.Columns()), Name: "id", Typ: bigint})}}
	_, _, err := answer(exec.New(src, nil, exec.Options{MemoryBytes: 1000}), join)
	requireCode(t, err, event.CodeMemoryLimit)
}

// pairUp answers a join by trying every pair.
func (r reference) pairUp(n *plan.Join) []row {
	lefts, rights := r.run(n.Left), r.run(n.Right)
	nothing := func(columns []plan.Column) row {
		var out row
		for _, c := range columns {
			out = append(out, event.NewNulls(c.Type, 1))
		}
		return out
	}
	var out []row
	paired := make([]bool, len(rights))
	for _, l := range lefts {
		found, verdict := false, "false"
		for i, right := range rights {
			pair := append(append(row{}, l...), right...)
			if !holds(n.On, pair) {
				continue
			}
			found, paired[i] = true, true
			if n.Kind == plan.MarkJoin {
				verdict = worse(verdict, n.Test, pair)
				continue
			}
			out = append(out, pair)
		}
		switch {
		case n.Kind == plan.MarkJoin:
			out = append(out, append(append(row{}, l...), verdictOf(verdict)))
		case !found && (n.Kind == plan.LeftJoin || n.Kind == plan.FullJoin || n.Kind == plan.SingleJoin):
			out = append(out, append(append(row{}, l...), nothing(n.Right.Columns())...))
		}
	}
	for i, right := range rights {
		if !paired[i] && (n.Kind == plan.RightJoin || n.Kind == plan.FullJoin) {
			out = append(out, append(nothing(n.Left.Columns()), right...))
		}
	}
	return out
}

func holds(conditions []plan.Expr, in row) bool {
	for _, c := range conditions {
		if !isTrue(c, in) {
			return false
		}
	}
	return true
}

// worse is the verdict on a row after one more pair.
func worse(verdict string, test plan.Expr, pair row) string {
	if verdict == "true" || test == nil {
		return "true"
	}
	v := eval(test, pair)
	switch {
	case v.DataType().ID() == arrow.NULL || v.IsNull(0):
		return "null"
	case v.(*array.Boolean).Value(0):
		return "true"
	default:
		return verdict
	}
}

func verdictOf(verdict string) arrow.Array {
	if verdict == "null" {
		return event.NewNulls(boolean, 1)
	}
	bits := event.NewBitmap(1)
	if verdict == "true" {
		bits.Set(0)
	}
	return event.NewBooleans(bits, 1, nil)
}
