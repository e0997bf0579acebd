package bind

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// bindSample binds SAMPLE BY width, short for grouping by the bucket of event time, which the time column then stands for, and by all
// columns of the result without an aggregate.
func (q *selection) bindSample() error {
	if q.ast.Sample == nil {
		return nil
	}
	pos := q.ast.Sample.Pos
	at := q.scope.eventTime()
	switch {
	case q.ast.Sample.Width == nil:
		return event.Errorf(event.CodeSyntax, "ALIGN TO stands behind SAMPLE BY").At(pos)
	case at == nil:
		return event.Errorf(event.CodeBadRequest, "SAMPLE BY needs a stream in FROM").At(pos).
			WithHint("group by time_bucket(INTERVAL '1 minute', time) instead")
	}
	if err := q.bindSampleRange(at); err != nil {
		return err
	}
	bucket, err := q.sampleBucket(argument{at, pos})
	if err != nil {
		return err
	}
	q.sampled = at
	q.addGroup(bucket)
	for _, o := range q.outputs {
		if !hasAggregate(o.expr) && !refersTo(o.expr, at) {
			q.addGroup(o.expr)
		}
	}
	return nil
}

// sampleBucket is the bucket of a time: of the calendar in a time zone, or with an origin moved by an offset.
func (q *selection) sampleBucket(of argument) (plan.Expr, error) {
	sample := q.ast.Sample
	q.plain.place = "SAMPLE BY"
	width, err := q.sampleArgument(sample.Width, interval)
	if err != nil {
		return nil, err
	}
	switch {
	case sample.First:
		return q.firstBucket(of, width)
	case sample.Zone != nil && sample.Offset != nil:
		return nil, event.Errorf(event.CodeNotSupported, "ALIGN TO CALENDAR with a time zone and an offset: not supported yet").At(sample.Pos)
	case sample.Zone != nil:
		zone, err := q.sampleArgument(sample.Zone, text)
		if err != nil {
			return nil, err
		}
		return applied("time_bucket", of.pos, width, of, zone)
	case sample.Offset != nil:
		offset, err := q.sampleArgument(sample.Offset, interval)
		if err != nil {
			return nil, err
		}
		start := time2000.AddDate(0, 0, 2) // where buckets begin that are given no origin
		if literal, ok := width.expr.(*plan.Literal); ok && !isNull(literal) && literal.Value.(*array.MonthDayNanoInterval).Value(0).Months != 0 {
			start = time2000
		}
		origin := &plan.Literal{Value: event.NewTimestamps([]int64{start.UnixMicro()}, nil), Typ: timestamptz}
		moved, err := applied("+", offset.pos, argument{origin, offset.pos}, offset)
		if err != nil {
			return nil, err
		}
		return applied("time_bucket", of.pos, width, of, argument{moved, offset.pos})
	default:
		return applied("time_bucket", of.pos, width, of)
	}
}

// firstBucket is the bucket of a time where buckets begin at the first row that WHERE keeps.
func (q *selection) firstBucket(of, width argument) (plan.Expr, error) {
	sample, name := q.ast.Sample, of.expr.(*plan.ColumnRef).Name
	if sample.From != nil || sample.To != nil {
		return nil, event.Errorf(event.CodeBadRequest, "SAMPLE BY with FROM or TO is not aligned to the first row").At(sample.Pos).
			WithHint("leave ALIGN TO FIRST OBSERVATION out, or bound the time in WHERE")
	}
	if literal, ok := width.expr.(*plan.Literal); !ok || isNull(literal) || widthOf(literal).months != 0 {
		return nil, event.Errorf(event.CodeBadRequest, "ALIGN TO FIRST OBSERVATION takes a constant width without months").At(sample.Pos)
	}
	first := &ast.Call{Name: ast.Name{Text: "min", Pos: sample.Pos}, Args: []ast.Expr{&ast.Column{Parts: []ast.Name{{Text: name, Quoted: true, Pos: sample.Pos}}}}}
	query := &ast.Select{Pos: sample.Pos, Items: []ast.Item{{Expr: first}}, From: q.ast.From, Where: q.ast.Where}
	origin, err := q.plain.argument(&ast.Query{Pos: sample.Pos, Query: query})
	if err != nil {
		return nil, err
	}
	q.origin = origin.expr
	return applied("time_bucket", of.pos, width, of, origin)
}

