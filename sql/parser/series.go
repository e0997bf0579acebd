package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// series reads the arguments of generate_series, whose name t has been taken, with WITH ORDINALITY and the alias.
func (p *tableParser) series(t token) (ast.Table, error) {
	if err := expect(p.lex, "("); err != nil {
		return nil, err
	}
	c := climber{lex: p.lex}
	out := &ast.Series{Function: nameOf(t)}
	var err error
	if out.Args, err = c.list(); err != nil {
		return nil, err
	}
	if acceptWords(p.lex, "WITH", "ORDINALITY") { // arrays are what has places
		numbered := &ast.Unnest{Function: out.Function, Args: out.Args, Ordinality: true}
		numbered.Alias, numbered.Columns, err = p.alias()
		return numbered, err
	}
	out.Alias, out.Columns, err = p.alias()
	return out, err
}
