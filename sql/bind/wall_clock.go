package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// What is written as TIMESTAMP is a TIMESTAMPTZ with its Clock set: what clocks show, as if they stood in UTC. Comparisons and arithmetic
// take it as any other time; AT TIME ZONE and the text of a value tell the two apart.

// clockwise is a function over the arguments given, whose result is what a clock shows where all times among them are, as a sum of a time
// and an interval is. AT TIME ZONE gives what clocks in a zone show.
func clockwise(fn *plan.Function, args []argument) *plan.Function {
	result := fn.Result
	if result.Kind == event.Array {
		result = *result.Elem
	}
	if result.Kind != event.TimestampTZ || result.Clock || fn.Name == "from_wall_clock" || fn.Name != "timezone" && !fromClocks(fn, args) {
		return fn
	}
	out := *fn
	result.Clock = true
	if out.Result = result; fn.Result.Kind == event.Array {
		out.Result = event.ArrayOf(result)
	}
	return &out
}

// fromClocks reports whether there are times among the arguments of a function, and all of them are what a clock shows. Days to which
// something is added are.
func fromClocks(fn *plan.Function, args []argument) bool {
	found := false
	for _, a := range args {
		t := a.typ()
		if t.Kind == event.Array {
			t = *t.Elem
		}
		switch {
		case t.Kind == event.TimestampTZ && !t.Clock:
			return false
		case t.Kind == event.TimestampTZ, t.Kind == event.Date && (fn.Name == "+" || fn.Name == "-"):
			found = true
		}
	}
	return found
}

// asClock gives a time the type that it is meant to have, of the two that are one in memory.
func asClock(e plan.Expr, to event.Type) plan.Expr {
	if e.Type().Clock == to.Clock {
		return e
	}
	if literal, ok := e.(*plan.Literal); ok {
		return &plan.Literal{Value: literal.Value, Typ: to}
	}
	return &plan.Cast{Input: e, To: to}
}

// meant is an expression without a cast that only says how its value is meant, which the function around it has taken note of.
func meant(e plan.Expr) plan.Expr {
	c, ok := e.(*plan.Cast)
	if !ok || c.Try || c.To.Kind != event.TimestampTZ || !c.Input.Type().Equal(c.To) {
		return e
	}
	return c.Input
}

// zoneCall is the function that AT TIME ZONE stands for: of what a clock shows it is the moment at which one in the zone shows it.
func zoneCall(name string, args []argument) string {
	if name == "timezone" && len(args) == 2 && args[1].typ().Clock {
		return "from_wall_clock"
	}
	return name
}
