package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// selectReader reads SELECT with the clauses of its own.
type selectReader struct {
	lex *cursor
	out *ast.Select
}

// readSelect reads what follows SELECT; pos is where the query begins.
func readSelect(lex *cursor, pos event.Position) (*ast.Select, error) {
	r := selectReader{lex: lex, out: &ast.Select{Pos: pos}}
	for _, clauses := range [...]func(*selectReader) error{
		(*selectReader).outputs, (*selectReader).source, (*selectReader).grouping, (*selectReader).windows, (*selectReader).late,
	} {
		if err := clauses(&r); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

// outputs reads DISTINCT and what is selected.
func (r *selectReader) outputs() error {
	out := r.out
	if t := r.lex.peek(); asksForStream(r.lex) {
		return notSupported(t, "SELECT STREAM", "leave STREAM out: a SELECT ends, SUBSCRIBE TO (SELECT ...) and CREATE MATERIALIZED VIEW name AS SELECT ... go on")
	}
	if out.Distinct = accept(r.lex, "DISTINCT"); !out.Distinct {
		accept(r.lex, "ALL")
	} else if accept(r.lex, "ON") {
		if err := expect(r.lex, "("); err != nil {
			return err
		}
		keys := climber{lex: r.lex}
		var err error
		if out.DistinctOn, err = keys.list(); err != nil {
			return err
		}
	}
	if is(r.lex.peek(), "FROM") { // EXISTS needs no columns
		return nil
	}
	return commas(r.lex, func() error {
		value, err := readExpr(r.lex)
		if err != nil {
			return err
		}
		name, err := readAlias(r.lex)
		out.Items = append(out.Items, ast.Item{Expr: value, Alias: name})
		return err
	})
}

// asksForStream reports whether STREAM comes next as Calcite has it, before what is selected. It is a column where an alias may follow.
func asksForStream(lex *cursor) bool {
	start := lex.mark()
	defer lex.reset(start)
	if t := lex.peek(); t.Type != tokenIdent || !accept(lex, "STREAM") {
		return false
	}
	next := lex.peek()
	if is(next, "*") || is(next, "DISTINCT") {
		lex.next()
		return is(next, "DISTINCT") || is(lex.peek(), "FROM") || is(lex.peek(), ",")
	}
	if next.Type != tokenIdent && next.Type != tokenQuoted || beginsClause(lex) {
		return false
	}
	lex.next()
	return !is(lex.peek(), ",") && !is(lex.peek(), "FROM") && !is(lex.peek(), ")") && !lex.peek().EOF()
}

// source reads where rows come from and which of them count.
func (r *selectReader) source() error {
	var matched ast.Expr
	var err error
	if accept(r.lex, "FROM") {
		if r.out.From, matched, err = readTables(r.lex); err != nil {
			return err
		}
	}
	if is(r.lex.peek(), "WINDOW") {
		if r.out.Stream, err = streamWindow(r.lex); err != nil {
			return err
		}
	}
	if r.out.Where, err = condition(r.lex, "WHERE"); err != nil {
		return err
	}
	r.out.Where = both(matched, r.out.Where)
	if is(r.lex.peek(), "LATEST") {
		r.out.Latest, err = latestOn(r.lex)
	}
	return err
}

// grouping reads GROUP BY, SAMPLE BY with what belongs to it, and HAVING.
func (r *selectReader) grouping() error {
	err := r.groupBy()
	if err != nil {
		return err
	}
	sample, err := sampleBy(r.lex)
	if err != nil {
		return err
	}
	if r.out.Fill, err = fillClause(r.lex); err != nil {
		return err
	}
	if r.out.Sample, err = alignTo(r.lex, sample); err != nil {
		return err
	}
	r.out.Having, err = condition(r.lex, "HAVING")
	return err
}

func (r *selectReader) groupBy() error {
	if !accept(r.lex, "GROUP") {
		return nil
	}
	if err := expect(r.lex, "BY"); err != nil {
		return err
	}
	if r.out.GroupByAll = accept(r.lex, "ALL") && !r.beginsGroups(); r.out.GroupByAll {
		return nil
	}
	r.out.GroupByDistinct = accept(r.lex, "DISTINCT")
	return commas(r.lex, func() error {
		key, err := groupBy(r.lex, 0)
		r.out.GroupBy = append(r.out.GroupBy, key)
		return err
	})
}

// beginsGroups reports whether words for several sets of groups come next, before which ALL says that equal ones are kept.
func (r *selectReader) beginsGroups() bool {
	t, next := r.lex.peek(), r.lex.second()
	return t.Type == tokenIdent && (is(next, "(") && (is(t, "ROLLUP") || is(t, "CUBE")) || is(t, "GROUPING") && is(next, "SETS"))
}

// windows reads the windows that have names, and QUALIFY.
func (r *selectReader) windows() error {
	if accept(r.lex, "WINDOW") {
		err := commas(r.lex, func() error {
			w, err := namedWindow(r.lex)
			r.out.Windows = append(r.out.Windows, w)
			return err
		})
		if err != nil {
			return err
		}
	}
	var err error
	r.out.Qualify, err = condition(r.lex, "QUALIFY")
	return err
}

func (r *selectReader) late() error {
	var err error
	r.out.Late, err = readLate(r.lex)
	return err
}

// commas reads things with commas between them.
func commas(lex *cursor, read func() error) error {
	for {
		if err := read(); err != nil || !accept(lex, ",") {
			return err
		}
	}
}

// condition reads an expression behind a word, if that comes next.
func condition(lex *cursor, word string) (ast.Expr, error) {
	if !accept(lex, word) {
		return nil, nil
	}
	return readExpr(lex)
}
