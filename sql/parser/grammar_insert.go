package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

type insert struct {
	Pos     lexer.Position
	Stream  name         `parser:"'INSERT' 'INTO' @@"`
	Columns []name       `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Rows    []insertRow  `parser:"( 'VALUES' @@ ( ',' @@ )*"`
	Query   *selectQuery `parser:"| @@ )"`
}

type insertRow struct {
	Values []expression `parser:"'(' @@ ( ',' @@ )* ')'"`
}

func (s *insert) tree() (ast.Statement, error) {
	out := &ast.Insert{Pos: position(s.Pos), Stream: s.Stream.Name, Columns: names(s.Columns)}
	for _, row := range s.Rows {
		out.Rows = append(out.Rows, trees(row.Values))
	}
	if s.Query == nil {
		return out, nil
	}
	query, err := s.Query.tree()
	out.Query = query
	return out, err
}
