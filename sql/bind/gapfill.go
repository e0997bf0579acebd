package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// gapBuckets are the functions of other systems that make buckets and ask for those without rows, by the functions that make them here.
var gapBuckets = map[string]string{"time_bucket_gapfill": "time_bucket", "date_bin_gapfill": "time_bucket"}

// gapfill reads the way to fill gaps in which the bucket's function says so: GROUP BY time_bucket_gapfill(...) is GROUP BY time_bucket(...)
// FILL (NULL). Other queries stay as they are.
func gapfill(s *ast.Select) *ast.Select {
	out, found := *s, false
	var from, to ast.Expr
	plain := func(e ast.Expr) ast.Expr {
		call, ok := e.(*ast.Call)
		if !ok || call.Over != nil || call.Name.Quoted || gapBuckets[strings.ToLower(call.Name.Text)] == "" {
			return e
		}
		name := strings.ToLower(call.Name.Text)
		found = true
		bucket := *call
		bucket.Name.Text, bucket.Args = gapBuckets[name], slices.Clone(call.Args)
		if ranged := rangeArguments(name, call); ranged > 0 {
			bucket.Args = bucket.Args[:ranged]
			if from = call.Args[ranged]; len(call.Args) > ranged+1 {
				to = call.Args[ranged+1]
			}
		}
		if name == "date_bin_gapfill" && len(call.Args) == 2 { // counted from 1970 there
			bucket.Args = append(bucket.Args, &ast.TypedLiteral{
				Type: ast.TypeName{Text: "TIMESTAMPTZ", Pos: call.Name.Pos}, Value: ast.String{Pos: call.Name.Pos, Value: "1970-01-01 00:00:00Z"},
			})
		}
		return &bucket
	}
	out.Items, out.GroupBy = slices.Clone(s.Items), slices.Clone(s.GroupBy)
	for i, item := range out.Items {
		out.Items[i].Expr = plain(item.Expr)
	}
	for i, e := range out.GroupBy {
		out.GroupBy[i] = plain(e)
	}
	if !found {
		return s
	}
	fill := ast.Fill{Pos: s.Items[0].Expr.Position(), Values: []ast.FillValue{{Mode: "NULL"}}}
	if s.Fill != nil {
		fill = *s.Fill
	}
	fill.From, fill.To = from, to
	out.Fill = &fill
	return &out
}

// rangeArguments is the place of the first of the arguments of time_bucket_gapfill that say which buckets there are: behind the width and the
// time, and a time zone, if there is one; 0 where there are none.
func rangeArguments(name string, call *ast.Call) int {
	if name != "time_bucket_gapfill" || len(call.Args) < 3 {
		return 0
	}
	at := 2
	if zone, ok := call.Args[2].(*ast.String); ok {
		if _, isTime := event.ParseTimestamp(zone.Value); !isTime {
			at = 3
		}
	}
	if len(call.Args) == at || len(call.Args) > at+2 {
		return 0
	}
	return at
}

// gapFiller binds locf(x) and interpolate(x), which say of the aggregates in x what they have in buckets without rows.
func (x *scalars) gapFiller(name string, e *ast.Call) (plan.Expr, error) {
	mode, err := gapMode(name, e)
	switch {
	case err != nil:
		return nil, err
	case x.aggregates == nil:
		return nil, event.Errorf(event.CodeBadRequest, "%s stands among the columns of a query that fills gaps", name).At(e.Name.Pos).
			WithHint("as in SELECT time_bucket(INTERVAL '1 minute', ts) AS t, %s(avg(x)) FROM s GROUP BY t FILL (NULL)", name)
	}
	before := x.aggregates.filling
	defer func() { x.aggregates.filling = before }()
	x.aggregates.filling = mode
	return x.bind(e.Args[0])
}

// gapMode reads what follows the value of locf and interpolate: what stands before the first value, which a coalesce says here, and of locf whether
// rows that are NULL are filled too.
func gapMode(name string, e *ast.Call) (plan.FillMode, error) {
	mode := map[string]plan.FillMode{"locf": plan.FillPrevious, "interpolate": plan.FillLinear}[name]
	if len(e.Args) == 0 || len(e.Args) > 3 {
		return mode, event.Errorf(event.CodeTypeMismatch, "%s takes one value", name).At(e.Name.Pos)
	}
	for i, arg := range e.Args[1:] {
		_, absent := arg.(*ast.Null)
		yes, isBool := arg.(*ast.Bool)
		switch {
		case absent:
		case i == 1 && name == "locf" && isBool:
			if yes.Value {
				mode = plan.FillPreviousOrNull
			}
		case name == "locf":
			return mode, event.Errorf(event.CodeNotSupported, "a value before the first in locf: not supported yet").At(arg.Position()).
				WithHint("write coalesce(locf(x), value)")
		default:
			return mode, event.Errorf(event.CodeNotSupported, "values before the first and behind the last in interpolate: not supported yet").
				At(arg.Position()).WithHint("leave them out, or read from an earlier time on, so that there are such rows")
		}
	}
	return mode, nil
}
