package bind

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// comingFunctions are those of the dialect that this version does not have.
var comingFunctions = []string{"exists"}

func (x *scalars) call(e *ast.Call) (plan.Expr, error) {
	name := e.Name.Text
	if !e.Name.Quoted {
		name = strings.ToLower(name)
	}
	if e.Over != nil {
		return x.window(name, e)
	}
	if name == "first_value" || name == "last_value" { // without OVER they are the aggregates of other engines
		name = strings.TrimSuffix(name, "_value")
	}
	if e.IgnoreNulls {
		var err error
		if e, err = withoutNulls(name, e); err != nil {
			return nil, err
		}
	}
	if out, ok, err := x.form(name, e); ok {
		return out, err
	}
	name, ok := plainName(name)
	if _, gives := spreadNames[name]; gives && !ok {
		return x.spread(name, e)
	}
	if name == "array" && !strings.EqualFold(e.Name.Text, name) { // by its other name, list_value
		return x.array(&ast.Array{Pos: e.Name.Pos, Items: e.Args})
	}
	if !ok && len(plan.FormsOf(name)) > 0 && name != "array" {
		return x.apply(name, e.Name.Pos, e.Args...)
	}
	if !ok {
		if out, ok, err := x.windowPart(name, e); ok {
			return out, err
		}
		return nil, unknownFunction(name, e.Name.Pos)
	}
	if plan.Functions[name][0].Window {
		return nil, event.Errorf(event.CodeSyntax, "%s is a window function and needs OVER", name).At(e.Name.Pos).
			WithHint("%s", overHint(name))
	}
	if plan.Functions[name][0].Aggregate {
		return x.aggregate(name, e)
	}
	switch {
	case e.Filter != nil:
		return nil, event.Errorf(event.CodeSyntax, "%s is no aggregate and takes no FILTER", name).At(e.Name.Pos)
	case e.Star, e.Distinct, len(e.OrderBy) > 0:
		return nil, event.Errorf(event.CodeSyntax, "%s is no aggregate and takes neither * nor DISTINCT nor ORDER BY", name).At(e.Name.Pos)
	}
	if plan.Functions[name][0].Volatile {
		x.binder.volatiles++
	}
	return x.apply(name, e.Name.Pos, e.Args...)
}

// withoutNulls is an aggregate with IGNORE NULLS as one with FILTER.
func withoutNulls(name string, e *ast.Call) (*ast.Call, error) {
	plain, ok := plainName(name)
	if !ok || !plan.Functions[plain][0].Aggregate || len(e.Args) == 0 {
		return nil, event.Errorf(event.CodeSyntax, "%s takes no IGNORE NULLS", name).At(e.Name.Pos).
			WithHint("aggregates of a value do, and with OVER lag, lead, first_value, last_value and nth_value")
	}
	out := *e
	out.IgnoreNulls = false
	out.Filter = &ast.Is{Pos: e.Name.Pos, Input: e.Args[0], Test: "NULL", Not: true}
	if e.Filter != nil {
		out.Filter = &ast.Binary{Pos: e.Name.Pos, Op: "AND", Left: e.Filter, Right: out.Filter}
	}
	return &out, nil
}

// unsteadyHint stands for what another system calls the time that its answers are of.
const unsteadyHint = "a query that ends has now(); a view is bounded by event time: a window, OVER with a frame that ends, or WITH (ttl = '1 hour'), " +
	"and by now() where it is read"

// hopInstead stands for windows that overlap as functions of GROUP BY.
const hopInstead = "windows that overlap stand in FROM: HOP(TABLE orders, DESCRIPTOR(ts), slide => INTERVAL '1 minute', size => INTERVAL '10 minutes')"

// overHint says how a window function is written.
func overHint(name string) string {
	return "write " + name + "(...) OVER (PARTITION BY ... ORDER BY ...)"
}

// elsewhere says for functions of other systems what to write here.
var elsewhere = map[string]string{
	"proctime": "answers go by the times of events: take the event time, or _ingested_at, when the event arrived; " +
		"a stream without WATERMARK has that as its event time",
	"current_watermark":    "each event has the watermark that it came behind as _watermark; EXPLAIN WATERMARK says where a view stands",
	"mz_logical_timestamp": unsteadyHint,
	"mz_now":               unsteadyHint,
	"slide":                hopInstead, "date_bin_hop": hopInstead,
	"countwindow":         "number the rows, row_number() OVER (ORDER BY ts) AS n, and GROUP BY (n - 1) / 3 around that",
	"dropduplicates":      "SELECT DISTINCT ON (key) ... ORDER BY key, ts keeps the first of each key, LATEST ON ts PARTITION BY key the last",
	"time_bucket_gapfill": "it stands by itself in the list and in GROUP BY; elsewhere take time_bucket(...), with FILL (NULL) behind GROUP BY",
	"rowtime":             "name the column with the event time",
}

func unknownFunction(name string, pos event.Position) error {
	if slices.Contains(comingFunctions, name) {
		return event.Errorf(event.CodeNotSupported, "%s: not supported yet", name).At(pos)
	}
	if hint := elsewhere[name]; hint != "" {
		return event.Errorf(event.CodeNotSupported, "%s()", strings.ToUpper(name)).At(pos).WithHint("%s", hint)
	}
	known := slices.AppendSeq(slices.Clone(formNames), maps.Keys(Aliases))
	for _, k := range slices.Sorted(maps.Keys(plan.Functions)) {
		if !plan.Functions[k][0].Symbol {
			known = append(known, k)
		}
	}
	slices.Sort(known)
	if ours := foreignFunctions[name]; ours != "" {
		return event.Errorf(event.CodeUnknownFunction, "there is no function %q", name).At(pos).WithHint("write %s", ours)
	}
	return suggest(event.Errorf(event.CodeUnknownFunction, "there is no function %q", name).At(pos), name, known)
}
