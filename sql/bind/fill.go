package bind

import (
	"slices"

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
	pos := q.ast.Sample.Position()
	time := q.scope.eventTime()
	if time == nil {
		return event.Errorf(event.CodeBadRequest, "SAMPLE BY needs a stream in FROM").At(pos).
			WithHint("group by time_bucket(INTERVAL '1 minute', time) instead")
	}
	q.plain.place = "SAMPLE BY"
	width, err := q.plain.argument(q.ast.Sample)
	if err != nil {
		return err
	}
	if width.expr, err = coerce(width, interval); err != nil {
		return err
	}
	bucket, err := applied("time_bucket", pos, width, argument{time, pos})
	if err != nil {
		return err
	}
	q.sampled = time
	q.addGroup(bucket)
	for _, o := range q.outputs {
		if !hasAggregate(o.expr) && !refersTo(o.expr, time) {
			q.addGroup(o.expr)
		}
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
		return agg, nil
	}
	if agg.Sets != nil {
		return nil, event.Errorf(event.CodeNotSupported, "FILL with grouping sets: not supported yet").At(clause.Pos)
	}
	at := slices.IndexFunc(q.groups, func(g plan.Expr) bool { return bucketOf(g) != nil })
	if at < 0 {
		return nil, event.Errorf(event.CodeBadRequest, "FILL needs buckets of time in GROUP BY").At(clause.Pos).
			WithHint("group by time_bucket(INTERVAL '1 minute', ts), or write SAMPLE BY 1m")
	}
	bucket := bucketOf(q.groups[at])
	out := &plan.Fill{Input: agg, Time: at}
	var err error
	if out.Next, err = bucket.next(clause.Pos); err != nil {
		return nil, err
	}
	if out.Low, out.High, err = bucket.bounds(q.where, clause.Pos); err != nil {
		return nil, err
	}
	for i := range q.groups {
		if i != at {
			out.By = append(out.By, i)
		}
	}
	err = q.fillValues(out, clause)
	return out, err
}

// fillValues sets what the columns of added rows have, and holds it against their types.
func (q *selection) fillValues(n *plan.Fill, clause *ast.Fill) error {
	switch clause.Mode {
	case "NULL":
		return nil
	case "PREV":
		n.Mode = plan.FillPrevious
		return nil
	case "LINEAR":
		n.Mode = plan.FillLinear
	default:
		n.Mode = plan.FillConstant
	}
	columns := n.Columns()
	n.Values = make([]*plan.Literal, len(columns))
	for i := len(q.groups); i < len(columns); i++ {
		if n.Mode == plan.FillLinear {
			if !plan.Linear(columns[i].Type) {
				return event.Errorf(event.CodeTypeMismatch, "FILL (LINEAR) needs numbers, and %s is %s", columns[i].Name, columns[i].Type).
					At(clause.Pos).WithHint("convert it, as in avg(x::DOUBLE PRECISION)")
			}
			continue
		}
		value, err := q.binder.constants("FILL").argument(clause.Value)
		if err != nil {
			return err
		}
		if value.expr, err = coerce(value, columns[i].Type); err != nil {
			return err
		}
		literal, ok := value.expr.(*plan.Literal)
		if !ok {
			return event.Errorf(event.CodeBadRequest, "FILL takes NULL, PREV, LINEAR or a constant").At(value.pos)
		}
		n.Values[i] = literal
	}
	return nil
}

// timeBucket is a call that gives the bucket of a time.
type timeBucket struct {
	call *plan.Call
	time plan.Expr
}

func bucketOf(e plan.Expr) *timeBucket {
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) < 2 || (call.Fn.Name != "time_bucket" && call.Fn.Name != "date_trunc") {
		return nil
	}
	for i, arg := range call.Args {
		if i != 1 && !isConstant(arg) {
			return nil
		}
	}
	return &timeBucket{call: call, time: call.Args[1]}
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
	if err != nil {
		return nil, err
	}
	return b.of(later), nil
}

// bounds are the first and the last bucket as far as the conditions of WHERE tell.
func (b *timeBucket) bounds(where plan.Expr, pos event.Position) (low, high plan.Expr, err error) {
	if where == nil {
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
