package optimize

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// The tests write plans as nested lists, the node's name first and its input last:
//
//	(scan id ts)  (filter E N)  (project (E ...) N)  (aggregate (E ...) ((count) ...) N)  (sort ((asc E) (desc E)) N)
//	(limit count offset N)  (values rows)  (insert N)  (union N ...)  (repeat E N)  (join kind (E ...) N N)  (prefix name N)
//
// An expression is a column's name, a number, 'text', true, false, (null TYPE), (time 'text'), (interval 'text'),
// (cast E TYPE), (case E E E), (as E name) or a function applied to expressions.

// list is one parsed element: an atom or a list.
type list struct {
	atom  string
	items []list
}

func parse(text string) list {
	out, rest := parseOne(tokens(text))
	if len(rest) > 0 {
		panic("more than one plan: " + strings.Join(rest, " "))
	}
	return out
}

func tokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case unicode.IsSpace(rune(c)):
			i++
		case c == '(' || c == ')':
			out = append(out, string(c))
			i++
		case c == '\'':
			end := i + 1 + strings.IndexByte(text[i+1:], '\'') + 1
			out = append(out, text[i:end])
			i = end
		default:
			end := i + strings.IndexAny(text[i:]+" ", " \n\t()")
			out = append(out, text[i:end])
			i = end
		}
	}
	return out
}

func parseOne(in []string) (list, []string) {
	if in[0] != "(" {
		return list{atom: in[0]}, in[1:]
	}
	var out list
	in = in[1:]
	for in[0] != ")" {
		var item list
		item, in = parseOne(in)
		out.items = append(out.items, item)
	}
	return out, in[1:]
}

var testSchema = &event.Schema{Version: 1, TimeColumn: 2, Columns: []event.Column{
	{ID: 1, Name: "id", Type: event.Type{Kind: event.BigInt}},
	{ID: 2, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}},
	{ID: 3, Name: "region", Type: event.Type{Kind: event.Text}},
	{ID: 4, Name: "amount", Type: event.Type{Kind: event.Double}},
	{ID: 5, Name: "ok", Type: event.Type{Kind: event.Boolean}},
	{ID: 6, Name: "doc", Type: event.Type{Kind: event.JSONB}},
}}

func readNode(l list) plan.Node {
	head, args := l.items[0].atom, l.items[1:]
	if head == "scan" {
		return readScan(args)
	}
	if head == "values" {
		return &plan.Values{Cols: []plan.Column{{Name: "x", Type: event.Type{Kind: event.BigInt}}}, Rows: make([][]plan.Expr, number(args[0]))}
	}
	if head == "join" || head == "union" {
		return readSeveral(head, args)
	}
	input := readNode(args[len(args)-1])
	columns := input.Columns()
	switch head {
	case "repeat":
		return &plan.Repeat{Input: input, Times: readExpr(args[0], columns)}
	case "prefix": // renames all columns, so that those of two scans differ
		out := &plan.Project{Input: input}
		for i, c := range columns {
			out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
			out.Names = append(out.Names, args[0].atom+"."+c.Name)
		}
		return out
	case "filter":
		return &plan.Filter{Input: input, Predicate: readExpr(args[0], columns)}
	case "project":
		exprs, names := readNamed(args[0].items, columns)
		return &plan.Project{Input: input, Exprs: exprs, Names: names}
	case "aggregate":
		exprs, names := readNamed(args[0].items, columns)
		out := &plan.Aggregate{Input: input, Groups: exprs, Names: names}
		for _, item := range args[1].items {
			item, name := named(item)
			a := readAggregation(item, columns)
			if name == "" {
				name = a.String()
			}
			out.Aggregates, out.Names = append(out.Aggregates, a), append(out.Names, name)
		}
		return out
	case "first-rows":
		out := &plan.FirstRows{Input: input}
		for _, item := range args[0].items {
			out.By = append(out.By, readExpr(item, columns))
		}
		for _, item := range args[1].items {
			out.Keys = append(out.Keys, plan.SortKey{Expr: readExpr(item.items[1], columns), Descending: item.items[0].atom == "desc"})
		}
		return out
	case "unnest":
		return &plan.Unnest{Input: input, Arrays: []plan.Expr{readExpr(args[1], columns)}, Names: []string{args[0].atom}}
	case "sort":
		out := &plan.Sort{Input: input, Limit: -1}
		for _, item := range args[0].items {
			descending := item.items[0].atom == "desc"
			out.Keys = append(out.Keys, plan.SortKey{
				Expr: readExpr(item.items[1], columns), Descending: descending, NullsFirst: descending,
			})
		}
		return out
	case "limit":
		return &plan.Limit{Input: input, Count: number(args[0]), Offset: number(args[1])}
	case "window":
		return readWindow(args, input)
	case "assign":
		return readAssign(args, input)
	case "insert":
		return &plan.Insert{Input: input, Stream: "target", Names: []string{"x"}}
	default:
		panic("unknown node " + head)
	}
}