var time2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (q *selection) sampleArgument(e ast.Expr, t event.Type) (argument, error) {
	a, err := q.plain.argument(e)
	if err != nil {
		return a, err
	}
	a.expr, err = coerce(a, t)
	return a, err
}

// bindSampleRange adds the range of SAMPLE BY ... FROM ... TO to the conditions on rows, from which FILL takes its first and last bucket.
func (q *selection) bindSampleRange(of *plan.ColumnRef) error {
	q.plain.place = "SAMPLE BY"
	for _, bound := range []struct {
		op string
		at ast.Expr
	}{{">=", q.ast.Sample.From}, {"<", q.ast.Sample.To}} {
		if bound.at == nil {
			continue
		}
		at, err := q.sampleArgument(bound.at, timestamptz)
		if err != nil {
			return err
		}
		condition, err := applied(bound.op, at.pos, argument{of, at.pos}, at)
		if err != nil {
			return err
		}
		if q.where != nil {
			if condition, err = applied("and", at.pos, argument{q.where, at.pos}, argument{condition, at.pos}); err != nil {
				return err
			}
		}
		q.where = condition
	}
	return nil
}

func refersTo(e plan.Expr, column *plan.ColumnRef) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) {
		ref, ok := e.(*plan.ColumnRef)
		found = found || (ok && ref.Index == column.Index)
	})
	return found
}

// fill puts the filling of gaps on top of a grouping.
func (q *selection) fill(agg *plan.Aggregate) (plan.Node, error) {
	clause := q.ast.Fill
	if clause == nil {
		if slices.ContainsFunc(q.rows.aggregates.fills, func(m plan.FillMode) bool { return m != plan.FillNull }) {
			return nil, event.Errorf(event.CodeBadRequest, "locf and interpolate fill gaps, and this query has none").At(q.ast.Items[0].Expr.Position()).
				WithHint("write FILL (NULL) behind GROUP BY, which adds the buckets without rows")
		}
		return agg, nil
	}
	if agg.Sets != nil {
		return nil, event.Errorf(event.CodeNotSupported, "FILL with grouping sets: not supported yet").At(clause.Pos)
	}
	at := slices.IndexFunc(q.groups, func(g plan.Expr) bool { return q.bucketOf(g) != nil })
	if at < 0 {
		return nil, event.Errorf(event.CodeBadRequest, "FILL needs buckets of time in GROUP BY").At(clause.Pos).
			WithHint("group by time_bucket(INTERVAL '1 minute', ts) or the window_start of TUMBLE, or write SAMPLE BY 1m")
	}
	bucket, end := q.bucketOf(q.groups[at]), q.windowEnd()
	out := &plan.Fill{Input: agg, Time: at}
	var err error
	if out.Next, err = bucket.next(clause.Pos); err != nil {
		return nil, err
	}
	if out.Low, out.High, err = bucket.bounds(q.where, clause.Pos); err != nil {
		return nil, err
	}
	if err := q.fillRange(out, bucket); err != nil {
		return nil, err
	}
	for i := range q.groups {
		if i != at && i != end {
			out.By = append(out.By, i)
		}
	}
	if err = q.fillValues(out, clause); err != nil || end < 0 {
		return out, err
	}
	return endOfFilled(out, end, bucket, clause.Pos)
}

// fillRange sets the first and the last bucket where the bucket's function says which they are.
func (q *selection) fillRange(n *plan.Fill, bucket *timeBucket) error {
	q.plain.place = "the range to fill"
	for _, bound := range []struct {
		of ast.Expr
		to *plan.Expr
	}{{q.ast.Fill.From, &n.Low}, {q.ast.Fill.To, &n.High}} {
		if _, none := bound.of.(*ast.Null); bound.of == nil || none {
			continue
		}
		at, err := q.sampleArgument(bound.of, timestamptz)
		if err != nil {
			return err
		}
		if !isConstant(at.expr) {
			return event.Errorf(event.CodeBadRequest, "the range to fill takes constants").At(at.pos)
		}
		if bound.to == &n.High { // the bound itself is outside
			instant := intervalLiteral(arrow.MonthDayNanoInterval{Nanoseconds: 1e3})
			if at.expr, err = applied("-", at.pos, at, argument{instant, at.pos}); err != nil {
				return err
			}
		}
		*bound.to = bucket.of(at.expr)
	}
	return nil
}

