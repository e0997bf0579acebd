package bind

import (
	"math"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// argument is a bound argument with the place that errors about it point to.
type argument struct {
	expr plan.Expr
	pos  event.Position
}

func (a argument) typ() event.Type { return a.expr.Type() }

// match is an overload that the arguments can be brought to.
type match struct {
	fn *plan.Function
	// casts adds up how far the arguments must be converted; less is better.
	casts int
	// strange says how far the types that literals without type would take are from what they stand beside; less is better.
	strange int
}

// resolve chooses the overload of a function or operator and brings the arguments to its types: the one with the fewest
// conversions, and among those the one that gives literals without type the type of their neighbours.
func resolve(name string, pos event.Position, args []argument) (*plan.Function, []plan.Expr, error) {
	fn, exprs, err := overloaded(zoneCall(name, args), pos, args)
	if err != nil {
		return nil, nil, err
	}
	for i, e := range exprs {
		exprs[i] = meant(e)
	}
	return clockwise(fn, args), exprs, nil
}

func overloaded(name string, pos event.Position, args []argument) (*plan.Function, []plan.Expr, error) {
	if fn, exprs, found, err := resolveArray(name, pos, args); found {
		return fn, exprs, err
	}
	if fn, exprs, ok := aggregateOfArrays(name, args); ok {
		return fn, exprs, nil
	}
	overloads := plan.Functions[name]
	if len(overloads) == 0 {
		missing := event.Errorf(event.CodeNotSupported, "the operator %s: not supported yet", name).At(pos)
		if name == "@?" || name == "@@" {
			missing = missing.WithHint("write %s", jsonPathInstead)
		}
		return nil, nil, missing
	}
	var matches []match
	for _, f := range overloads {
		if m, ok := tryOverload(f, args); ok {
			matches = append(matches, m)
		}
	}
	if len(matches) == 0 {
		return nil, nil, noOverload(name, pos, overloads, args)
	}
	slices.SortStableFunc(matches, func(a, b match) int {
		if a.casts != b.casts {
			return a.casts - b.casts
		}
		return a.strange - b.strange
	})
	var first error
	for _, m := range matches {
		if first != nil && !mayReadOtherwise(m, matches[0]) {
			break
		}
		fn := concrete(m.fn, args)
		exprs, err := coerceAll(fn, args)
		if err == nil {
			return fn, exprs, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, nil, first
}

// mayReadOtherwise allows, where a quoted literal cannot be read as its first choice, the one other reading that no text has
// in common with it: in ts - '5 minutes' the literal is no time, so it is an interval.
func mayReadOtherwise(m, best match) bool {
	if m.casts != best.casts || len(m.fn.Args) != len(best.fn.Args) {
		return false
	}
	for i, t := range m.fn.Args {
		chosen := best.fn.Args[i]
		// No origin of time_bucket reads as a time zone, nor a zone as a time.
		other := t.Kind == event.Interval || t.Kind == event.Text
		if !t.Equal(chosen) && (!other || chosen.Kind != event.TimestampTZ) {
			return false
		}
	}
	return true
}

// parameter is the type that an overload wants for argument i.
func parameter(f *plan.Function, i int) event.Type { return f.Args[min(i, len(f.Args)-1)] }

func tryOverload(f *plan.Function, args []argument) (match, bool) {
	if len(args) != len(f.Args) && (!f.Variadic || len(args) < len(f.Args)) {
		return match{}, false
	}
	m := match{fn: f}
	for i, a := range args {
		want := parameter(f, i)
		if a.typ().Kind == event.Unknown {
			m.strange += strangeness(want, args)
			continue
		}
		cost, ok := implicitCost(a.expr, want)
		if !ok || !mayAdapt(a, want, args) {
			return match{}, false
		}
		m.casts += cost
	}
	return m, true
}

// strangeness ranks a type for a literal without one: first what the other arguments are, then TEXT, then the rest. Beside JSONB
// a quoted literal is text and not JSON, so that attrs.region = 'EU' means what it says.
func strangeness(want event.Type, args []argument) int {
	best := math.MaxInt
	for _, a := range args {
		switch {
		case a.typ().Kind == event.JSONB && want.Kind == event.Text:
			return 0
		case (a.typ().Equal(want) && want.Kind != event.JSONB) || (a.typ().Kind == event.Numeric && want.Kind == event.Numeric):
			return 0
		case a.typ().Equal(want):
			best = min(best, 1)
		}
	}
	if want.Kind == event.Text {
		return min(best, 2)
	}
	return min(best, 3)
}

func coerceAll(f *plan.Function, args []argument) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(args))
	for i, a := range args {
		e, err := coerce(a, parameter(f, i))
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

func noOverload(name string, pos event.Position, overloads []*plan.Function, args []argument) error {
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = a.typ().String()
		if a.typ().Kind == event.Unknown {
			types[i] = "a literal"
		}
	}
	op := strings.ToUpper(name)
	switch symbol := overloads[0].Symbol; {
	case symbol && len(args) == 2:
		err := event.Errorf(event.CodeTypeMismatch, "%s %s %s is not defined", types[0], op, types[1]).At(pos)
		return err.WithHint("%s", operatorHint(overloads, args))
	case symbol:
		return event.Errorf(event.CodeTypeMismatch, "%s %s is not defined", op, strings.Join(types, ", ")).At(pos)
	}
	err := event.Errorf(event.CodeTypeMismatch, "%s(%s) is not defined", name, strings.Join(types, ", ")).At(pos)
	signatures := make([]string, len(overloads))
	for i, f := range overloads {
		signatures[i] = f.Signature()
	}
	const most = 8
	if len(signatures) > most {
		signatures = append(signatures[:most], "...")
	}
	return err.WithHint("%sthere is %s", castHint(overloads, args), strings.Join(signatures, ", "))
}

// castHint says how to convert the columns of TEXT that keep arguments from fitting an overload which takes a time there; it is empty
// where that is not what is wrong, and ends in a separator.
func castHint(overloads []*plan.Function, args []argument) string {
	for _, f := range overloads {
		if len(f.Args) != len(args) {
			continue
		}
		cast := slices.Clone(args)
		var hints []string
		for i, a := range args {
			if want := f.Args[i]; a.typ().Kind == event.Text && want.Kind == event.TimestampTZ {
				cast[i].expr = &plan.Cast{Input: a.expr, To: want}
				hints = append(hints, cast[i].expr.String())
			}
		}
		if _, ok := tryOverload(f, cast); ok && len(hints) > 0 {
			return "convert the text to a time: " + strings.Join(hints, ", ") + "; "
		}
	}
	return ""
}

// operatorHint lists what an operator takes beside the types of the arguments.
func operatorHint(overloads []*plan.Function, args []argument) string {
	var known []string
	for _, f := range overloads {
		if len(f.Args) == 2 && (f.Args[0].Equal(args[0].typ()) || f.Args[1].Equal(args[1].typ())) {
			known = append(known, f.Args[0].String()+" "+strings.ToUpper(f.Name)+" "+f.Args[1].String())
		}
	}
	if hint := castHint(overloads, args); hint != "" {
		return strings.TrimSuffix(hint, "; ")
	}
	if len(known) == 0 {
		return "convert the operands, as in x::BIGINT"
	}
	return "convert one side, as in x::BIGINT; there is " + strings.Join(known, ", ")
}
