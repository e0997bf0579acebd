package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Print renders a plan as an indented tree, one node a line, the root first.
func Print(n Node) string { return PrintNotes(n, func(Node) string { return "" }) }

// PrintNotes is Print with a note below each node that has one.
func PrintNotes(n Node, note func(Node) string) string {
	var b strings.Builder
	printNode(&b, n, 0, note)
	return b.String()
}

func printNode(b *strings.Builder, n Node, depth int, note func(Node) string) {
	b.WriteString(strings.Repeat("  ", depth) + Describe(n) + "\n")
	if text := note(n); text != "" {
		b.WriteString(strings.Repeat("  ", depth+2) + text + "\n")
	}
	for _, in := range n.Inputs() {
		printNode(b, in, depth+1, note)
	}
}

// Describe is a node's line of Print: the operator's name, a space, and what it does.
func Describe(n Node) string {
	switch n := n.(type) {
	case *Scan:
		return describeScan(n)
	case *Filter:
		return "Filter " + n.Predicate.String()
	case *Project:
		return "Project " + named(n.Exprs, n.Names)
	case *Aggregate:
		return describeAggregate(n)
	case *Window:
		return describeWindow(n)
	case *Assign:
		return n.describe()
	case *Sort:
		return describeSort(n)
	case *Fill:
		return describeFill(n)
	case *FirstRows:
		return describeFirstRows(n)
	case *Limit:
		return describeLimit(n)
	case *Join:
		return describeJoin(n)
	case *Apply:
		return describeApply(n)
	case *Series:
		return describeSeries(n)
	case *Union:
		return describeUnion(n)
	case *AsofJoin:
		return describeAsof(n)
	case *Unnest:
		return describeUnnest(n)
	case *Recursive:
		return describeRecursive(n)
	case *WorkTable:
		return describeWorkTable(n)
	case *Repeat:
		return "Repeat " + n.Times.String()
	case *Values:
		return fmt.Sprintf("Values rows=%d", len(n.Rows))
	case *Insert:
		return fmt.Sprintf("Insert into %s (%s)", n.Stream, strings.Join(n.Names, ", "))
	default:
		return fmt.Sprintf("unknown node %T", n)
	}
}

func describeScan(n *Scan) string {
	names := make([]string, Width(n))
	for i, c := range n.Columns() {
		names[i] = c.Name
	}
	out := fmt.Sprintf("Scan %s columns=[%s]", n.Stream, strings.Join(names[:len(n.Fields)], ", "))
	if len(n.Members) > 0 {
		out += " members=[" + strings.Join(names[len(n.Fields):], ", ") + "]"
	}
	if len(n.Filter) > 0 {
		out += " filter=[" + join(n.Filter, " AND ") + "]"
	}
	if len(n.Ranges) > 0 {
		ranges := make([]string, len(n.Ranges))
		for i, r := range n.Ranges {
			ranges[i] = describeRange(n.Schema, r)
		}
		out += " prune=[" + strings.Join(ranges, ", ") + "]"
	}
	return out
}

func describeRange(s *event.Schema, r Range) string {
	c, _ := s.ByID(r.Field)
	low, high := "", ""
	if r.Low != nil {
		low = formatValue(r.Low, c.Type) + " <= "
	}
	if r.High != nil {
		high = " <= " + formatValue(r.High, c.Type)
	}
	return low + c.Name + high
}

func describeAggregate(n *Aggregate) string {
	calls := make([]string, len(n.Aggregates))
	for i, a := range n.Aggregates {
		text := a.String()
		if a.Fn == GroupingFunction {
			text = "grouping(" + join(pickExprs(n.Groups, a.Marks), ", ") + ")"
		}
		calls[i] = text + as(text, n.Names[len(n.Groups)+i])
	}
	out := "Aggregate"
	if len(n.Groups) > 0 {
		out += " by=[" + named(n.Groups, n.Names) + "]"
	}
	if n.Sets != nil {
		sets := make([]string, len(n.Sets))
		for i, set := range n.Sets {
			sets[i] = "(" + join(pickExprs(n.Groups, set), ", ") + ")"
		}
		out += " sets=[" + strings.Join(sets, ", ") + "]"
	}
	out += " compute=[" + strings.Join(calls, ", ") + "]"
	if n.Statistics {
		out += " using statistics"
	}
	return out
}

func pickExprs(exprs []Expr, indexes []int) []Expr {
	out := make([]Expr, len(indexes))
	for i, at := range indexes {
		out[i] = exprs[at]
	}
	return out
}

