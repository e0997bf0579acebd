package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// viewStatement is a statement about views. More than its first word tells it from others, so it is looked at ahead.
type viewStatement struct {
	Create    *createView       `parser:"(?= 'CREATE' ( 'OR' 'REPLACE' )? ( 'MATERIALIZED' 'VIEW' | 'CONTINUOUS' 'QUERY' ) ) @@"`
	Drop      *dropView         `parser:"| (?= 'DROP' 'MATERIALIZED' 'VIEW' ) @@"`
	Alter     *alterView        `parser:"| (?= 'ALTER' 'MATERIALIZED' 'VIEW' ) @@"`
	Show      *show             `parser:"| (?= 'SHOW' 'MATERIALIZED'? ( 'VIEWS' | 'WATERMARKS' | 'LATE' | 'STATE' ) ) @@"`
	Watermark *explainWatermark `parser:"| (?= 'EXPLAIN' 'WATERMARK' ) @@"`
	Explain   *explainView      `parser:"| (?= 'EXPLAIN' 'CREATE' ) @@"`
	Subscribe *subscribe        `parser:"| (?= 'SUBSCRIBE' ) @@"`
}

// createView also reads CREATE CONTINUOUS QUERY, which is another name for the same. Its options may stand in front of the query or behind all
// else, where PostgreSQL and TimescaleDB have theirs and RisingWave its sinks'.
type createView struct {
	Pos         lexer.Position
	OrReplace   bool         `parser:"'CREATE' ( @'OR' 'REPLACE' )? ( 'MATERIALIZED' 'VIEW' | 'CONTINUOUS' 'QUERY' )"`
	IfNotExists bool         `parser:"( @'IF' 'NOT' 'EXISTS' )?"`
	Name        name         `parser:"@@"`
	Columns     []name       `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Options     []option     `parser:"( 'WITH' '(' @@ ( ',' @@ )* ')' )?"`
	First       *emitClause  `parser:"@@?"`
	Query       *selectQuery `parser:"'AS' @@"`
	Emit        *emitClause  `parser:"@@?"`
	Late        *lateClause  `parser:"@@?"`
	Behind      []option     `parser:"( 'WITH' '(' @@ ( ',' @@ )* ')' )?"`
}

// emitClause is EMIT ON WINDOW CLOSE, with its other name EMIT FINAL, or EMIT ON UPDATE, with its other name EMIT CHANGES.
type emitClause struct {
	Pos      lexer.Position
	OnClose  bool        `parser:"'EMIT' ( 'ON' ( @( 'WINDOW' 'CLOSE' ) | 'UPDATE' ) | @'FINAL' | 'CHANGES' )"`
	Interval *expression `parser:"( (?= 'WITH' 'BATCH' ) 'WITH' 'BATCH' @@ )?"`
}

type dropView struct {
	Pos      lexer.Position
	IfExists bool `parser:"'DROP' 'MATERIALIZED' 'VIEW' ( @'IF' 'EXISTS' )?"`
	Name     name `parser:"@@"`
}

type alterView struct {
	Pos     lexer.Position
	Name    name     `parser:"'ALTER' 'MATERIALIZED' 'VIEW' @@"`
	Skip    bool     `parser:"( 'RESUME' @'SKIP'?"`
	Options []option `parser:"| 'SET' '(' @@ ( ',' @@ )* ')' )"`
}

type show struct {
	Pos  lexer.Position
	What string `parser:"'SHOW' ( 'MATERIALIZED' (?= 'VIEWS' ) )? @( 'VIEWS' | 'WATERMARKS' | 'LATE' | 'STATE' )"`
}

type explainWatermark struct {
	Pos  lexer.Position
	Name name `parser:"'EXPLAIN' 'WATERMARK' @@"`
}

type explainView struct {
	Pos  lexer.Position
	View createView `parser:"'EXPLAIN' @@"`
}

// subscribe names a stream or view, or has a query in parentheses.
type subscribe struct {
	Pos     lexer.Position
	Query   *selectQuery `parser:"'SUBSCRIBE' 'TO' ( '(' @@ ')'"`
	Name    *name        `parser:"| @@ )"`
	Options []option     `parser:"( 'WITH' '(' @@ ( ',' @@ )* ')' )?"`
}

func (s *subscribe) tree() (ast.Statement, error) {
	out := &ast.Subscribe{Pos: position(s.Pos)}
	if s.Name != nil {
		all := ast.Item{Expr: &ast.Star{Pos: s.Name.Pos}}
		out.Query = &ast.Select{Pos: s.Name.Pos, Items: []ast.Item{all}, From: &ast.StreamTable{Name: s.Name.Name}}
	} else {
		var err error
		if out.Query, err = s.Query.tree(); err != nil {
			return nil, err
		}
	}
	for _, o := range s.Options {
		out.Options = append(out.Options, ast.Option{Name: o.Name.Name, Value: o.Value.Expr})
	}
	return out, nil
}

func (v *viewStatement) tree() (ast.Statement, error) {
	switch {
	case v.Create != nil:
		return v.Create.tree()
	case v.Drop != nil:
		return &ast.DropView{Pos: position(v.Drop.Pos), IfExists: v.Drop.IfExists, Name: v.Drop.Name.Name}, nil
	case v.Alter != nil:
		return &ast.AlterView{Pos: position(v.Alter.Pos), Name: v.Alter.Name.Name, Skip: v.Alter.Skip, Options: optionList(v.Alter.Options)}, nil
	case v.Show != nil:
		return &ast.Show{Pos: position(v.Show.Pos), What: upper(v.Show.What)}, nil
	case v.Watermark != nil:
		return &ast.ExplainWatermark{Pos: position(v.Watermark.Pos), Name: v.Watermark.Name.Name}, nil
	case v.Subscribe != nil:
		return v.Subscribe.tree()
	default:
		view, err := v.Explain.View.tree()
		if err != nil {
			return nil, err
		}
		return &ast.ExplainView{Pos: position(v.Explain.Pos), View: view}, nil
	}
}

// tree gives a LATE clause that stands before EMIT, where the query has taken it for its own, to the view.
func (c *createView) tree() (*ast.CreateView, error) {
	query, err := c.Query.tree()
	if err != nil {
		return nil, err
	}
	out := &ast.CreateView{
		Pos: position(c.Pos), OrReplace: c.OrReplace, IfNotExists: c.IfNotExists, Name: c.Name.Name, Query: query,
		Emit: c.Emit.tree(), Late: c.Late.tree(),
	}
	if len(c.Columns) > 0 {
		out.Query = renamed(query, c.Columns)
	}
	if c.First != nil {
		if out.Emit != nil {
			return nil, event.Errorf(event.CodeSyntax, "a view has one EMIT clause").At(out.Emit.Pos)
		}
		out.Emit = c.First.tree()
	}
	if out.OrReplace && out.IfNotExists {
		return nil, event.Errorf(event.CodeSyntax, "OR REPLACE and IF NOT EXISTS exclude each other").At(out.Pos)
	}
	if query.Late != nil {
		if out.Late != nil {
			return nil, event.Errorf(event.CodeSyntax, "a view has one LATE clause").At(out.Late.Pos)
		}
		out.Late, query.Late = query.Late, nil
	}
	for _, o := range append(c.Options, c.Behind...) {
		out.Options = append(out.Options, ast.Option{Name: o.Name.Name, Value: o.Value.Expr})
	}
	return out, nil
}

// renamed is a query under other names of its columns.
func renamed(query *ast.Select, columns []name) *ast.Select {
	table := &ast.Subquery{Pos: query.Pos, Query: query, Alias: &ast.Name{Text: "query", Quoted: true, Pos: query.Pos}}
	for _, c := range columns {
		table.Columns = append(table.Columns, c.Name)
	}
	return &ast.Select{Pos: query.Pos, Items: []ast.Item{{Expr: &ast.Star{Pos: query.Pos}}}, From: table}
}

func (e *emitClause) tree() *ast.Emit {
	if e == nil {
		return nil
	}
	return &ast.Emit{Pos: position(e.Pos), OnClose: e.OnClose, Interval: e.Interval.tree()}
}
