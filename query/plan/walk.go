package plan

// Walk visits an expression and everything in it, outermost first.
func Walk(e Expr, visit func(Expr)) {
	visit(e)
	for _, in := range Operands(e) {
		Walk(in, visit)
	}
}

// Operands are the expressions directly inside e, in the order in which they print.
func Operands(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Cast:
		return []Expr{e.Input}
	case *Subquery:
		if e.Test == nil {
			return e.Args
		}
		return append(append([]Expr(nil), e.Args...), e.Test)
	case *Case:
		out := make([]Expr, 0, 2*len(e.Whens)+1)
		for _, w := range e.Whens {
			out = append(out, w.Condition, w.Then)
		}
		if e.Else != nil {
			out = append(out, e.Else)
		}
		return out
	default:
		return nil
	}
}

// MarkColumns sets used[i] for every input column i that the expressions refer to.
func MarkColumns(used []bool, exprs ...Expr) {
	for _, e := range exprs {
		Walk(e, func(e Expr) {
			if c, ok := e.(*ColumnRef); ok {
				used[c.Index] = true
			}
		})
	}
}

// Conjuncts splits a condition at its ANDs, left to right.
func Conjuncts(e Expr) []Expr {
	if c, ok := e.(*Call); ok && c.Fn.Name == "and" {
		var out []Expr
		for _, arg := range c.Args {
			out = append(out, Conjuncts(arg)...)
		}
		return out
	}
	return []Expr{e}
}