func describeSort(n *Sort) string {
	out := "Sort " + joinKeys(n.Keys)
	if n.Limit >= 0 {
		out += " limit=" + strconv.FormatInt(n.Limit, 10)
	}
	return out
}

func describeLimit(n *Limit) string {
	out := "Limit"
	if n.Count >= 0 {
		out += " " + strconv.FormatInt(n.Count, 10)
	}
	if n.Offset > 0 {
		out += " offset=" + strconv.FormatInt(n.Offset, 10)
	}
	return out
}

// String prints the call with its order and its filter.
func (a Aggregation) String() string {
	args := join(a.Args, ", ")
	if len(a.Args) == 0 {
		args = "*"
	}
	if a.Distinct {
		args = "DISTINCT " + args
	}
	if len(a.Order) > 0 {
		args += " ORDER BY " + joinKeys(a.Order)
	}
	out := a.Fn.Name + "(" + args + ")"
	if a.Filter != nil {
		out += " FILTER (WHERE " + a.Filter.String() + ")"
	}
	return out
}

// String prints the key with its direction and the place of NULLs where that is not the default.
func (k SortKey) String() string {
	out := k.Expr.String()
	if k.Descending {
		out += " DESC"
	}
	if k.NullsFirst != k.Descending {
		if k.NullsFirst {
			return out + " NULLS FIRST"
		}
		return out + " NULLS LAST"
	}
	return out
}

// String is the column's name.
func (e *ColumnRef) String() string { return e.Name }

// String prints the value as SQL.
func (e *Literal) String() string { return formatValue(e.Value, e.Typ) }

// String prints operators between their arguments and functions before them.
func (e *Call) String() string {
	switch {
	case e.Fn.Symbol && len(e.Args) == 2:
		return "(" + e.Args[0].String() + " " + strings.ToUpper(e.Fn.Name) + " " + e.Args[1].String() + ")"
	case e.Fn.Symbol && len(e.Args) == 1:
		return "(" + strings.ToUpper(e.Fn.Name) + " " + e.Args[0].String() + ")"
	default:
		return e.Fn.Name + "(" + join(e.Args, ", ") + ")"
	}
}

// String prints the cast as ::.
func (e *Cast) String() string {
	if e.Try {
		return "try_cast(" + e.Input.String() + " AS " + e.To.String() + ")"
	}
	return e.Input.String() + "::" + e.To.String()
}

// String prints the searched form.
func (e *Case) String() string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, w := range e.Whens {
		b.WriteString(" WHEN " + w.Condition.String() + " THEN " + w.Then.String())
	}
	if e.Else != nil {
		b.WriteString(" ELSE " + e.Else.String())
	}
	b.WriteString(" END")
	return b.String()
}

// formatValue prints element 0 of a literal's array.
func formatValue(v arrow.Array, t event.Type) string {
	if v.IsNull(0) {
		return "NULL"
	}
	switch t.Kind {
	case event.Unknown, event.Text:
		return quote(v.(*array.String).Value(0))
	case event.JSONB:
		return quote(v.(*array.String).Value(0)) + "::JSONB"
	case event.TimestampTZ:
		return "TIMESTAMPTZ '" + event.FormatTimestamp(int64(v.(*array.Timestamp).Value(0))) + "'"
	case event.Interval:
		return "INTERVAL '" + event.FormatInterval(v.(*array.MonthDayNanoInterval).Value(0)) + "'"
	case event.Numeric:
		return event.FormatNumeric(event.Words(v)[0], t.Scale)
	case event.Array:
		out, err := event.AppendJSONValue(nil, v, 0, t)
		if err != nil {
			return "ARRAY"
		}
		return "'" + string(out) + "'::" + t.String()
	case event.Date:
		return "DATE '" + event.FormatDate(int32(v.(*array.Date32).Value(0))) + "'"
	case event.Time:
		return "TIME '" + event.FormatTimeOfDay(int64(v.(*array.Time64).Value(0))) + "'"
	case event.UUID:
		return "UUID '" + event.FormatUUID(v.(*array.FixedSizeBinary).Value(0)) + "'"
	case event.Bytea:
		return fmt.Sprintf("BYTEA '\\x%x'", v.(*array.Binary).Value(0))
	default:
		return v.ValueStr(0)
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func join(exprs []Expr, sep string) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = e.String()
	}
	return strings.Join(parts, sep)
}

func named(exprs []Expr, names []string) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = e.String() + as(e.String(), names[i])
	}
	return strings.Join(parts, ", ")
}

// as names a column where its name says more than the expression.
func as(text, name string) string {
	if text == name {
		return ""
	}
	return " AS " + name
}
