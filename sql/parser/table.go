package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// maxTables bounds the tables of one FROM clause: joined, they make a tree as deep as they are many, each level with the columns
// of all below.
const maxTables = 256

// readTables reads what stands after FROM: tables joined by words and commas, which bind looser. matched is the condition that semi and anti joins
// among them make, nil without any.
func readTables(lex *cursor) (tables ast.Table, matched ast.Expr, err error) {
	p := tableParser{lex: lex}
	tables, err = p.list()
	return tables, p.matched, err
}

// tableParser reads one FROM clause.
type tableParser struct {
	lex    *cursor
	tables int
	// inner counts the parentheses around what is read, and the joins whose right side it is.
	inner   int
	matched ast.Expr
}

// list reads joined tables with commas between them.
func (p *tableParser) list() (ast.Table, error) {
	left, err := p.joined()
	for err == nil && is(p.lex.peek(), ",") {
		join := &ast.Join{Pos: position(p.lex.next().Pos), Left: left}
		join.Right, err = p.joined()
		left = join
	}
	return left, err
}

// joined reads a table and the joins that follow it.
func (p *tableParser) joined() (ast.Table, error) {
	left, err := p.single()
	for more := true; err == nil && more; {
		if more, err = p.semiJoin(left); !more && err == nil {
			left, more, err = p.join(left)
		}
	}
	return left, err
}

// join reads one join of a table that has been read, if its words come next. Joins that stand before the condition belong to the right
// side, as in a JOIN b JOIN c ON ... ON ...: the condition that comes first is that of the last join.
func (p *tableParser) join(left ast.Table) (ast.Table, bool, error) {
	first := p.lex.peek()
	join, err := p.joinWords()
	if err != nil || join == nil {
		return left, false, err
	}
	if p.matched != nil && (join.Kind == ast.RightJoin || join.Kind == ast.FullJoin) {
		return nil, false, notSupported(first, join.Kind.String()+" behind a SEMI or ANTI JOIN",
			"write WHERE EXISTS (SELECT 1 FROM b WHERE ...) in a query in FROM")
	}
	join.Left = left
	join.Right, err = p.single()
	for more := join.Kind != ast.CrossJoin && !join.Natural; err == nil && more && !p.beginsCondition(); {
		join.Right, more, err = p.join(join.Right)
	}
	if err != nil {
		return nil, false, err
	}
	return join, true, p.condition(join)
}

// beginsCondition reports whether what joins two tables comes next.
func (p *tableParser) beginsCondition() bool {
	next := p.lex.peek()
	return is(next, "ON") || is(next, "USING") || is(next, "MATCH_CONDITION") || is(next, "WITHIN")
}

// joinWords takes the words of a join, if they come next.
func (p *tableParser) joinWords() (*ast.Join, error) {
	first := p.lex.peek()
	join := &ast.Join{Pos: position(first.Pos), Kind: ast.InnerJoin, Natural: accept(p.lex, "NATURAL")}
	if join.Asof = !join.Natural && first.Type == tokenIdent && accept(p.lex, "ASOF"); join.Asof {
		first = p.lex.peek()
	}
	switch {
	case accept(p.lex, "INNER"):
	case !join.Natural && accept(p.lex, "CROSS"):
		join.Kind = ast.CrossJoin
	case accept(p.lex, "LEFT"):
		join.Kind = ast.LeftJoin
		join.Asof = join.Asof || !join.Natural && accept(p.lex, "ASOF") // some write it so
	case accept(p.lex, "RIGHT"):
		join.Kind = ast.RightJoin
	case accept(p.lex, "FULL"):
		join.Kind = ast.FullJoin
	case !join.Natural && !join.Asof && !is(first, "JOIN"):
		return nil, p.otherJoin(first)
	}
	if join.Kind > ast.InnerJoin {
		accept(p.lex, "OUTER")
	}
	return join, expect(p.lex, "JOIN")
}

