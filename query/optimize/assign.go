package optimize

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// assignOver is an assignment over another input, by a time over that.
func assignOver(n *plan.Assign, input plan.Node, time plan.Expr) *plan.Assign {
	out := *n
	out.Input, out.Time = input, time
	return &out
}

// pruneAssign keeps the two columns of the window also where nobody reads them: the node decides how often each row comes.
func pruneAssign(n *plan.Assign, used []bool) (plan.Node, places, error) {
	width := plan.Width(n.Input)
	input, at, err := pruneInput(n.Input, used[:width], n.Time)
	if err != nil {
		return nil, nil, err
	}
	kept := plan.Width(input)
	return assignOver(n, input, at.move(n.Time)), append(slices.Clip(at), kept, kept+1), nil
}

// pushIntoAssign moves conditions on the input's columns below the assignment, which copies those. What bounds the window bounds
// the time as well, which lets whole stretches of a stream be left unread.
func pushIntoAssign(n *plan.Assign, conjuncts []plan.Expr) plan.Node {
	width := plan.Width(n.Input)
	var below, above []plan.Expr
	for _, c := range conjuncts {
		onWindow := false
		plan.Walk(c, func(e plan.Expr) {
			ref, ok := e.(*plan.ColumnRef)
			onWindow = onWindow || (ok && ref.Index >= width)
		})
		if onWindow || mayFail(c) { // below it could meet a row that falls into no window
			above = append(above, c)
			below = append(below, timeBounds(n, c, width)...)
			continue
		}
		below = append(below, c)
	}
	var out plan.Node = n
	if len(below) > 0 {
		out = assignOver(n, pushInto(n.Input, below), n.Time)
	}
	if len(above) > 0 {
		out = &plan.Filter{Input: out, Predicate: conjunction(above)}
	}
	return out
}

// timeBounds are conditions on the time that follow from one that compares a bound of the window with a value: no row comes before
// its window's start, each comes before its end, and these are no further apart than the size.
func timeBounds(n *plan.Assign, c plan.Expr, width int) []plan.Expr {
	call, ok := c.(*plan.Call)
	if !ok || len(call.Args) != 2 || mirrored[call.Fn.Name] == "" {
		return nil
	}
	column, value, op := call.Args[0], call.Args[1], call.Fn.Name
	ref, ok := column.(*plan.ColumnRef)
	if !ok {
		value, op = call.Args[0], mirrored[op]
		if ref, ok = call.Args[1].(*plan.ColumnRef); !ok {
			return nil
		}
	}
	if ref.Index < width || !isConstant(value) {
		return nil
	}
	low, high := value, value // for the start; for the end, each is a size earlier
	if ref.Index == width {
		high = shiftedTime("+", value, n.Size)
	} else {
		low = shiftedTime("-", value, n.Size)
	}
	var out []plan.Expr
	for _, bound := range []struct {
		op      string
		value   plan.Expr
		follows bool
	}{{">=", low, op == ">=" || op == ">" || op == "="}, {"<", high, op == "<=" || op == "<" || op == "="}} {
		if !bound.follows || bound.value == nil {
			continue
		}
		e := foldExpr(&plan.Call{Fn: timeFunction(bound.op, event.TimestampTZ), Args: []plan.Expr{n.Time, bound.value}})
		if !mayFail(e) && isNews(n.Input, e) {
			out = append(out, e)
		}
	}
	return out
}

// isNews reports whether a condition would reach a scan that does not apply it yet.
func isNews(n plan.Node, e plan.Expr) bool {
	same := func(known plan.Expr) bool { return plan.Same(known, e) }
	switch n := n.(type) {
	case *plan.Scan:
		return !slices.ContainsFunc(n.Filter, same)
	case *plan.Filter:
		return !slices.ContainsFunc(plan.Conjuncts(n.Predicate), same) && isNews(n.Input, e)
	case *plan.Project:
		return isNews(n.Input, replaceColumns(e, func(c *plan.ColumnRef) plan.Expr { return n.Exprs[c.Index] }))
	default:
		return false
	}
}

// shiftedTime moves a time by a size; nil where that is of months, which are not all of one length.
func shiftedTime(op string, time plan.Expr, size *plan.Literal) plan.Expr {
	if size.Value.(*array.MonthDayNanoInterval).Value(0).Months != 0 {
		return nil
	}
	return &plan.Call{Fn: timeFunction(op, event.Interval), Args: []plan.Expr{time, size}}
}

// timeFunction is the operator between a time and a value of another kind.
func timeFunction(op string, with event.Kind) *plan.Function {
	for _, f := range plan.Functions[op] {
		if len(f.Args) == 2 && f.Args[0].Kind == event.TimestampTZ && f.Args[1].Kind == with {
			return f
		}
	}
	panic("optimize: times have no operator " + op)
}

func isConstant(e plan.Expr) bool {
	out := true
	plan.Walk(e, func(e plan.Expr) {
		_, isColumn := e.(*plan.ColumnRef)
		out = out && !isColumn
	})
	return out
}
