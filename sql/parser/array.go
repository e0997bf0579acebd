package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// arrayAhead reports whether ARRAY [ or ARRAY ( query ) comes next, rather than a name.
func (c *climber) arrayAhead(t token) bool {
	if t.Type != tokenIdent || !is(t, "ARRAY") {
		return false
	}
	start := c.lex.mark()
	defer c.lex.reset(start)
	c.lex.next()
	return is(c.lex.peek(), "[") || beginsQuery(c.lex)
}

// array reads ARRAY[...] or ARRAY(query); the word t comes next.
func (c *climber) array(t token) (ast.Expr, error) {
	c.lex.next()
	if accept(c.lex, "(") {
		query, err := c.query()
		return &ast.ArrayQuery{Pos: position(t.Pos), Query: query}, err
	}
	c.lex.next()
	return c.elements(position(t.Pos))
}

// elements reads up to the closing bracket; the opening one has been taken. An array inside needs no word before it.
func (c *climber) elements(pos event.Position) (ast.Expr, error) {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxDepth {
		return nil, tooDeep(c.lex.peek())
	}
	out := &ast.Array{Pos: pos}
	if accept(c.lex, "]") {
		return out, nil
	}
	for {
		t := c.lex.peek()
		var item ast.Expr
		var err error
		if accept(c.lex, "[") {
			item, err = c.elements(position(t.Pos))
		} else {
			item, err = c.expr(powerOr)
		}
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
		if !accept(c.lex, ",") {
			return out, expect(c.lex, "]")
		}
	}
}

// subscript reads what follows [ behind an array: a place, or two bounds with a colon between them, each of which may be missing.
func (c *climber) subscript(left ast.Expr, pos event.Position) (ast.Expr, error) {
	bounds := []ast.Expr{&ast.Null{Pos: pos}, &ast.Null{Pos: pos}}
	var err error
	if !is(c.lex.peek(), ":") {
		if bounds[0], err = c.expr(powerOr); err != nil {
			return nil, err
		}
	}
	if accept(c.lex, "]") {
		return &ast.Call{Name: ast.Name{Text: "subscript", Pos: pos}, Args: []ast.Expr{left, bounds[0]}}, nil
	}
	if err := expect(c.lex, ":"); err != nil {
		return nil, err
	}
	if !is(c.lex.peek(), "]") {
		if bounds[1], err = c.expr(powerOr); err != nil {
			return nil, err
		}
	}
	call := &ast.Call{Name: ast.Name{Text: "array_slice", Pos: pos}, Args: append([]ast.Expr{left}, bounds...)}
	return call, expect(c.lex, "]")
}

// unnestTables are the table functions that give the elements of arrays, or of what becomes arrays.
var unnestTables = wordSet(`
	UNNEST REGEXP_SPLIT_TO_TABLE STRING_TO_TABLE GENERATE_SUBSCRIPTS
	JSONB_ARRAY_ELEMENTS JSONB_ARRAY_ELEMENTS_TEXT JSON_ARRAY_ELEMENTS JSON_ARRAY_ELEMENTS_TEXT
	JSONB_OBJECT_KEYS JSON_OBJECT_KEYS JSONB_EACH JSONB_EACH_TEXT JSON_EACH JSON_EACH_TEXT`)

// unnest reads the arguments of a table function over arrays, whose name t has been taken, with WITH ORDINALITY and the alias.
func (p *tableParser) unnest(t token) (ast.Table, error) {
	if err := expect(p.lex, "("); err != nil {
		return nil, err
	}
	c := climber{lex: p.lex}
	out := &ast.Unnest{Function: nameOf(t)}
	var err error
	if out.Args, err = c.list(); err != nil {
		return nil, err
	}
	out.Ordinality = acceptWords(p.lex, "WITH", "ORDINALITY")
	out.Alias, out.Columns, err = p.alias()
	return out, err
}
