package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// spreads are the calls in the select list that give several rows for one: each is an array whose elements are given one after another,
// side by side with those of the others.
type spreads struct {
	arrays []plan.Expr
	names  []string
}

// firstSpread is the index of the reference that stands for the elements of the first such array until the select is planned; the
// others follow below it.
const firstSpread = -1 << 29

func isSpread(ref *plan.ColumnRef) bool { return ref.Index <= firstSpread && !isWindow(ref) }

// spreadNames are the functions that give several rows, with the function that gives the same as an array.
var spreadNames = map[string]string{
	"unnest": "", "generate_subscripts": "", "generate_series": "array_series",
	"regexp_split_to_table": "regexp_split_to_array", "string_to_table": "string_to_array",
	"jsonb_array_elements": "jsonb_elements", "json_array_elements": "jsonb_elements",
	"jsonb_array_elements_text": "jsonb_elements_text", "json_array_elements_text": "jsonb_elements_text",
	"jsonb_object_keys": "jsonb_keys", "json_object_keys": "jsonb_keys",
	"jsonb_each": "jsonb_values", "json_each": "jsonb_values", "jsonb_each_text": "jsonb_values_text", "json_each_text": "jsonb_values_text",
}

// spread binds such a call in the select list and stands for its elements.
func (x *scalars) spread(name string, e *ast.Call) (plan.Expr, error) {
	pos := e.Name.Pos
	if x.spreads == nil {
		return nil, event.Errorf(event.CodeBadRequest, "%s gives several rows and cannot stand in %s", name, x.where()).At(pos).
			WithHint("call it in FROM")
	}
	inner := *x
	inner.spreads = nil
	arrays, _, err := inner.spreadArrays(name, e.Args, pos)
	if err != nil {
		return nil, err
	}
	if len(arrays) != 1 {
		return nil, event.Errorf(event.CodeNotSupported, "%s gives several columns and stands in FROM only", name).At(pos)
	}
	x.spreads.arrays, x.spreads.names = append(x.spreads.arrays, arrays[0]), append(x.spreads.names, name)
	return &plan.ColumnRef{Index: firstSpread - len(x.spreads.arrays) + 1, Name: name, Typ: *arrays[0].Type().Elem}, nil
}

// where names the place of an expression in errors.
func (x *scalars) where() string {
	if x.place != "" {
		return x.place
	}
	return "another call"
}

// spreadArrays binds the arrays that a call gives the elements of, and names the columns.
func (x *scalars) spreadArrays(name string, list []ast.Expr, pos event.Position) (arrays []plan.Expr, names []string, err error) {
	args, err := x.arguments(list)
	if err != nil {
		return nil, nil, err
	}
	switch name {
	case "unnest":
		return unnested(args, pos)
	case "generate_subscripts":
		return x.subscripts(list, pos)
	}
	values, err := applied(spreadNames[name], pos, args...)
	if err != nil {
		return nil, nil, err
	}
	if !strings.Contains(name, "_each") {
		return []plan.Expr{values}, []string{name}, nil
	}
	keys, err := applied("jsonb_keys", pos, args...)
	return []plan.Expr{keys, values}, []string{"key", "value"}, err
}

func unnested(args []argument, pos event.Position) (arrays []plan.Expr, names []string, err error) {
	if len(args) == 0 {
		return nil, nil, event.Errorf(event.CodeTypeMismatch, "unnest takes an array").At(pos)
	}
	for _, a := range args {
		if a.typ().Kind == event.Unknown {
			if a.expr, err = cast(a, event.ArrayOf(text)); err != nil {
				return nil, nil, err
			}
		}
		if a.typ().Kind != event.Array {
			return nil, nil, event.Errorf(event.CodeTypeMismatch, "unnest takes an array, not %s", a.typ()).At(a.pos).
				WithHint("jsonb_array_elements gives the elements of JSONB")
		}
		arrays, names = append(arrays, a.expr), append(names, "unnest")
	}
	return arrays, names, nil
}

