package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

type dropStream struct {
	Pos      lexer.Position
	IfExists bool `parser:"'DROP' 'STREAM' ( @'IF' 'EXISTS' )?"`
	Name     name `parser:"@@"`
}

func (d *dropStream) tree() ast.Statement {
	return &ast.DropStream{Pos: position(d.Pos), IfExists: d.IfExists, Name: d.Name.Name}
}