// fillValues sets what the columns of added rows have, and holds it against their types.
func (q *selection) fillValues(n *plan.Fill, clause *ast.Fill) error {
	columns := n.Columns()
	n.Modes, n.Values = make([]plan.FillMode, len(columns)), make([]*plan.Literal, len(columns))
	if len(clause.Values) == 1 {
		for i := len(q.groups); i < len(columns); i++ {
			if err := q.fillColumn(n, i, clause.Values[0], clause.Pos); err != nil {
				return err
			}
		}
		return nil
	}
	return q.fillList(n, clause)
}

// fillList sets a value for each column of the result that has an aggregate, in their order.
func (q *selection) fillList(n *plan.Fill, clause *ast.Fill) error {
	taken, given := map[int]int{}, 0
	for _, o := range q.outputs {
		calls := aggregatesIn(o.expr, len(q.groups))
		if len(calls) == 0 {
			continue
		}
		given++
		if given > len(clause.Values) {
			continue
		}
		for _, at := range calls {
			if before, ok := taken[at]; ok && clause.Values[before-1] != clause.Values[given-1] {
				return event.Errorf(event.CodeBadRequest, "FILL has two values for %s, which stands in two columns", n.Columns()[at].Name).At(clause.Pos)
			}
			taken[at] = given
			if err := q.fillColumn(n, at, clause.Values[given-1], clause.Pos); err != nil {
				return err
			}
		}
	}
	if given != len(clause.Values) {
		return event.Errorf(event.CodeBadRequest, "FILL has %d values, and the result %d columns with an aggregate", len(clause.Values), given).At(clause.Pos).
			WithHint("give one for all of them, or one for each in their order")
	}
	return nil
}

// aggregatesIn are the columns of aggregates, which follow those of the groups, in an expression over both.
func aggregatesIn(e plan.Expr, groups int) []int {
	var out []int
	plan.Walk(e, func(e plan.Expr) {
		if ref, ok := e.(*plan.ColumnRef); ok && ref.Index >= groups {
			out = append(out, ref.Index)
		}
	})
	return out
}

// fillColumn sets what one column of added rows has.
func (q *selection) fillColumn(n *plan.Fill, at int, v ast.FillValue, pos event.Position) error {
	column := n.Columns()[at]
	mode, known := map[string]plan.FillMode{"NULL": plan.FillNull, "PREV": plan.FillPrevious, "LINEAR": plan.FillLinear}[v.Mode]
	if asked := q.rows.aggregates.fills[at-len(q.groups)]; asked != plan.FillNull {
		mode, known = asked, true // by locf or interpolate
	}
	n.Modes[at] = mode
	switch {
	case known && mode != plan.FillLinear:
		return nil
	case known:
		if !plan.Linear(column.Type) {
			return event.Errorf(event.CodeTypeMismatch, "FILL (LINEAR) fills no %s, as %s is", column.Type, column.Name).At(pos).
				WithHint("convert it, as in avg(x::DOUBLE PRECISION)")
		}
		return nil
	}
	n.Modes[at] = plan.FillConstant
	value, err := q.binder.constants("FILL").argument(v.Value)
	if err != nil {
		return err
	}
	if value.expr, err = coerce(value, column.Type); err != nil {
		return err
	}
	literal, ok := value.expr.(*plan.Literal)
	if !ok {
		return event.Errorf(event.CodeBadRequest, "FILL takes NULL, PREV, LINEAR or a constant").At(value.pos)
	}
	n.Values[at] = literal
	return nil
}

// timeBucket is a call that gives the bucket of a time.
type timeBucket struct {
	call *plan.Call
	time plan.Expr
	// fromFirst tells that buckets begin at the first row.
	fromFirst bool
}