// subscripts are the places of an array, from 1.
func (x *scalars) subscripts(list []ast.Expr, pos event.Position) ([]plan.Expr, []string, error) {
	call := func(name string, args ...ast.Expr) ast.Expr {
		return &ast.Call{Name: ast.Name{Text: name, Pos: pos}, Args: args}
	}
	series, err := x.bind(call("array_series", &ast.Number{Pos: pos, Text: "1"}, call("array_length", list...)))
	return []plan.Expr{series}, []string{"generate_subscripts"}, err
}

// isElements tells the functions whose column has a name of its own.
func isElements(name string) bool { return strings.Contains(name, "_array_elements") }

// fromUnnest binds a table function over arrays. Its one column is called as the alias is.
func (b *binder) fromUnnest(t *ast.Unnest, w *withs) (*scope, error) {
	x := b.constants("the arguments of a table function")
	x.withs, x.outer, x.queries = w, b.outer, true
	name := strings.ToLower(t.Function.Text)
	arrays, names, err := x.spreadArrays(name, t.Args, t.Function.Pos)
	if err != nil {
		return nil, err
	}
	alias := t.Alias
	if alias == nil {
		alias = &ast.Name{Text: name, Pos: t.Function.Pos}
	}
	switch {
	case len(names) > 1:
	case t.Alias == nil && isElements(name):
		names[0] = "value"
	default:
		names[0] = alias.Text
	}
	if t.Ordinality {
		names = append(names, "ordinality")
	}
	node := plan.Node(&plan.Unnest{Input: oneRow(), Arrays: arrays, Ordinality: t.Ordinality, Names: names})
	for _, a := range arrays {
		if hasQuery(a) {
			node = besideQueries(arrays, func(outer []plan.Expr) plan.Node {
				return &plan.Unnest{Input: oneRow(), Arrays: outer, Ordinality: t.Ordinality, Names: names}
			})
			break
		}
	}
	sc := scopeOf(node, alias)
	if isElements(name) && len(t.Columns) == 0 {
		sc.columns[0].also = "value" // as PostgreSQL calls it under any alias
	}
	err = sc.rename(t.Columns)
	return sc, err
}

// regroup rewrites the arrays of a select that aggregates over its groups.
func (s *spreads) regroup(g *grouping) (err error) {
	s.arrays, err = g.rewriteAll(s.arrays)
	return err
}

// spread puts the elements of arrays beside the rows, and their columns in the place of what stood for them.
func (q *selection) spread(node plan.Node) plan.Node {
	s := q.rows.spreads
	if len(s.arrays) == 0 {
		return node
	}
	out := &plan.Unnest{Input: node, Arrays: s.arrays, Names: s.names}
	q.eachResult(settleSpreads(plan.Width(node)))
	return out
}

// settleSpreads puts the columns of elements, which come behind so many others, in the place of what stood for them.
func settleSpreads(width int) func(e plan.Expr) plan.Expr {
	var settle func(e plan.Expr) plan.Expr
	settle = func(e plan.Expr) plan.Expr {
		if ref, ok := e.(*plan.ColumnRef); ok && isSpread(ref) {
			return &plan.ColumnRef{Index: width + firstSpread - ref.Index, Name: ref.Name, Typ: ref.Typ}
		}
		return overParts(e, settle)
	}
	return settle
}

// spreadGroups spreads the arrays out below the grouping where a select is grouped by their elements.
func (q *selection) spreadGroups(node plan.Node) plan.Node {
	grouped := false
	for _, group := range q.groups {
		plan.Walk(group, func(e plan.Expr) {
			ref, ok := e.(*plan.ColumnRef)
			grouped = grouped || ok && isSpread(ref)
		})
	}
	if !grouped {
		return node
	}
	settle := settleSpreads(plan.Width(node))
	out := q.spread(node)
	q.groups = each(q.groups, settle)
	q.rows.spreads.arrays = nil
	return out
}

// eachResult replaces what gives the result and its order.
func (q *selection) eachResult(f func(plan.Expr) plan.Expr) {
	for i := range q.outputs {
		q.outputs[i].expr = f(q.outputs[i].expr)
	}
	for _, keys := range [][]sortKey{q.keys, q.distinctOn} {
		for i, k := range keys {
			if k.index < 0 {
				keys[i].expr = f(k.expr)
			}
		}
	}
}
