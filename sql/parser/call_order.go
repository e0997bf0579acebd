package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// arguments reads what stands between the parentheses of a call: [ALL | DISTINCT] list [IGNORE | RESPECT NULLS] [ORDER BY keys].
func (c *climber) arguments(out *ast.Call) error {
	if !accept(c.lex, "ALL") {
		out.Distinct = accept(c.lex, "DISTINCT")
	}
	var given []bool
	for {
		if err := c.argument(out, &given); err != nil {
			return err
		}
		if !accept(c.lex, ",") {
			break
		}
	}
	withoutZone(out, given)
	c.nulls(out)
	if is(c.lex.peek(), "ORDER") {
		if err := c.orderBy(out); err != nil {
			return err
		}
	}
	return expect(c.lex, ")")
}

// withinGroup reads WITHIN GROUP (ORDER BY keys).
func (c *climber) withinGroup(out *ast.Call) error {
	start := c.lex.peek()
	if len(out.OrderBy) > 0 {
		return &unexpected{token: start, expected: "no second ORDER BY"}
	}
	for _, word := range []string{"WITHIN", "GROUP", "("} {
		if err := expect(c.lex, word); err != nil {
			return err
		}
	}
	out.Within = true
	if err := c.orderBy(out); err != nil {
		return err
	}
	return expect(c.lex, ")")
}

func (c *climber) orderBy(out *ast.Call) error {
	keys, err := c.orderKeys()
	out.OrderBy = append(out.OrderBy, keys...)
	return err
}

// orderKeys reads ORDER BY and its keys.
func (c *climber) orderKeys() ([]ast.Order, error) {
	if err := expect(c.lex, "ORDER", "BY"); err != nil {
		return nil, err
	}
	var out []ast.Order
	err := commas(c.lex, func() error {
		key, err := c.orderKey()
		out = append(out, key)
		return err
	})
	return out, err
}

func (c *climber) orderKey() (ast.Order, error) {
	x, err := c.expr(powerOr)
	if err != nil {
		return ast.Order{}, err
	}
	key := ast.Order{Expr: x}
	if !accept(c.lex, "ASC") {
		key.Descending = accept(c.lex, "DESC")
	}
	if !accept(c.lex, "NULLS") {
		return key, nil
	}
	switch {
	case accept(c.lex, "FIRST"):
		key.Nulls = ast.NullsFirst
	case accept(c.lex, "LAST"):
		key.Nulls = ast.NullsLast
	default:
		return key, &unexpected{token: c.lex.peek(), expected: "FIRST or LAST"}
	}
	return key, nil
}
