package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// createStream reads CREATE STREAM [IF NOT EXISTS] name (elements) with what can follow it.
func createStream(lex *cursor) (ast.Statement, error) {
	out := &ast.CreateStream{Pos: position(lex.next().Pos)}
	err := expect(lex, "STREAM")
	if err != nil {
		return nil, err
	}
	if out.IfNotExists, err = ifNotExists(lex); err != nil {
		return nil, err
	}
	if out.Name, err = readName(lex); err != nil {
		return nil, err
	}
	for _, part := range []func(*cursor, *ast.CreateStream) error{streamElements, streamPartitions, streamDedup} {
		if err = part(lex, out); err != nil {
			return nil, err
		}
	}
	out.Options, err = withOptions(lex)
	return out, err
}

// ifNotExists takes IF NOT EXISTS if it comes next.
func ifNotExists(lex *cursor) (bool, error) {
	if !accept(lex, "IF") {
		return false, nil
	}
	return true, expect(lex, "NOT", "EXISTS")
}

// streamElements reads the columns of a stream, among which its WATERMARK stands.
func streamElements(lex *cursor, out *ast.CreateStream) error {
	if err := expect(lex, "("); err != nil {
		return err
	}
	err := commas(lex, func() error {
		start := lex.peek()
		if !ahead(lex, "WATERMARK", "FOR") { // a column may be called watermark too
			column, err := columnDef(lex)
			out.Columns = append(out.Columns, column)
			return err
		}
		watermark, err := readWatermark(lex)
		if err == nil && out.Watermark != nil {
			return event.Errorf(event.CodeSyntax, "a stream has one WATERMARK clause").At(position(start.Pos))
		}
		out.Watermark = watermark
		return err
	})
	if err != nil {
		return err
	}
	return expect(lex, ")")
}

// columnDef reads name type [NOT NULL | NULL].
func columnDef(lex *cursor) (ast.ColumnDef, error) {
	var out ast.ColumnDef
	var err error
	if out.Name, err = readName(lex); err != nil {
		return out, err
	}
	if out.Type, err = readType(lex); err != nil {
		return out, err
	}
	if err = intervalColumn(lex, out.Type); err != nil {
		return out, err
	}
	if accept(lex, "NULL") {
		return out, nil
	}
	if out.NotNull = accept(lex, "NOT"); out.NotNull {
		return out, expect(lex, "NULL")
	}
	return out, nil
}

// readWatermark reads WATERMARK FOR column AS expression [IDLE TIMEOUT width] [FUTURE LIMIT width].
func readWatermark(lex *cursor) (*ast.Watermark, error) {
	out := &ast.Watermark{Pos: position(lex.next().Pos)}
	lex.next() // FOR
	var err error
	if out.Column, err = readName(lex); err != nil {
		return nil, err
	}
	if t := lex.peek(); is(t, ",") || is(t, ")") {
		column := out.Column.String()
		return nil, event.Errorf(event.CodeSyntax, "WATERMARK FOR %s does not say how late events may be", column).At(out.Pos).
			WithHint("WATERMARK FOR %s AS %s - INTERVAL '5 seconds', or AS %s where they come in order", column, column, column)
	}
	if err = expect(lex, "AS"); err != nil {
		return nil, err
	}
	if out.As, err = readExpr(lex); err != nil {
		return nil, err
	}
	for _, limit := range []struct {
		first, second string
		width         *ast.Expr
	}{{"IDLE", "TIMEOUT", &out.IdleTimeout}, {"FUTURE", "LIMIT", &out.FutureLimit}} {
		if !accept(lex, limit.first) {
			continue
		}
		if err = expect(lex, limit.second); err != nil {
			return nil, err
		}
		if *limit.width, err = readExpr(lex); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// streamPartitions reads [PARTITION BY HASH (columns)] [PARTITIONS n].
func streamPartitions(lex *cursor, out *ast.CreateStream) error {
	if accept(lex, "PARTITION") {
		err := expect(lex, "BY", "HASH", "(")
		if err != nil {
			return err
		}
		if out.PartitionBy, err = readNames(lex); err != nil {
			return err
		}
	}
	if !accept(lex, "PARTITIONS") {
		return nil
	}
	t := lex.peek()
	if t.Type != tokenNumber {
		return &unexpected{token: t, expected: "a number"}
	}
	lex.next()
	out.Partitions = &ast.Number{Pos: position(t.Pos), Text: t.Value}
	return nil
}

// streamDedup reads [DEDUP KEY (columns) WITHIN width].
func streamDedup(lex *cursor, out *ast.CreateStream) error {
	if !accept(lex, "DEDUP") {
		return nil
	}
	key := &ast.DedupKey{Pos: position(lex.peek().Pos)}
	err := expect(lex, "KEY", "(")
	if err != nil {
		return err
	}
	if key.Columns, err = readNames(lex); err != nil {
		return err
	}
	if err = expect(lex, "WITHIN"); err != nil {
		return err
	}
	key.Within, err = readExpr(lex)
	out.Dedup = key
	return err
}