// bucketOf reads a call that gives the bucket of a time; nil for other expressions.
func (q *selection) bucketOf(e plan.Expr) *timeBucket {
	if ref, ok := e.(*plan.ColumnRef); ok && q.scope.tumble != nil && ref.Index == len(q.scope.columns)-len(boundNames) {
		e = q.scope.tumble
	}
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) < 2 || (call.Fn.Name != "time_bucket" && call.Fn.Name != "date_trunc") {
		return nil
	}
	out := &timeBucket{call: call, time: call.Args[1]}
	for i, arg := range call.Args {
		switch {
		case i == 1, isConstant(arg):
		case i == 2 && q.origin != nil && sameExpr(arg, q.origin):
			out.fromFirst = true
		default:
			return nil
		}
	}
	return out
}

// of is the bucket of another time.
func (b *timeBucket) of(time plan.Expr) plan.Expr {
	args := slices.Clone(b.call.Args)
	args[1] = time
	return &plan.Call{Fn: b.call.Fn, Args: args}
}

// next is the bucket after that in column 0: the bucket of a time one width later.
func (b *timeBucket) next(pos event.Position) (plan.Expr, error) {
	width, ok := b.call.Args[0].(*plan.Literal)
	if ok && b.call.Fn.Name == "date_trunc" && !isNull(width) {
		unit := width.Value.(*array.String).Value(0)
		parsed, err := event.ParseInterval(map[string]string{"quarter": "3 months", "decade": "10 years", "century": "100 years"}[unit])
		if err != nil {
			parsed, err = event.ParseInterval("1 " + unit)
		}
		width, ok = intervalLiteral(parsed), err == nil
	}
	if !ok || isNull(width) {
		return nil, event.Errorf(event.CodeBadRequest, "FILL needs buckets of a constant width").At(pos)
	}
	bucket := &plan.ColumnRef{Name: "bucket", Typ: b.call.Type()}
	later, err := applied("+", pos, argument{bucket, pos}, argument{width, pos})
	if err != nil || b.fromFirst {
		return later, err
	}
	return b.of(later), nil
}

// bounds are the first and the last bucket as far as the conditions of WHERE tell.
func (b *timeBucket) bounds(where plan.Expr, pos event.Position) (low, high plan.Expr, err error) {
	if where == nil || b.fromFirst { // the first row is in the first bucket
		return nil, nil, nil
	}
	var lows, highs []argument
	for _, c := range plan.Conjuncts(where) {
		op, bound := b.comparison(c)
		if bound == nil {
			continue
		}
		if op == "<" { // the bound itself is outside
			instant := intervalLiteral(arrow.MonthDayNanoInterval{Nanoseconds: 1e3})
			if bound, err = applied("-", pos, argument{bound, pos}, argument{instant, pos}); err != nil {
				return nil, nil, err
			}
		}
		if op == ">" || op == ">=" || op == "=" {
			lows = append(lows, argument{bound, pos})
		}
		if op == "<" || op == "<=" || op == "=" {
			highs = append(highs, argument{bound, pos})
		}
	}
	if low, err = b.ofExtreme("greatest", lows, pos); err != nil {
		return nil, nil, err
	}
	high, err = b.ofExtreme("least", highs, pos)
	return low, high, err
}

func (b *timeBucket) ofExtreme(name string, bounds []argument, pos event.Position) (plan.Expr, error) {
	switch len(bounds) {
	case 0:
		return nil, nil
	case 1:
		return b.of(bounds[0].expr), nil
	}
	extreme, err := applied(name, pos, bounds...)
	if err != nil {
		return nil, err
	}
	return b.of(extreme), nil
}

// comparison reads a condition that compares the time with a constant, as if the time stood on the left.
func (b *timeBucket) comparison(e plan.Expr) (op string, bound plan.Expr) {
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) != 2 {
		return "", nil
	}
	turned, ok := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[call.Fn.Name]
	switch {
	case !ok:
	case sameExpr(call.Args[0], b.time) && isConstant(call.Args[1]):
		return call.Fn.Name, call.Args[1]
	case sameExpr(call.Args[1], b.time) && isConstant(call.Args[0]):
		return turned, call.Args[0]
	}
	return "", nil
}

// isConstant reports whether an expression is the same for every row of a query.
func isConstant(e plan.Expr) bool {
	constant := true
	plan.Walk(e, func(e plan.Expr) {
		switch e.(type) {
		case *plan.Literal, *plan.Call, *plan.Cast, *plan.Case:
		default:
			constant = false
		}
	})
	return constant
}
