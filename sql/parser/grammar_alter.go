package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

type alterStream struct {
	Pos     lexer.Position
	Name    name         `parser:"'ALTER' 'STREAM' @@"`
	First   *addColumn   `parser:"( 'ADD' 'COLUMN' @@"`
	More    []*addColumn `parser:"( ',' ( (?= 'ADD' 'COLUMN' ) 'ADD' 'COLUMN' )? @@ )*"`
	Options []option     `parser:"| 'SET' '(' @@ ( ',' @@ )* ')' )"`
}

type addColumn struct {
	IfNotExists bool      `parser:"( @'IF' 'NOT' 'EXISTS' )?"`
	Column      columnDef `parser:"@@"`
}

func (a *alterStream) tree() ast.Statement {
	out := &ast.AlterStream{Pos: position(a.Pos), Name: a.Name.Name, Options: optionList(a.Options)}
	if a.First != nil {
		for _, c := range append([]*addColumn{a.First}, a.More...) {
			out.Add = append(out.Add, ast.AddColumn{IfNotExists: c.IfNotExists, Column: c.Column.tree()})
		}
	}
	return out
}

func (c columnDef) tree() ast.ColumnDef {
	return ast.ColumnDef{Name: c.Name.Name, Type: c.Type.TypeName, NotNull: c.NotNull}
}

func optionList(options []option) []ast.Option {
	var out []ast.Option
	for _, o := range options {
		out = append(out, ast.Option{Name: o.Name.Name, Value: o.Value.Expr})
	}
	return out
}
