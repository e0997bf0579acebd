package bind

import (
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// fromSeries binds generate_series, or range, which ends before its second argument. The column is called as the alias is, or else as the
// function.
func (b *binder) fromSeries(t *ast.Series, w *withs) (*scope, error) {
	x := b.constants(strings.ToLower(t.Function.Text))
	x.withs, x.outer, x.queries = w, b.outer, true
	list, err := x.seriesArguments(t)
	if err != nil {
		return nil, err
	}
	args, err := x.arguments(list)
	if err != nil {
		return nil, err
	}
	name := t.Alias
	if name == nil {
		name = &ast.Name{Text: strings.ToLower(t.Function.Text), Pos: t.Function.Pos}
	}
	node, err := seriesBetween(args, t.Function.Pos, name.Text)
	if err != nil {
		return nil, err
	}
	sc := scopeOf(node, name)
	err = sc.rename(t.Columns)
	return sc, err
}

// seriesArguments are the arguments as generate_series takes them.
func (x *scalars) seriesArguments(t *ast.Series) ([]ast.Expr, error) {
	if strings.EqualFold(t.Function.Text, "range") {
		if args := x.rangeArguments(t.Args, t.Function.Pos); args != nil {
			return args, nil
		}
		return nil, event.Errorf(event.CodeTypeMismatch, "range takes one to three arguments, not %d", len(t.Args)).At(t.Function.Pos).
			WithHint("as in range(10), range(1, 10) or range(1, 10, 2)")
	}
	if len(t.Args) != 2 && len(t.Args) != 3 {
		return nil, event.Errorf(event.CodeTypeMismatch, "generate_series takes two or three arguments, not %d", len(t.Args)).
			At(t.Function.Pos).WithHint("as in generate_series(1, 10) or generate_series(:from, :to, INTERVAL '1 hour')")
	}
	return t.Args, nil
}

// rangeArguments are those of the generate_series that range(end), range(from, end) or range(from, end, step) is: its last value lies a
// whole number, or a microsecond, before the end. Nil for another number of arguments.
func (x *scalars) rangeArguments(args []ast.Expr, pos event.Position) []ast.Expr {
	number := func(text string) ast.Expr { return &ast.Number{Pos: pos, Text: text} }
	from, step := number("0"), number("1")
	if len(args) == 0 || len(args) > 3 {
		return nil
	}
	end := args[min(len(args), 2)-1]
	if len(args) > 1 {
		from = args[0]
	}
	if len(args) > 2 {
		step = args[2]
	}
	none, least := number("0"), number("1")
	if a, err := x.argument(step); err == nil && a.typ().Kind == event.Interval {
		span := func(text string) ast.Expr {
			return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: ast.String{Pos: pos, Value: text}}
		}
		none, least = span("0 seconds"), span("1 microsecond")
	}
	forward := &ast.Binary{Pos: pos, Op: ">", Left: step, Right: none}
	last := &ast.Case{Pos: pos, Whens: []ast.When{{Condition: forward, Then: &ast.Binary{Pos: pos, Op: "-", Left: end, Right: least}}},
		Else: &ast.Binary{Pos: pos, Op: "+", Left: end, Right: least}}
	return []ast.Expr{from, last, step}
}

// seriesBetween is the series from the first argument to the second. Values of NUMERIC are counted in their last decimal place.
func seriesBetween(args []argument, pos event.Position, name string) (plan.Node, error) {
	if len(args) == 2 {
		if isTime(args[0]) || isTime(args[1]) {
			return nil, event.Errorf(event.CodeTypeMismatch, "generate_series over times needs a step").At(pos).
				WithHint("as in generate_series(:from, :to, INTERVAL '1 hour')")
		}
		args = append(args, argument{bigintLiteral(1), pos})
	}
	types := []event.Type{bigint, bigint, bigint}
	switch {
	case slices.ContainsFunc(args, isTime):
		types = []event.Type{timestamptz, timestamptz, interval}
	case slices.ContainsFunc(args, isNumeric):
		return numericSeries(args, pos, name)
	}
	exprs := make([]plan.Expr, len(args))
	for i, a := range args {
		var err error
		if exprs[i], err = coerce(a, types[i]); err != nil {
			return nil, err
		}
	}
	return seriesOf(exprs, name), nil
}

func isTime(a argument) bool {
	return a.typ().Kind == event.TimestampTZ || a.typ().Kind == event.Interval
}

func isNumeric(a argument) bool { return a.typ().Kind == event.Numeric }

// maxSeriesPlaces leaves a digit before the point to numbers that are counted in 64 bits.
const maxSeriesPlaces = 17

// numericSeries counts in units of the last decimal place that an argument has, which are whole numbers of 64 bits.
func numericSeries(args []argument, pos event.Position, name string) (plan.Node, error) {
	common := plan.AsNumeric(bigint)
	for _, a := range args {
		if isNumeric(a) {
			common = plan.CommonNumeric(common, a.typ())
		}
	}
	if common.Scale > maxSeriesPlaces {
		return nil, event.Errorf(event.CodeNotSupported, "a series of numbers with %d decimal places", common.Scale).At(pos).
			WithHint("there may be %d; generate_series(0, 10) with arithmetic in the select list has no such bound", maxSeriesPlaces)
	}
	perUnit := int64(math.Pow10(int(common.Scale)))
	exprs := make([]plan.Expr, len(args))
	for i, a := range args {
		value, err := coerce(a, common)
		if err != nil {
			return nil, err
		}
		counted, err := applied("*", pos, argument{value, a.pos}, argument{bigintLiteral(perUnit), pos})
		if err != nil {
			return nil, err
		}
		exprs[i] = &plan.Cast{Input: counted, To: bigint}
	}
	counts := seriesOf(exprs, name)
	unit := numericLiteral(decimal128.FromI64(1), event.Type{Kind: event.Numeric, Precision: common.Scale + 1, Scale: common.Scale})
	value, err := applied("*", pos, argument{columnOf(counts.Columns(), 0), pos}, argument{unit, pos})
	return &plan.Project{Input: counts, Exprs: []plan.Expr{value}, Names: []string{name}}, err
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
