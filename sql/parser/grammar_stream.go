package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

type createStream struct {
	Pos         lexer.Position
	IfNotExists bool            `parser:"'CREATE' 'STREAM' ( @'IF' 'NOT' 'EXISTS' )?"`
	Name        name            `parser:"@@"`
	Elements    []streamElement `parser:"'(' @@ ( ',' @@ )* ')'"`
	PartitionBy []name          `parser:"( 'PARTITION' 'BY' 'HASH' '(' @@ ( ',' @@ )* ')' )?"`
	Partitions  *lexer.Token    `parser:"( 'PARTITIONS' @Number )?"`
	Dedup       *dedupKey       `parser:"( 'DEDUP' @@ )?"`
	Options     []option        `parser:"( 'WITH' '(' @@ ( ',' @@ )* ')' )?"`
}

// streamElement is a WATERMARK clause or a column, which may be called watermark too.
type streamElement struct {
	Watermark *watermark `parser:"(?= 'WATERMARK' 'FOR' ) @@"`
	Column    *columnDef `parser:"| @@"`
}

type columnDef struct {
	Name    name     `parser:"@@"`
	Type    typeName `parser:"@@"`
	NotNull bool     `parser:"( @'NOT' 'NULL' | 'NULL' )?"`
}

type watermark struct {
	Pos         lexer.Position
	Column      name        `parser:"'WATERMARK' 'FOR' @@"`
	As          expression  `parser:"'AS' @@"`
	IdleTimeout *expression `parser:"( 'IDLE' 'TIMEOUT' @@ )?"`
	FutureLimit *expression `parser:"( 'FUTURE' 'LIMIT' @@ )?"`
}

// dedupKey is what follows DEDUP.
type dedupKey struct {
	Pos     lexer.Position
	Columns []name     `parser:"'KEY' '(' @@ ( ',' @@ )* ')'"`
	Within  expression `parser:"'WITHIN' @@"`
}

type option struct {
	Name  name       `parser:"@@"`
	Value expression `parser:"'=' @@"`
}

func (c *createStream) tree() (ast.Statement, error) {
	out := &ast.CreateStream{
		Pos: position(c.Pos), IfNotExists: c.IfNotExists, Name: c.Name.Name, PartitionBy: names(c.PartitionBy),
	}
	for _, e := range c.Elements {
		switch {
		case e.Column != nil:
			out.Columns = append(out.Columns, e.Column.tree())
		case out.Watermark != nil:
			return nil, event.Errorf(event.CodeSyntax, "a stream has one WATERMARK clause").At(position(e.Watermark.Pos))
		default:
			out.Watermark = e.Watermark.tree()
		}
	}
	if c.Partitions != nil {
		out.Partitions = &ast.Number{Pos: position(c.Partitions.Pos), Text: c.Partitions.Value}
	}
	if c.Dedup != nil {
		out.Dedup = &ast.DedupKey{Pos: position(c.Dedup.Pos), Columns: names(c.Dedup.Columns), Within: c.Dedup.Within.Expr}
	}
	out.Options = optionList(c.Options)
	return out, nil
}

func (w *watermark) tree() *ast.Watermark {
	return &ast.Watermark{
		Pos: position(w.Pos), Column: w.Column.Name, As: w.As.Expr,
		IdleTimeout: w.IdleTimeout.tree(), FutureLimit: w.FutureLimit.tree(),
	}
}