// otherJoins says how joins of other systems are written here.
var otherJoins = map[string]string{
	"LT":      "write a ASOF LEFT JOIN b ON a.sym = b.sym AND a.ts > b.ts",
	"SPLICE":  "write a ASOF LEFT JOIN b ON a.sym = b.sym AND a.ts >= b.ts UNION ALL the same with a and b exchanged",
	"WINDOW":  "join by time and group: a LEFT JOIN b ON a.sym = b.sym AND b.ts BETWEEN a.ts - INTERVAL '1 minute' AND a.ts GROUP BY a.sym, a.ts",
	"HORIZON": "write an ASOF LEFT JOIN for each offset: a ASOF LEFT JOIN b ON a.sym = b.sym AND a.ts + INTERVAL '1 minute' >= b.ts",
}

// otherJoin refuses LT JOIN and the like.
func (p *tableParser) otherJoin(first token) error {
	start := p.lex.mark()
	defer p.lex.reset(start)
	hint := otherJoins[upper(first.Value)]
	if hint == "" || first.Type != tokenIdent {
		return nil
	}
	if p.lex.next(); !is(p.lex.peek(), "JOIN") {
		return nil
	}
	return notSupported(first, upper(first.Value)+" JOIN", hint)
}

// condition takes what joins the two tables.
func (p *tableParser) condition(join *ast.Join) error {
	if join.Kind == ast.CrossJoin || join.Natural {
		return nil
	}
	var match ast.Expr
	var err error
	if join.Within, err = within(p.lex); err != nil {
		return err
	}
	if join.Asof && accept(p.lex, "MATCH_CONDITION") { // the comparison that others write into ON
		if match, err = readExpr(p.lex); err != nil {
			return err
		}
	}
	if accept(p.lex, "USING") {
		if err := expect(p.lex, "("); err != nil {
			return err
		}
		join.Using, err = readNames(p.lex)
		return err
	}
	if join.Asof && match == nil && !is(p.lex.peek(), "ON") {
		return nil // what it needs is said where the columns are known
	}
	if err := expect(p.lex, "ON"); err != nil {
		return err
	}
	join.On, err = readExpr(p.lex)
	if err == nil && match != nil {
		join.On = &ast.Binary{Pos: match.Position(), Op: "AND", Left: join.On, Right: match}
	}
	if err != nil || !join.Asof || !accept(p.lex, "TOLERANCE") {
		return err
	}
	join.Tolerance, err = readExpr(p.lex)
	return err
}

// single takes a name or a query in parentheses, with its alias, or joined tables in parentheses.
func (p *tableParser) single() (ast.Table, error) {
	t := p.lex.peek()
	if p.tables++; p.tables > maxTables {
		return nil, notSupported(t, "more than 256 tables in FROM", "")
	}
	lateral := p.lateral()
	if t = p.lex.peek(); is(t, "(") && t.Type == tokenSymbol {
		if !beginsQuery(p.lex) {
			return p.parenthesized()
		}
		p.lex.next()
		query, err := parseQuery(p.lex)
		if err != nil {
			return nil, err
		}
		table := &ast.Subquery{Pos: position(t.Pos), Query: query, Lateral: lateral}
		if err := expect(p.lex, ")"); err != nil {
			return nil, err
		}
		table.Alias, table.Columns, err = p.alias()
		return table, err
	}
	return p.named(t)
}

// lateral takes LATERAL before a query or a call. Functions need it not, and any other use of the word is a name.
func (p *tableParser) lateral() bool {
	start := p.lex.mark()
	if t := p.lex.peek(); t.Type != tokenIdent || !accept(p.lex, "LATERAL") {
		return false
	}
	if next := p.lex.peek(); is(next, "(") || (next.Type == tokenIdent && !notAliases[upper(next.Value)] && !is(next, "AS")) {
		return true
	}
	p.lex.reset(start)
	return false
}

// parenthesized takes joined tables in parentheses. With an alias they are one table, whose columns go by that name alone.
func (p *tableParser) parenthesized() (ast.Table, error) {
	pos := position(p.lex.next().Pos)
	p.inner++
	inner, err := p.list()
	p.inner--
	if err != nil {
		return nil, err
	}
	if err := expect(p.lex, ")"); err != nil {
		return nil, err
	}
	alias, columns, err := p.alias()
	if err != nil || alias == nil {
		return inner, err
	}
	return &ast.Subquery{Pos: pos, Query: allOf(inner, pos), Alias: alias, Columns: columns}, nil
}

