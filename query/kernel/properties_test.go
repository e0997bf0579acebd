package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// samples holds values of each type, tame ones first. Wild ones make functions fail.
var samples = map[event.Kind]struct{ tame, wild []string }{
	event.Boolean: {tame: []string{"true", "false"}},
	event.BigInt:  {[]string{"1", "2", "3", "-1", "-2", "7"}, []string{"0", "9223372036854775807", "-9223372036854775808", "1000000007"}},
	event.Double: {[]string{"1", "2.5", "-3", "0.1", "7"},
		[]string{"0", "-0", "NaN", "Infinity", "-Infinity", "1e308", "1e-308", "9007199254740993"}},
	event.Text: {[]string{"a", "b", "A", "day", "hello", "h_l%", "%e%", ""}, []string{"héllo", "(", `x\`, "week", "ÄÖ", "a,b,c"}},
	event.TimestampTZ: {[]string{"2026-01-31", "2026-01-31T01:00:00Z", "2026-02-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z"},
		[]string{"0001-01-01", "9999-12-31T23:59:59Z", "2000-01-01", "2024-02-29"}},
	event.Interval: {[]string{"1 hour", "5 minutes", "1 day", "7 days"},
		[]string{"1 month", "0 seconds", "-1 day", "1 month 1 day", "170000000 years", "2000000000 days", "30 days"}},
	event.SmallInt: {[]string{"1", "2", "-3", "7"}, []string{"0", "32767", "-32768"}},
	event.Integer:  {[]string{"1", "2", "-3", "7"}, []string{"0", "2147483647", "-2147483648"}},
	event.Real:     {[]string{"1", "2.5", "-3", "0.1"}, []string{"0", "-0", "NaN", "Infinity", "-Infinity", "3e38", "1e-40"}},
	event.Numeric: {[]string{"1", "2.5", "-3.25", "0.125", "7"},
		[]string{"0", "999999999.999", "-999999999.999", "0.001", "0.5", "-0.5"}},
	event.Date: {[]string{"2026-01-31", "2026-02-01", "1969-12-31"}, []string{"0001-01-01", "9999-12-31", "2024-02-29"}},
	event.Time: {[]string{"09:20:00", "23:59:59.5", "00:00:00.000001"}, []string{"00:00:00", "24:00:00", "23:59:59.999999"}},
	event.UUID: {[]string{"0e37df36-f698-11e6-8dd4-cb9ced3df976", "00000000-0000-0000-0000-000000000001"},
		[]string{"ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000"}},
	event.Bytea: {[]string{`\x01`, `\xff00`, "abc"}, []string{`\x`, `\x00`}},
	event.JSONB: {[]string{`{"a":1,"b":"x"}`, `"a"`, `1`, `2.5`, `true`, `[1,"b",null]`},
		[]string{`null`, `{"a":{"b":[1]},"day":null}`, `9223372036854775808`, `1e400`, `"NaN"`, `[]`, `{}`, `1.0`}},
}

// fittingTexts replaces samples where only few texts mean something to a function.
var fittingTexts = map[string][]string{
	"encode": {"hex", "base64", "HEX"},
	"decode": {"hex", "base64", "YWJj", "00ff"},
	"#>":     {"{a}", "{0}", "{a,b,0}", "{}"}, "#>>": {"{a}", "{b}", "{1}"},
	"timezone": {"Europe/Berlin", "UTC", "America/New_York"}, "time_bucket": {"Asia/Kolkata", "UTC"},
	"date_diff": {"day", "months", "week"}, "make_timestamptz": {"Europe/Berlin", "UTC"},
	"to_char": {"YYYY-MM-DD HH24:MI:SS.US", "FMDay, FMMonth DD", "\"Q\"Q IW"}, "strftime": {"%Y-%m-%d %H:%M:%S.%f", "%-d %B", "%A %j"},
	"date_trunc":  {"day", "Hour", "weeks", "month", "century"},
	"extract":     {"dow", "epoch", "second", "week", "isoyear", "millennium"},
	"~":           {"^h", "l+", "a|b", "[[:upper:]]"},
	"~*":          {"^H", "L+", "A|b"},
	"similar to":  {"h%", "(a|b)", "h_l+o"},
	"regexp_like": {"i", "s", "m"}, "regexp_count": {"l", "a|b", ""}, "regexp_extract": {"l+", "^h", "b"},
	"regexp_instr": {"l", "a|b", ""}, "to_number": {"9", "FM99", "S09.9"},
	"regexp_substr": {"l+", "^h"}, "regexp_replace": {"i", "g", "gi"},
	"like":  {"h%", "%l_o", "a", "%e%l%", "hello", "_"},
	"ilike": {"H%", "%L_o", "A", "%e%l%", "HELLO", "_"},
}

// TestFormsAgree holds every function to this: a batch gives each row what the row's values give by themselves, whether the
// arguments are plain, sliced, dictionaries or constants. If rows fail, the batch fails as the first of them does. NULL
// arguments of strict functions give NULL whatever lies in memory under them.
func TestFormsAgree(t *testing.T) {
	t.Parallel()
	for _, f := range signatures() {
		if f.Volatile {
			continue // no two calls agree
		}
		t.Run(f.Signature(), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(30) {
				checkForms(t, f, seed)
			}
		})
	}
}

func checkForms(t *testing.T, f *plan.Function, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	rows := random.IntN(40)
	types := append([]event.Type(nil), f.Args...)
	if f.Variadic {
		for range random.IntN(3) {
			types = append(types, f.Args[0])
		}
	}
	args, steady := make([]Operand, len(types)), make([]bool, len(types))
	for k, typ := range types {
		steady[k] = random.IntN(4) == 0
		args[k] = Operand{Array: sampleColumn(t, random, f, typ, rows, steady[k])}
	}
	wanted, failure := rowByRow(t, f, args, rows)
	for form := range 4 {
		formed := make([]Operand, len(args))
		for k, a := range args {
			formed[k] = inForm(t, random, a, form, steady[k] && rows > 0)
		}
		got, err := evalCall(t, f, types, formed, rows)
		note := fmt.Sprintf("seed %d, form %d, arguments %v", seed, form, args)
		if failure != nil {
			require.EqualError(t, err, failure.Error(), note)
			continue
		}
		require.NoError(t, err, note)
		require.Equal(t, wanted, render(t, got, f.Result, rowsOf(f, rows)), note)
	}
}

// rowsOf is rows, or 1 for a function without arguments, which is constant also where there are no rows.
func rowsOf(f *plan.Function, rows int) int {
	if len(f.Args) == 0 {
		return 1
	}
	return rows
}

// inForm gives an argument in one of four forms: as it is, sliced, as a dictionary, and as a slice of a dictionary. An argument
// that is the same in all rows becomes a constant in every second form.
func inForm(t *testing.T, random *rand.Rand, a Operand, form int, steady bool) Operand {
	t.Helper()
	if steady && form%2 == 1 {
		return Operand{Array: Take(a.Array, []int32{0}), Const: true}
	}
	if form >= 2 && isText(a.Array) {
		a.Array = toDictionary(random, a.Array)
	}
	if form%2 == 1 {
		a.Array = toSlice(t, random, a.Array)
	}
	return a
}

func rowByRow(t *testing.T, f *plan.Function, args []Operand, rows int) ([]string, error) {
	t.Helper()
	out := make([]string, rowsOf(f, rows))
	for i := range out {
		row, null := make([]Operand, len(args)), false
		for k, a := range args {
			row[k] = Operand{Array: Take(a.Array, []int32{int32(i)}), Const: true}
			null = null || row[k].Array.IsNull(0)
		}
		implementation, ok := Lookup(f)
		require.True(t, ok)
		value, err := implementation(&Context{}, row, 1)
		if err != nil {
			return nil, err
		}
		require.True(t, value.Const)
		out[i] = render(t, value, f.Result, 1)[0]
		if f.Strict && null {
			require.Equal(t, "NULL", out[i])
		}
	}
	return out, nil
}

// evalCall goes through a program, so that what is prepared for constants is covered too.
func evalCall(t *testing.T, f *plan.Function, types []event.Type, args []Operand, rows int) (Operand, error) {
	t.Helper()
	call := &plan.Call{Fn: f}
	columns := make([]arrow.Array, len(args))
	for k, a := range args {
		if a.Const {
			call.Args = append(call.Args, &plan.Literal{Value: Decode(a.Array), Typ: types[k]})
			continue
		}
		columns[k] = a.Array
		call.Args = append(call.Args, ref(k, types[k]))
	}
	p, err := Compile(call)
	if err != nil {
		return Operand{}, err
	}
	return p.Eval(&Context{}, columns, rows)
}

// sampleColumn makes a column with NULLs, under which wild values lie in memory. A steady one has the same value in all rows.
func sampleColumn(t *testing.T, random *rand.Rand, f *plan.Function, typ event.Type, rows int, steady bool) arrow.Array {
	t.Helper()
	pool := samples[typ.Kind].tame
	wild := slices.Concat(samples[typ.Kind].wild, pool)
	if texts := fittingTexts[f.Name]; texts != nil && typ.Kind == event.Text {
		pool = texts
	} else if random.IntN(4) == 0 {
		pool = wild
	}
	values, valid := make([]string, rows), event.NewBitmap(rows)
	nulls := random.IntN(2) * 4
	for i := range values {
		if steady && i > 0 {
			values[i] = values[0]
			if valid.Valid(0) {
				valid.Set(i)
			}
			continue
		}
		if nulls > 0 && random.IntN(nulls) == 0 {
			values[i] = wild[random.IntN(len(wild))]
			continue
		}
		values[i] = pool[random.IntN(len(pool))]
		valid.Set(i)
	}
	full := columnOf(t, typ, values...)
	return withValidity(full, valid)
}

// withValidity lays NULLs over values that stay in memory.
func withValidity(values arrow.Array, valid event.Bitmap) arrow.Array {
	if text, ok := values.(*array.String); ok {
		return event.NewStrings(text.ValueOffsets(), text.ValueBytes(), valid)
	}
	if binary, ok := values.(*array.Binary); ok {
		return event.AsBinary(withValidity(event.AsText(binary), valid).(*array.String))
	}
	return gather(values, sequence(values.Len()), valid)
}
