package kernel

import (
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// The infinite times compare as the greatest and the least. What is computed of them follows PostgreSQL: shifted and truncated they stay
// what they are, their years are infinite and their months NULL, and what else would need a calendar is an error.

// takeInfinities are the strict functions that need no care for infinite arguments.
var takeInfinities = []string{"=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct from", "nullif", "to_jsonb"}

// keepInfinities are those that give an infinite argument back.
var keepInfinities = []string{"date_trunc", "timezone"}

// guardInfinities puts the rules for infinite times around the functions of times.
func (r registry) guardInfinities() {
	for signature, impl := range r {
		name, list, _ := strings.Cut(strings.TrimSuffix(signature, ")"), "(")
		if impl.lax != nil || slices.Contains(takeInfinities, name) {
			continue
		}
		args := strings.Split(list, ", ")
		guard := impl
		for at, arg := range args {
			if arg != "TIMESTAMPTZ" && arg != "DATE" {
				continue
			}
			rule := ruleOfInfinities(name, args, at)
			guard = guard.around(func(k kernel) kernel { return withInfinities(k, at, rule) })
		}
		r[signature] = guard
	}
}

// around puts something around a kernel, whether that is there already or prepared for constants.
func (i implementation) around(f func(k kernel) kernel) implementation {
	if i.strict != nil {
		i.strict = f(i.strict)
	}
	if prepare := i.prepare; prepare != nil {
		i.prepare = func(constants []arrow.Array) (kernel, error) {
			k, err := prepare(constants)
			if err != nil || k == nil {
				return nil, err
			}
			return f(k), nil
		}
	}
	return i
}

// infinityRule computes a call whose argument number at is infinite in some rows.
type infinityRule func(c *call, k kernel, at int, rows []int) (arrow.Array, error)

func ruleOfInfinities(name string, args []string, at int) infinityRule {
	if slices.Contains(keepInfinities, name) || len(args) == 2 && (name == "+" || name == "-") {
		switch other := args[len(args)-1-at]; {
		case args[at] == "TIMESTAMPTZ" && other != "TIMESTAMPTZ":
			return keptInfinities[arrow.Timestamp]
		case args[at] == "DATE" && other == "BIGINT":
			return keptInfinities[int32]
		case len(args) == 3 && args[at] == "TIMESTAMPTZ":
			return keptInfinities[arrow.Timestamp]
		}
	}
	if name == "extract" {
		return extractedInfinities
	}
	return func(c *call, _ kernel, at int, rows []int) (arrow.Array, error) {
		return nil, errInfinite(name, infiniteAt(c.args[at], rows[0]))
	}
}

func withInfinities(k kernel, at int, rule infinityRule) kernel {
	return func(c *call) (arrow.Array, error) {
		if rows := infiniteRows(c, at); len(rows) > 0 {
			return rule(c, k, at, rows)
		}
		return k(c)
	}
}

func isInfinite(micros int64) bool {
	return uint64(micros)-math.MaxInt64 <= 1 // the greatest and the least number are neighbours without their sign
}

func errInfinite(name string, micros int64) error {
	return event.Errorf(event.CodeInvalidValue, "%s of %s is not defined", name, event.FormatTimestamp(micros)).
		WithHint("leave such rows out by isfinite(...)")
}

// infiniteRows lists the rows in which an argument is infinite.
func infiniteRows(c *call, at int) []int {
	var found []int
	arg := c.args[at]
	if arg.Array.DataType().ID() == arrow.DATE32 {
		days := fixed[int32](arg)
		for i := range c.rows {
			if v := days.at(i); (v == math.MaxInt32 || v == math.MinInt32) && c.valid.Valid(i) {
				found = append(found, i)
			}
		}
		return found
	}
	micros := fixed[int64](arg)
	for i := range c.rows {
		if isInfinite(micros.at(i)) && c.valid.Valid(i) {
			found = append(found, i)
		}
	}
	return found
}

func infiniteAt(o Operand, row int) int64 {
	if o.Array.DataType().ID() == arrow.DATE32 {
		micros, _ := event.DateStart(fixed[int32](o).at(row))
		return micros
	}
	return fixed[int64](o).at(row)
}

// finite computes a call with the start of 1970 in the place of infinite arguments.
func finite[T arrow.FixedWidthType](c *call, k kernel, at int, rows []int) (arrow.Array, column[T], error) {
	given := fixed[T](c.args[at])
	values := make([]T, c.rows)
	for i := range values {
		values[i] = given.at(i)
	}
	var zero T
	for _, i := range rows {
		values[i] = zero
	}
	inner := *c
	inner.args = slices.Clone(c.args)
	inner.args[at] = Operand{Array: event.NewFixed(c.args[at].Array.DataType(), values, c.valid)}
	out, err := k(&inner)
	c.valid = inner.valid
	return out, given, err
}

// keptInfinities gives infinite arguments back.
func keptInfinities[T arrow.FixedWidthType](c *call, k kernel, at int, rows []int) (arrow.Array, error) {
	out, given, err := finite[T](c, k, at, rows)
	if err != nil {
		return nil, err
	}
	values := slices.Clone(arrow.GetValues[T](out.Data(), 1))
	for _, i := range rows {
		values[i] = given.at(i)
	}
	return event.NewFixed(out.DataType(), values, c.valid), nil
}

// growing are the fields that grow with the time and so are infinite with it; the others come round again.
var growing = []string{"epoch", "year", "decade", "century", "millennium", "isoyear", "julian"}

func extractedInfinities(c *call, k kernel, at int, rows []int) (arrow.Array, error) {
	out, given, err := finite[int64](c, k, at, rows)
	if err != nil {
		return nil, err
	}
	fields := textsOf(c.args[0])
	values := slices.Clone(arrow.GetValues[float64](out.Data(), 1))
	for _, i := range rows {
		if !slices.Contains(growing, normalUnit(fields.at(i))) {
			c.setNull(i)
			continue
		}
		values[i] = math.Inf(1)
		if given.at(i) < 0 {
			values[i] = math.Inf(-1)
		}
	}
	return event.NewFloat64s(values, c.valid), nil
}
