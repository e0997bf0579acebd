package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// fromSeries binds generate_series. Its column is called as the alias is, or else as the function.
func (b *binder) fromSeries(t *ast.Series, w *withs) (*scope, error) {
	if len(t.Args) != 2 && len(t.Args) != 3 {
		return nil, event.Errorf(event.CodeTypeMismatch, "generate_series takes two or three arguments, not %d", len(t.Args)).
			At(t.Function.Pos).WithHint("as in generate_series(1, 10) or generate_series(:from, :to, INTERVAL '1 hour')")
	}
	x := b.constants("generate_series")
	x.withs, x.outer, x.queries = w, b.outer, true
	args, err := x.arguments(t.Args)
	if err != nil {
		return nil, err
	}
	types := []event.Type{bigint, bigint, bigint}
	for _, a := range args {
		if k := a.typ().Kind; k == event.TimestampTZ || k == event.Interval {
			types = []event.Type{timestamptz, timestamptz, interval}
		}
	}
	if len(args) == 2 {
		if types[2].Kind == event.Interval {
			return nil, event.Errorf(event.CodeTypeMismatch, "generate_series over times needs a step").At(t.Function.Pos).
				WithHint("as in generate_series(:from, :to, INTERVAL '1 hour')")
		}
		args = append(args, argument{bigintLiteral(1), t.Function.Pos})
	}
	exprs := make([]plan.Expr, len(args))
	for i, a := range args {
		if exprs[i], err = coerce(a, types[i]); err != nil {
			return nil, err
		}
	}
	name := t.Alias
	if name == nil {
		name = &ast.Name{Text: "generate_series", Pos: t.Function.Pos}
	}
	sc := scopeOf(seriesOf(exprs, name.Text), name)
	err = sc.rename(t.Columns)
	return sc, err
}

// seriesOf is the series between values. Those that are queries are computed beside it.
func seriesOf(exprs []plan.Expr, name string) plan.Node {
	if !slices.ContainsFunc(exprs, hasQuery) {
		return &plan.Series{From: exprs[0], To: exprs[1], Step: exprs[2], Name: name}
	}
	return besideQueries(exprs, func(outer []plan.Expr) plan.Node {
		return &plan.Series{From: outer[0], To: outer[1], Step: outer[2], Name: name}
	})
}

// besideQueries makes a node of expressions that hold queries: they are computed first, as columns of one row, and the node takes its
// values from there.
func besideQueries(exprs []plan.Expr, node func(outer []plan.Expr) plan.Node) plan.Node {
	a := &attachment{node: oneRow()}
	args := each(exprs, a.rewrite)
	outer := []plan.Expr{}
	for i, e := range args {
		outer = append(outer, &plan.OuterRef{Index: i, Name: exprs[i].String(), Typ: e.Type()})
	}
	apply := &plan.Apply{Left: a.node, Right: node(outer), Kind: plan.InnerJoin, Args: args}
	columns := apply.Columns()
	p := &plan.Project{Input: apply}
	for i := plan.Width(a.node); i < len(columns); i++ {
		p.Exprs, p.Names = append(p.Exprs, columnOf(columns, i)), append(p.Names, columns[i].Name)
	}
	return p
}
