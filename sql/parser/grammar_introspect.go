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
	Query  *selectQuery   `parser:"( 'DESCRIBE' | 'DESC' ) ( @@"`
	Stream *qualifiedName `parser:"| @@ )"`
}

func (d *describe) tree() (ast.Statement, error) {
	if d.Query == nil {
		return &ast.Describe{Pos: position(d.Pos), Schema: d.Stream.schema, Stream: d.Stream.Name}, nil
	}
	query, err := d.Query.tree()
	return &ast.Describe{Pos: position(d.Pos), Query: query}, err
}

type summarize struct {
	Pos    lexer.Position
	Query  *selectQuery   `parser:"'SUMMARIZE' ( @@"`
	Stream *qualifiedName `parser:"| @@ )"`
}

func (s *summarize) tree() (ast.Statement, error) {
	if s.Query != nil {
		query, err := s.Query.tree()
		return &ast.Summarize{Pos: position(s.Pos), Query: query}, err
	}
	pos := s.Stream.Pos
	all := &ast.Select{
		Pos:   pos,
		Items: []ast.Item{{Expr: &ast.Star{Pos: pos}}},
		From:  &ast.StreamTable{Schema: s.Stream.schema, Name: s.Stream.Name},
	}
	return &ast.Summarize{Pos: position(s.Pos), Query: all}, nil
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
