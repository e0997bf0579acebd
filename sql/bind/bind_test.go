package bind

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// streams is a catalog of what CREATE STREAM statements define.
type streams map[string]*catalog.Stream

func (s streams) Stream(name string) (*catalog.Stream, bool) {
	found, ok := s[name]
	return found, ok
}

func (s streams) View(string) (*catalog.View, bool) { return nil, false }

func (s streams) PlainView(string) (*catalog.PlainView, bool) { return nil, false }

func (s streams) Tables() []string { return slices.Sorted(maps.Keys(s)) }

func (s streams) SystemTable(name string) (*event.Schema, bool) {
	return &event.Schema{Version: 1, Columns: []event.Column{
		{ID: 1, Name: "query_id", Type: event.Type{Kind: event.Text}}, {ID: 2, Name: "rows", Type: event.Type{Kind: event.BigInt}},
	}}, slices.Contains(s.SystemTables(), name)
}

func (s streams) SystemTables() []string { return []string{"system.queries"} }

// testStreams are what the text files select from.
func testStreams(t require.TestingT) streams {
	known := streams{}
	for _, sql := range []string{
		`CREATE STREAM orders (order_id TEXT NOT NULL, customer TEXT, region TEXT, amount DOUBLE PRECISION, quantity BIGINT,
			paid BOOLEAN, attrs JSONB, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`,
		`CREATE STREAM t (s SMALLINT, i INTEGER, b BIGINT, r REAL, d DOUBLE PRECISION, n NUMERIC(10,2), m NUMERIC(20,4), day DATE,
			u UUID, y BYTEA, ts TIMESTAMPTZ)`,
		`CREATE STREAM clicks (EventID BIGINT, "@timestamp" TIMESTAMPTZ, dup BIGINT, DUP TEXT, clicks JSONB)`,
	} {
		created := bindOne(t, sql, known, Params{}).(CreateStream)
		require.NoError(t, created.Definition.Validate())
		known[created.Definition.Name] = &created.Definition
	}
	return known
}

func bindOne(t require.TestingT, sql string, known streams, params Params) Bound {
	statements, err := parser.Parse(sql)
	require.NoError(t, err)
	bound, err := Bind(statements[0], known, params)
	require.NoError(t, err)
	return bound
}

// TestBind runs the text files: each case is a statement and, below it, its columns and plan, or the error.
func TestBind(t *testing.T) {
	t.Parallel()
	known := testStreams(t)
	params := Params{
		Positional: []Param{String("EU"), must(Number("5")), must(Number("2.5")), Bool(true), Null()},
		Named:      map[string]Param{"from": String("2026-01-01"), "n": must(Number("10"))},
	}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			require.Equal(t, "bind", d.Cmd)
			statements, err := parser.Parse(d.Input)
			if err != nil {
				return describeError(err)
			}
			bound, err := Bind(statements[0], known, params)
			if err != nil {
				return describeError(err)
			}
			return describe(t, bound)
		})
	})
}

func must(p Param, ok bool) Param {
	if !ok {
		panic("not a number")
	}
	return p
}

func describe(t *testing.T, bound Bound) string {
	switch bound := bound.(type) {
	case Query:
		requireTyped(t, bound.Plan)
		return describeColumns(bound.Plan) + plan.Print(bound.Plan)
	case Insert:
		requireTyped(t, bound.Plan)
		return plan.Print(bound.Plan)
	case CreateStream:
		require.NoError(t, bound.Definition.Validate())
		definition, err := json.MarshalIndent(bound.Definition, "", " ")
		require.NoError(t, err)
		return fmt.Sprintf("if not exists: %t\n%s\n", bound.IfNotExists, definition)
	case AlterStream:
		change, err := json.Marshal(bound.Change)
		require.NoError(t, err)
		return fmt.Sprintf("alter %s\n%s\n", bound.Name, change)
	case ShowStreams:
		return "show streams\n"
	case Describe:
		return "describe " + bound.Stream.Name + "\n"
	case CreateView:
		requireTyped(t, bound.Plan)
		options, err := json.Marshal(bound.Options)
		require.NoError(t, err)
		return fmt.Sprintf("%s\n%s\n%s", bound.SQL, options, describeColumns(bound.Plan)+plan.Print(bound.Plan))
	case Show:
		return "show " + bound.What + "\n"
	case DescribeTable:
		return "describe table " + bound.Name + "\n"
	case KillQuery:
		return "kill " + bound.ID + "\n"
	case Explain:
		return "explain\n" + plan.Print(bound.Query.Plan)
	default:
		return fmt.Sprintf("unknown %T", bound)
	}
}

func describeColumns(n plan.Node) string {
	var out []string
	for _, c := range n.Columns() {
		out = append(out, c.Name+" "+c.Type.String())
	}
	return strings.Join(out, ", ") + "\n"
}

// requireTyped holds what executors rely on: arguments have the types of their functions, references lie inside the input.
func requireTyped(t *testing.T, n plan.Node) {
	t.Helper()
	var width int
	for _, in := range n.Inputs() {
		requireTyped(t, in)
		width = len(in.Columns())
	}
	for _, e := range nodeExprs(n) {
		requireTypedExpr(t, e, width, n)
	}
	for _, c := range n.Columns() {
		require.NotEqual(t, event.Unknown, c.Type.Kind, "column %s", c.Name)
	}
}

func nodeExprs(n plan.Node) []plan.Expr {
	var out []plan.Expr
	switch n := n.(type) {
	case *plan.Filter:
		return []plan.Expr{n.Predicate}
	case *plan.Project:
		return n.Exprs
	case *plan.Aggregate:
		out = append(out, n.Groups...)
		for _, a := range n.Aggregates {
			out = append(out, a.Args...)
			if a.Filter != nil {
				out = append(out, a.Filter)
			}
		}
	case *plan.Sort:
		for _, k := range n.Keys {
			out = append(out, k.Expr)
		}
	case *plan.Values:
		for _, row := range n.Rows {
			out = append(out, row...)
		}
	}
	return out
}

func requireTypedExpr(t *testing.T, e plan.Expr, width int, n plan.Node) {
	t.Helper()
	require.NotEqual(t, event.Unknown, e.Type().Kind, "%s", e)
	switch e := e.(type) {
	case *plan.ColumnRef:
		require.True(t, 0 <= e.Index && e.Index < width, "%s is column %d of %d", e.Name, e.Index, width)
		require.True(t, e.Typ.Equal(n.Inputs()[0].Columns()[e.Index].Type), "%s", e)
	case *plan.Literal:
		require.Equal(t, 1, e.Value.Len())
		require.Equal(t, e.Typ.Arrow().ID(), e.Value.DataType().ID())
	case *plan.Call:
		for i, a := range e.Args {
			require.True(t, parameter(e.Fn, i).Equal(a.Type()), "%s in %s", a, e)
		}
	}
	for _, in := range inputs(e) {
		requireTypedExpr(t, in, width, n)
	}
}

func describeError(err error) string {
	var coded *event.Error
	if !errors.As(err, &coded) {
		return "NOT AN *event.Error: " + err.Error()
	}
	out := string(coded.Code)
	if coded.Position != nil {
		out += fmt.Sprintf(" at %d:%d", coded.Position.Line, coded.Position.Column)
	}
	out += ": " + coded.Detail + "\n"
	if coded.Hint != "" {
		out += "hint: " + coded.Hint + "\n"
	}
	return out
}