func readSeveral(head string, args []list) plan.Node {
	if head == "union" {
		out := &plan.Union{}
		for _, part := range args {
			out.Parts = append(out.Parts, readNode(part))
		}
		return out
	}
	kinds := map[string]plan.JoinKind{
		"inner": plan.InnerJoin, "left": plan.LeftJoin, "right": plan.RightJoin, "full": plan.FullJoin, "mark": plan.MarkJoin,
		"single": plan.SingleJoin,
	}
	out := &plan.Join{Kind: kinds[args[0].atom], Left: readNode(args[2]), Right: readNode(args[3])}
	if out.Kind == plan.MarkJoin {
		out.Mark = "mark"
	}
	both := append(append([]plan.Column(nil), out.Left.Columns()...), out.Right.Columns()...)
	for _, e := range args[1].items {
		out.On = append(out.On, readExpr(e, both))
	}
	return out
}

func readScan(names []list) plan.Node {
	out := &plan.Scan{Stream: "t", Schema: testSchema}
	for _, name := range names {
		c, err := testSchema.Resolve(name.atom)
		if err != nil {
			panic(err)
		}
		out.Fields = append(out.Fields, c.ID)
	}
	return out
}

func readNamed(items []list, columns []plan.Column) (exprs []plan.Expr, names []string) {
	for _, item := range items {
		item, name := named(item)
		e := readExpr(item, columns)
		if name == "" {
			name = e.String()
		}
		exprs, names = append(exprs, e), append(names, name)
	}
	return exprs, names
}

// named takes (as X name) apart.
func named(l list) (item list, name string) {
	if len(l.items) == 3 && l.items[0].atom == "as" {
		return l.items[1], l.items[2].atom
	}
	return l, ""
}

func readAggregation(l list, columns []plan.Column) plan.Aggregation {
	var out plan.Aggregation
	for _, item := range l.items[1:] {
		if len(item.items) == 2 && item.items[0].atom == "where" {
			out.Filter = readExpr(item.items[1], columns)
			continue
		}
		out.Args = append(out.Args, readExpr(item, columns))
	}
	out.Fn = overload(l.items[0].atom, out.Args)
	return out
}

func readExpr(l list, columns []plan.Column) plan.Expr {
	if l.atom != "" {
		return readAtom(l.atom, columns)
	}
	head, args := l.items[0].atom, l.items[1:]
	switch head {
	case "null":
		t, err := event.ParseType(args[0].atom)
		if err != nil {
			panic(err)
		}
		return &plan.Literal{Value: event.NewNulls(t, 1), Typ: t}
	case "time", "interval":
		kind := event.TimestampTZ
		if head == "interval" {
			kind = event.Interval
		}
		return evaluate(&plan.Cast{Input: readExpr(args[0], columns), To: event.Type{Kind: kind}})
	case "cast":
		t, err := event.ParseType(args[1].atom)
		if err != nil {
			panic(err)
		}
		return &plan.Cast{Input: readExpr(args[0], columns), To: t}
	}
	var exprs []plan.Expr
	for _, a := range args {
		exprs = append(exprs, readExpr(a, columns))
	}
	if head == "case" {
		return &plan.Case{Whens: []plan.When{{Condition: exprs[0], Then: exprs[1]}}, Else: exprs[2], Typ: exprs[1].Type()}
	}
	return &plan.Call{Fn: overload(head, exprs), Args: exprs}
}

func readAtom(atom string, columns []plan.Column) plan.Expr {
	switch {
	case atom == "true" || atom == "false":
		bits := event.NewBitmap(1)
		if atom == "true" {
			bits.Set(0)
		}
		return &plan.Literal{Value: event.NewBooleans(bits, 1, nil), Typ: event.Type{Kind: event.Boolean}}
	case atom[0] == '\'':
		text := strings.Trim(atom, "'")
		values := event.NewStrings([]int32{0, int32(len(text))}, []byte(text), nil)
		return &plan.Literal{Value: values, Typ: event.Type{Kind: event.Text}}
	case strings.ContainsAny(atom[:1], "0123456789") || (len(atom) > 1 && atom[0] == '-'):
		if !strings.ContainsAny(atom, ".e") {
			return &plan.Literal{Value: event.NewInt64s([]int64{number(list{atom: atom})}, nil), Typ: event.Type{Kind: event.BigInt}}
		}
		v, err := strconv.ParseFloat(atom, 64)
		if err != nil {
			panic(err)
		}
		return &plan.Literal{Value: event.NewFloat64s([]float64{v}, nil), Typ: event.Type{Kind: event.Double}}
	}
	for i, c := range columns {
		if c.Name == atom {
			return &plan.ColumnRef{Index: i, Name: atom, Typ: c.Type}
		}
	}
	panic(fmt.Sprintf("no column %s", atom))
}

func number(l list) int64 {
	n, err := strconv.ParseInt(l.atom, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func overload(name string, args []plan.Expr) *plan.Function {
next:
	for _, f := range plan.Functions[name] {
		if len(f.Args) != len(args) && !f.Variadic {
			continue
		}
		for i, a := range args {
			if !f.Args[min(i, len(f.Args)-1)].Equal(a.Type()) {
				continue next
			}
		}
		return f
	}
	panic("no overload of " + name)
}