func (p *tableParser) named(t token) (ast.Table, error) {
	if t.Type != tokenIdent && t.Type != tokenQuoted {
		return nil, &unexpected{token: t, expected: "the name of a stream"}
	}
	p.lex.next()
	if t.Type == tokenIdent && is(t, "ONLY") && namesTable(p.lex.peek()) { // streams have no heirs, so that ONLY leaves none out
		return p.named(p.lex.peek())
	}
	switch next := p.lex.peek(); {
	case is(next, "(") && t.Type == tokenIdent && is(t, "ONLY"):
		return p.only()
	case is(next, "(") && t.Type == tokenIdent && is(t, "VALUES"):
		return p.values(t)
	case is(next, "(") && is(t, "TABLE"):
		return p.tableCall()
	case is(next, "(") && t.Type == tokenIdent && windowTables[upper(t.Value)]:
		return p.windowTable(t)
	case is(next, "(") && t.Type == tokenIdent && (is(t, "GENERATE_SERIES") || is(t, "RANGE")):
		return p.series(t)
	case is(next, "(") && t.Type == tokenIdent && unnestTables[upper(t.Value)]:
		return p.unnest(t)
	case is(next, "MATCH_RECOGNIZE"):
		return nil, notSupported(next, "MATCH_RECOGNIZE",
			"compare an event with those around it by lag and lead OVER (PARTITION BY ... ORDER BY ts), or with a join bounded in time")
	case is(next, "("):
		return nil, notSupported(t, "the table function "+upper(t.Value), tableFunctionHint(t))
	}
	accept(p.lex, "*") // nor does this add any
	table := &ast.StreamTable{Name: nameOf(t)}
	if accept(p.lex, ".") {
		schema := table.Name
		last, err := readName(p.lex)
		if err != nil {
			return nil, err
		}
		table.Schema, table.Name = &schema, last
		if is(p.lex.peek(), ".") {
			return nil, notSupported(t, "a table name of more than two parts", "")
		}
	}
	var err error
	if table.SystemTime, err = p.systemTime(); err != nil {
		return nil, err
	}
	if table.Alias, table.Columns, err = p.alias(); err == nil && table.SystemTime == nil { // some write it behind the alias
		table.SystemTime, err = p.systemTime()
	}
	if sample := p.lex.peek(); err == nil && is(sample, "TABLESAMPLE") {
		return p.sampled(table)
	}
	return table, err
}

// only reads a name in parentheses behind ONLY, and the alias behind them.
func (p *tableParser) only() (ast.Table, error) {
	p.lex.next()
	schema, name, err := qualifiedName(p.lex)
	if err != nil {
		return nil, err
	}
	if err := expect(p.lex, ")"); err != nil {
		return nil, err
	}
	out := &ast.StreamTable{Schema: schema, Name: name}
	out.Alias, out.Columns, err = p.alias()
	return out, err
}

// values reads the rows of VALUES where it stands without parentheses, as in DuckDB, and the alias.
func (p *tableParser) values(t token) (ast.Table, error) {
	pos := position(t.Pos)
	list, err := rows(p.lex)
	if err != nil {
		return nil, err
	}
	out := &ast.Subquery{Pos: pos, Query: &ast.Select{Pos: pos, Rows: list}}
	out.Alias, out.Columns, err = p.alias()
	return out, err
}

// namesTable reports whether a token may be the name of a table rather than the beginning of a clause.
func namesTable(t token) bool {
	return t.Type == tokenQuoted || t.Type == tokenIdent && !notAliases[upper(t.Value)]
}

// otherTableFunctions says how what table functions of others do is written here.
var otherTableFunctions = map[string]string{
	"GAP_FILL":     "SELECT time_bucket(INTERVAL '1 minute', ts) AS t, last(x) FROM s GROUP BY t FILL (PREV)",
	"IMPOSE_ORDER": "leave it out: CREATE STREAM says how late events may be, WATERMARK FOR ts AS ts - INTERVAL '5 seconds'",
	"CHANGELOG":    "SUBSCRIBE TO name sends the changes of a stream or view",
	"DEDUP":        "SELECT * FROM s LATEST ON ts PARTITION BY key, or CREATE STREAM ... DEDUP KEY (key) WITHIN INTERVAL '1 hour'",
}

