package ast

import (
	"fmt"
	"strconv"
	"strings"
)

// String quotes the name where it was quoted.
func (n Name) String() string {
	if !n.Quoted {
		return n.Text
	}
	return `"` + strings.ReplaceAll(n.Text, `"`, `""`) + `"`
}

// String prints the query on one line.
func (s *Select) String() string {
	var b strings.Builder
	if len(s.With) > 0 {
		b.WriteString("WITH ")
		if s.Recursive {
			b.WriteString("RECURSIVE ")
		}
		b.WriteString(list(s.With) + " ")
	}
	switch {
	case s.Set != nil:
		b.WriteString(s.Set.String())
	case s.Rows != nil:
		b.WriteString(valueRows(s.Rows))
	default:
		s.printCore(&b)
	}
	if len(s.OrderBy) > 0 {
		b.WriteString(" ORDER BY " + list(s.OrderBy))
	}
	if s.Ties {
		clause(&b, " OFFSET ", s.Offset)
		return b.String() + " FETCH FIRST (" + s.Limit.String() + ") ROWS WITH TIES"
	}
	clause(&b, " LIMIT ", s.Limit)
	clause(&b, " OFFSET ", s.Offset)
	return b.String()
}

// printCore prints SELECT and the clauses as far as HAVING.
func (s *Select) printCore(b *strings.Builder) {
	b.WriteString("SELECT")
	if s.Distinct {
		b.WriteString(" DISTINCT")
	}
	if len(s.DistinctOn) > 0 {
		b.WriteString(" ON (" + list(s.DistinctOn) + ")")
	}
	if len(s.Items) > 0 {
		b.WriteString(" " + list(s.Items))
	}
	if s.From != nil {
		b.WriteString(" FROM " + s.From.String())
	}
	if s.Stream != nil {
		b.WriteString(" " + s.Stream.String())
	}
	clause(b, " WHERE ", s.Where)
	if s.Latest != nil {
		b.WriteString(" " + s.Latest.String())
	}
	if s.GroupByAll {
		b.WriteString(" GROUP BY ALL")
	}
	if len(s.GroupBy) > 0 {
		b.WriteString(" GROUP BY " + distinct(s.GroupByDistinct) + list(s.GroupBy))
	}
	if s.Sample != nil {
		b.WriteString(" " + s.Sample.String())
	}
	if s.Fill != nil {
		b.WriteString(" " + s.Fill.String())
	}
	if s.Sample != nil {
		b.WriteString(s.Sample.aligned())
	}
	clause(b, " HAVING ", s.Having)
	b.WriteString(s.windows())
}

// distinct is the word, where it is given.
func distinct(given bool) string {
	if given {
		return "DISTINCT "
	}
	return ""
}

func clause(b *strings.Builder, keyword string, e Expr) {
	if e != nil {
		b.WriteString(keyword + e.String())
	}
}

// String prints name AS (query).
func (c CTE) String() string {
	out := c.Name.String()
	if len(c.Columns) > 0 {
		out += " (" + list(c.Columns) + ")"
	}
	return out + " AS (" + c.Query.String() + ")"
}

// String prints the expression with its alias.
func (i Item) String() string { return i.Expr.String() + as(i.Alias) }

func as(alias *Name) string {
	if alias == nil {
		return ""
	}
	return " AS " + alias.String()
}

// String prints the key with what differs from the defaults.
func (o Order) String() string {
	out := o.Expr.String()
	if o.Descending {
		out += " DESC"
	}
	switch o.Nulls {
	case NullsFirst:
		out += " NULLS FIRST"
	case NullsLast:
		out += " NULLS LAST"
	case NullsDefault:
	}
	return out
}

// String prints the name with its alias.
func (t *StreamTable) String() string {
	out := qualified(t.Schema, t.Name)
	if t.SystemTime != nil {
		out += " FOR SYSTEM_TIME AS OF " + t.SystemTime.String()
	}
	return out + as(t.Alias) + columnNames(t.Columns)
}

func qualified(schema *Name, name Name) string {
	if schema == nil {
		return name.String()
	}
	return schema.String() + "." + name.String()
}

// String prints the query in parentheses with its alias.
func (t *Subquery) String() string {
	if t.Lateral {
		plain := *t
		plain.Lateral = false
		return "LATERAL " + plain.String()
	}
	return "(" + t.Query.String() + ")" + as(t.Alias) + columnNames(t.Columns)
}

// columnNames prints the names that an alias gives to columns.
func columnNames(names []Name) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + list(names) + ")"
}

// String prints the statement on one line.
func (s *CreateStream) String() string {
	var b strings.Builder
	b.WriteString("CREATE STREAM ")
	if s.IfNotExists {
		b.WriteString("IF NOT EXISTS ")
	}
	elements := make([]string, 0, len(s.Columns)+1)
	for _, c := range s.Columns {
		elements = append(elements, c.String())
	}
	if s.Watermark != nil {
		elements = append(elements, s.Watermark.String())
	}
	b.WriteString(s.Name.String() + " (" + strings.Join(elements, ", ") + ")")
	if len(s.PartitionBy) > 0 {
		b.WriteString(" PARTITION BY HASH (" + list(s.PartitionBy) + ")")
	}
	if s.Partitions != nil {
		b.WriteString(" PARTITIONS " + s.Partitions.String())
	}
	if s.Dedup != nil {
		b.WriteString(" DEDUP KEY (" + list(s.Dedup.Columns) + ") WITHIN " + s.Dedup.Within.String())
	}
	if len(s.Options) > 0 {
		b.WriteString(" WITH (" + list(s.Options) + ")")
	}
	return b.String()
}

