package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// fromSeries binds generate_series. Its column is called as the alias is, or else as the function.
func (b *binder) fromSeries(t *ast.Series) (*scope, error) {
	if len(t.Args) != 2 && len(t.Args) != 3 {
		return nil, event.Errorf(event.CodeTypeMismatch, "generate_series takes two or three arguments, not %d", len(t.Args)).
			At(t.Function.Pos).WithHint("as in generate_series(1, 10) or generate_series(:from, :to, INTERVAL '1 hour')")
	}
	args, err := b.constants("generate_series").arguments(t.Args)
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
	sc := scopeOf(&plan.Series{From: exprs[0], To: exprs[1], Step: exprs[2], Name: name.Text}, name)
	err = sc.rename(t.Columns)
	return sc, err
}