func tableFunctionHint(t token) string {
	if hint := otherTableFunctions[upper(t.Value)]; hint != "" {
		return hint
	}
	return "there are unnest, generate_series and jsonb_each, and TUMBLE, HOP, SESSION and CUMULATE for windows of time; any other function can be " +
		"called in the select list"
}

// tableCall takes a window table function in TABLE(...), which stands around it in the standard, and the alias behind that; or a name, around
// which Proton has it where a query is to end.
func (p *tableParser) tableCall() (ast.Table, error) {
	if err := expect(p.lex, "("); err != nil {
		return nil, err
	}
	t := p.lex.peek()
	if is(p.lex.second(), ")") && namesTable(t) {
		p.lex.next()
		p.lex.next()
		var err error
		out := &ast.StreamTable{Name: nameOf(t)}
		out.Alias, out.Columns, err = p.alias()
		return out, err
	}
	if t.Type != tokenIdent || !windowTables[upper(t.Value)] {
		if hint := otherTableFunctions[upper(t.Value)]; hint != "" {
			return nil, notSupported(t, "the table function "+upper(t.Value), hint)
		}
		return nil, &unexpected{token: t, expected: "TUMBLE, HOP, CUMULATE or SESSION"}
	}
	p.lex.next()
	inner, err := p.windowTable(t)
	if err != nil {
		return nil, err
	}
	if err := expect(p.lex, ")"); err != nil {
		return nil, err
	}
	out := inner.(*ast.WindowTable)
	if alias, columns, err := p.alias(); err != nil || alias != nil {
		out.Alias, out.Columns = alias, columns
		return out, err
	}
	return out, nil
}

// systemTime takes FOR SYSTEM_TIME AS OF and the time, if they come next. Any other use of FOR is a name.
func (p *tableParser) systemTime() (ast.Expr, error) {
	start := p.lex.mark()
	if !accept(p.lex, "FOR") || !accept(p.lex, "SYSTEM_TIME") {
		p.lex.reset(start)
		return nil, nil
	}
	if err := expect(p.lex, "AS"); err != nil {
		return nil, err
	}
	if err := expect(p.lex, "OF"); err != nil {
		return nil, err
	}
	return readExpr(p.lex)
}

// alias takes another name for a table, with names for its columns, if there is one.
func (p *tableParser) alias() (*ast.Name, []ast.Name, error) {
	if ahead(p.lex, "SEMI", "JOIN") || ahead(p.lex, "ANTI", "JOIN") {
		return nil, nil, nil
	}
	name, err := readAlias(p.lex)
	if name == nil || err != nil {
		return nil, nil, err
	}
	columns, err := namesInParentheses(p.lex)
	return name, columns, err
}

// beginsQuery reports whether the parenthesis that comes next holds a query rather than joined tables or an expression.
func beginsQuery(lex *cursor) bool {
	start := lex.mark()
	defer lex.reset(start)
	return accept(lex, "(") && holdsQuery(lex)
}

// holdsQuery is beginsQuery behind the parenthesis. A query that itself begins with a parenthesis is told from an expression, or from
// joined tables, by what follows that one's end. It moves lex.
func holdsQuery(lex *cursor) bool {
	first := lex.peek()
	switch {
	case is(first, "SELECT"), is(first, "WITH"), is(first, "FROM"):
		return true
	case is(first, "VALUES"):
		lex.next()
		return is(lex.peek(), "(")
	case is(first, "TABLE") && first.Type == tokenIdent:
		lex.next()
		return namesTable(lex.peek())
	case !beginsQuery(lex):
		return false
	}
	skipGroup(lex)
	next := lex.peek()
	for _, word := range []string{")", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET"} {
		if is(next, word) {
			return true
		}
	}
	return false
}

// skipGroup passes over what stands in parentheses, from the one that comes next to that which closes it.
func skipGroup(lex *cursor) {
	for depth := 0; !lex.peek().EOF(); {
		switch t := lex.next(); {
		case is(t, "("):
			depth++
		case is(t, ")"):
			if depth--; depth == 0 {
				return
			}
		}
	}
}
