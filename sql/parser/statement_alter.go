package parser

import "github.com/tidemarkdb/tidemark/sql/ast"

// alterStream reads ALTER STREAM name with columns to add or options to set.
func alterStream(lex *cursor) (ast.Statement, error) {
	out := &ast.AlterStream{Pos: position(lex.next().Pos)}
	err := expect(lex, "STREAM")
	if err != nil {
		return nil, err
	}
	if out.Name, err = readName(lex); err != nil {
		return nil, err
	}
	if accept(lex, "SET") {
		out.Options, err = options(lex)
		return out, err
	}
	if err = expect(lex, "ADD", "COLUMN"); err != nil {
		return nil, err
	}
	return out, commas(lex, func() error {
		if len(out.Add) > 0 {
			acceptWords(lex, "ADD", "COLUMN")
		}
		column, err := addColumn(lex)
		out.Add = append(out.Add, column)
		return err
	})
}

func addColumn(lex *cursor) (ast.AddColumn, error) {
	var out ast.AddColumn
	if accept(lex, "IF") {
		out.IfNotExists = true
		if err := expect(lex, "NOT", "EXISTS"); err != nil {
			return out, err
		}
	}
	var err error
	out.Column, err = columnDef(lex)
	return out, err
}

// options reads (name = value, ...). An option without a value is on, and other systems have names of two parts.
func options(lex *cursor) ([]ast.Option, error) {
	if err := expect(lex, "("); err != nil {
		return nil, err
	}
	var out []ast.Option
	err := commas(lex, func() error {
		var o ast.Option
		var err error
		if o.Name, err = readName(lex); err != nil {
			return err
		}
		for accept(lex, ".") {
			part, err := readName(lex)
			if err != nil {
				return err
			}
			o.Name = ast.Name{Text: o.Name.Text + "." + part.Text, Quoted: true, Pos: o.Name.Pos}
		}
		if t := lex.peek(); is(t, ",") || is(t, ")") {
			o.Value = &ast.Bool{Pos: o.Name.Pos, Value: true}
		} else if err = expect(lex, "="); err == nil {
			o.Value, err = readExpr(lex)
		}
		out = append(out, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, expect(lex, ")")
}

// withOptions reads WITH (name = value, ...) if it comes next.
func withOptions(lex *cursor) ([]ast.Option, error) {
	if !accept(lex, "WITH") {
		return nil, nil
	}
	return options(lex)
}
