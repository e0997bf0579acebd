package parser

import (
	"errors"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

type showTable struct {
	Pos  lexer.Position
	What shown `parser:"'SHOW' @@"`
}

func (s *showTable) tree() ast.Statement {
	if !s.What.Quoted && upper(s.What.Text) == "STREAMS" {
		return &ast.ShowStreams{Pos: position(s.Pos)}
	}
	return &ast.ShowTable{Pos: position(s.Pos), What: s.What.Name}
}

// shown is what can be shown.
type shown struct{ name }

// Parse takes a name.
func (s *shown) Parse(lex *lexer.PeekingLexer) error {
	err := s.name.Parse(lex)
	var u *unexpected
	if errors.As(err, &u) {
		u.expected = "STREAMS, QUERIES or the name of another system table"
	}
	return err
}

type describe struct {
	Pos    lexer.Position
	Stream qualifiedName `parser:"( 'DESCRIBE' | 'DESC' ) @@"`
}

func (d *describe) tree() ast.Statement {
	return &ast.Describe{Pos: position(d.Pos), Schema: d.Stream.schema, Stream: d.Stream.Name}
}

// qualifiedName is a name that may have a schema in front.
type qualifiedName struct {
	schema *ast.Name
	ast.Name
}

// Parse takes one name, or two with a dot between them.
func (n *qualifiedName) Parse(lex *lexer.PeekingLexer) error {
	var first name
	if err := first.Parse(lex); err != nil {
		return err
	}
	n.Name = first.Name
	if !accept(lex, ".") {
		return nil
	}
	var second name
	err := second.Parse(lex)
	n.schema, n.Name = &first.Name, second.Name
	return err
}

type killQuery struct {
	Pos lexer.Position
	ID  expression `parser:"'KILL' 'QUERY' @@"`
}

func (k *killQuery) tree() ast.Statement { return &ast.KillQuery{Pos: position(k.Pos), ID: k.ID.Expr} }