// String prints the declaration.
func (c ColumnDef) String() string {
	out := c.Name.String() + " " + c.Type.Text
	if c.NotNull {
		out += " NOT NULL"
	}
	return out
}

// String prints the clause.
func (w *Watermark) String() string {
	var b strings.Builder
	b.WriteString("WATERMARK FOR " + w.Column.String() + " AS " + w.As.String())
	clause(&b, " IDLE TIMEOUT ", w.IdleTimeout)
	clause(&b, " FUTURE LIMIT ", w.FutureLimit)
	return b.String()
}

// String prints name = value.
func (o Option) String() string { return o.Name.String() + " = " + o.Value.String() }

// String is SHOW STREAMS.
func (s *ShowStreams) String() string { return "SHOW STREAMS" }

// String prints the statement.
func (s *Describe) String() string {
	if s.Query != nil {
		return "DESCRIBE " + s.Query.String()
	}
	return "DESCRIBE " + qualified(s.Schema, s.Stream)
}

// String prints the statement on one line.
func (s *Explain) String() string {
	switch {
	case s.Analyze && s.JSON:
		return "EXPLAIN (ANALYZE, FORMAT JSON) " + s.Query.String()
	case s.Analyze:
		return "EXPLAIN ANALYZE " + s.Query.String()
	case s.JSON:
		return "EXPLAIN (FORMAT JSON) " + s.Query.String()
	default:
		return "EXPLAIN " + s.Query.String()
	}
}

// String prints the statement on one line.
func (s *Insert) String() string {
	out := "INSERT INTO " + s.Stream.String()
	if len(s.Columns) > 0 {
		out += " (" + list(s.Columns) + ")"
	}
	if s.Query != nil {
		return out + " " + s.Query.String()
	}
	return out + " " + valueRows(s.Rows)
}

// String is the number as written.
func (e *Number) String() string { return e.Text }

// String quotes the value.
func (e *String) String() string { return "'" + strings.ReplaceAll(e.Value, "'", "''") + "'" }

// String is TRUE or FALSE.
func (e *Bool) String() string { return strings.ToUpper(strconv.FormatBool(e.Value)) }

// String is NULL.
func (e *Null) String() string { return "NULL" }

// String prints the type before the literal.
func (e *TypedLiteral) String() string { return e.Type.Text + " " + e.Value.String() }

// String is $1 or :name.
func (e *Param) String() string {
	if e.Name != "" {
		return ":" + e.Name
	}
	return "$" + strconv.Itoa(e.Index)
}

// String joins the names by dots.
func (e *Column) String() string {
	parts := make([]string, len(e.Parts))
	for i, p := range e.Parts {
		parts[i] = p.String()
	}
	return strings.Join(parts, ".")
}

// String is * with the table before it.
func (e *Star) String() string {
	out := "*"
	if e.Table != nil {
		out = e.Table.String() + ".*"
	}
	if len(e.Exclude) > 0 {
		names := make([]string, len(e.Exclude))
		for i, n := range e.Exclude {
			names[i] = n.String()
		}
		out += " EXCLUDE (" + strings.Join(names, ", ") + ")"
	}
	if len(e.Replace) > 0 {
		items := make([]string, len(e.Replace))
		for i, item := range e.Replace {
			items[i] = item.Expr.String() + " AS " + item.Alias.String()
		}
		out += " REPLACE (" + strings.Join(items, ", ") + ")"
	}
	return out
}

// String prints the call with its order, its filter and its window.
func (e *Call) String() string {
	args := list(e.Args)
	switch {
	case e.Star:
		args = "*"
	case e.Distinct:
		args = "DISTINCT " + args
	}
	if len(e.OrderBy) > 0 && !e.Within {
		args += " ORDER BY " + list(e.OrderBy)
	}
	out := e.Name.String() + "(" + args + ")"
	if e.Within {
		out += " WITHIN GROUP (ORDER BY " + list(e.OrderBy) + ")"
	}
	if e.Filter != nil {
		out += " FILTER (WHERE " + e.Filter.String() + ")"
	}
	return out + e.over()
}

// String prints CASE ... END.
func (e *Case) String() string {
	var b strings.Builder
	b.WriteString("CASE")
	clause(&b, " ", e.Operand)
	for _, w := range e.Whens {
		b.WriteString(" WHEN " + w.Condition.String() + " THEN " + w.Then.String())
	}
	clause(&b, " ELSE ", e.Else)
	b.WriteString(" END")
	return b.String()
}

// String prints the form with CAST.
func (e *Cast) String() string {
	word := "CAST("
	if e.Try {
		word = "TRY_CAST("
	}
	return word + e.Input.String() + " AS " + e.Type.Text + ")"
}

// String prints the operator before its operand.
func (e *Unary) String() string { return "(" + e.Op + " " + e.Input.String() + ")" }

// String prints the operator between its operands.
func (e *Binary) String() string {
	return "(" + e.Left.String() + " " + e.Op + " " + e.Right.String() + ")"
}

// String prints the three operands.
func (e *Between) String() string {
	return "(" + e.Input.String() + " BETWEEN " + e.Low.String() + " AND " + e.High.String() + ")"
}

// String prints the operand and the list.
func (e *In) String() string { return "(" + e.Input.String() + " IN (" + list(e.List) + "))" }

// String prints the operand and the test.
func (e *Is) String() string {
	not := ""
	if e.Not {
		not = "NOT "
	}
	return "(" + e.Input.String() + " IS " + not + e.Test + ")"
}

// list prints elements with commas between them.
func list[T fmt.Stringer](elements []T) string {
	parts := make([]string, len(elements))
	for i, e := range elements {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}
