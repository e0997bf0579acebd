package kernel

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

const (
	divideBigint  = "/(BIGINT, BIGINT)"
	unequalBigint = "<>(BIGINT, BIGINT)"
	equalBigint   = "=(BIGINT, BIGINT)"
	greaterBigint = ">(BIGINT, BIGINT)"
)

// quotientAbove is 10 / a > n, which fails where a is 0.
func quotientAbove(t *testing.T, n string) plan.Expr {
	t.Helper()
	return callOf(t, greaterBigint, callOf(t, divideBigint, literal(t, bigintType, "10"), ref(0, bigintType)), literal(t, bigintType, n))
}

func TestArgumentsAreComputedOnlyWhereTheyMatter(t *testing.T) {
	t.Parallel()
	a, zero := ref(0, bigintType), literal(t, bigintType, "0")
	columns := []arrow.Array{columnOf(t, bigintType, "0", "2", "20", "NULL")}
	for _, test := range []struct {
		name   string
		expr   plan.Expr
		wanted []string
	}{
		{"and", callOf(t, "and(BOOLEAN, BOOLEAN)", callOf(t, unequalBigint, a, zero), quotientAbove(t, "1")),
			[]string{"false", "true", "false", "NULL"}},
		{"or", callOf(t, "or(BOOLEAN, BOOLEAN)", callOf(t, equalBigint, a, zero), quotientAbove(t, "1")),
			[]string{"true", "true", "false", "NULL"}},
		{"case", &plan.Case{Typ: bigintType, Whens: []plan.When{
			{Condition: callOf(t, equalBigint, a, zero), Then: literal(t, bigintType, "-1")},
			{Condition: quotientAbove(t, "4"), Then: callOf(t, divideBigint, literal(t, bigintType, "100"), a)},
		}}, []string{"-1", "50", "NULL", "NULL"}},
	} {
		out, err := compiled(t, test.expr).Eval(&Context{}, columns, 4)
		require.NoError(t, err, test.name)
		require.Equal(t, test.wanted, render(t, out, test.expr.Type(), 4), test.name)
	}
}

func TestCoalesceStopsAtTheFirstValue(t *testing.T) {
	t.Parallel()
	a := ref(0, bigintType)
	e := callOf(t, "coalesce(BIGINT...)", ref(1, bigintType), callOf(t, divideBigint, literal(t, bigintType, "10"), a))
	columns := []arrow.Array{columnOf(t, bigintType, "0", "2", "NULL"), columnOf(t, bigintType, "7", "NULL", "NULL")}
	out, err := compiled(t, e).Eval(&Context{}, columns, 3)
	require.NoError(t, err)
	require.Equal(t, []string{"7", "5", "NULL"}, render(t, out, bigintType, 3))
}

func TestCaseMixesFormsOfText(t *testing.T) {
	t.Parallel()
	names := event.NewDictionary([]int32{1, 0, 1, 0}, columnOf(t, textType, "x", "y"), nil)
	columns := []arrow.Array{columnOf(t, bigintType, "1", "2", "3", "NULL"), names, columnOf(t, textType, "p", "q", "r", "s")}
	branch := func(n string, then plan.Expr) plan.When {
		return plan.When{Condition: callOf(t, equalBigint, ref(0, bigintType), literal(t, bigintType, n)), Then: then}
	}
	e := &plan.Case{Typ: textType, Whens: []plan.When{branch("1", ref(1, textType)), branch("2", ref(2, textType))},
		Else: literal(t, textType, "other")}
	out, err := compiled(t, e).Eval(&Context{}, columns, 4)
	require.NoError(t, err)
	require.Equal(t, []string{"y", "q", "other", "other"}, render(t, out, textType, 4))

	constants := &plan.Case{Typ: textType, Whens: []plan.When{branch("1", literal(t, textType, "one"))}, Else: literal(t, textType, "more")}
	out, err = compiled(t, constants).Eval(&Context{}, columns, 4)
	require.NoError(t, err)
	require.IsType(t, &array.Dictionary{}, out.Array, "constant branches need no text per row")
	require.Equal(t, []string{"one", "more", "more", "more"}, render(t, out, textType, 4))
}

func TestProgramReadsOnlyItsColumns(t *testing.T) {
	t.Parallel()
	p := compiled(t, callOf(t, "+(BIGINT, BIGINT)", ref(2, bigintType), ref(2, bigintType)))
	out, err := p.Eval(&Context{}, []arrow.Array{nil, nil, columnOf(t, bigintType, "4")}, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"8"}, render(t, out, bigintType, 1))
}

func TestConstantPatternsAreReadAtCompileTime(t *testing.T) {
	t.Parallel()
	for signature, pattern := range map[string]string{"like(TEXT, TEXT)": `a\`, "~(TEXT, TEXT)": "("} {
		_, err := Compile(callOf(t, signature, ref(0, textType), literal(t, textType, pattern)))
		var coded *event.Error
		require.ErrorAs(t, err, &coded, signature)
		require.Equal(t, event.CodeInvalidValue, coded.Code)
	}
}

func TestLongRegexIsRefused(t *testing.T) {
	t.Parallel()
	long := make([]byte, maxRegexBytes+1)
	for i := range long {
		long[i] = 'a'
	}
	_, err := EvalConst(callOf(t, "~(TEXT, TEXT)", literal(t, textType, "a"), literal(t, textType, string(long))), &Context{})
	require.ErrorContains(t, err, "limit of 1000")
}

func TestUnusedDictionaryEntriesDoNotFail(t *testing.T) {
	t.Parallel()
	values := event.NewDictionary([]int32{1, 0, 1, 2, 2}, columnOf(t, textType, "12", "34", "5"), nil)
	broken := event.NewDictionary([]int32{1, 1, 1, 2, 2}, columnOf(t, textType, "oops", "34", "5"), nil)
	e := &plan.Cast{Input: ref(0, textType), To: bigintType}
	for _, column := range []arrow.Array{values, broken} {
		_, err := compiled(t, e).Eval(&Context{}, []arrow.Array{column}, 5)
		require.NoError(t, err)
	}
	_, err := compiled(t, e).Eval(&Context{}, []arrow.Array{event.NewDictionary([]int32{0}, columnOf(t, textType, "oops"), nil)}, 1)
	require.ErrorContains(t, err, `"oops"`)
}

func TestFunctionsOfADictionaryStayOne(t *testing.T) {
	t.Parallel()
	column := event.NewDictionary([]int32{1, 0, 1, 0}, columnOf(t, jsonbType, `{"a":"x"}`, `{}`), nil)
	e := callOf(t, "->>(JSONB, TEXT)", ref(0, jsonbType), literal(t, textType, "a"))
	out, err := compiled(t, e).Eval(&Context{}, []arrow.Array{column}, 4)
	require.NoError(t, err)
	require.IsType(t, &array.Dictionary{}, out.Array)
	require.Zero(t, out.Array.(*array.Dictionary).Dictionary().NullN())
	require.Equal(t, []string{"NULL", "x", "NULL", "x"}, render(t, out, textType, 4))
}

func TestEvalConstRefusesColumns(t *testing.T) {
	t.Parallel()
	_, err := EvalConst(ref(0, bigintType), &Context{})
	require.Error(t, err)
}

func TestCaseWithConstantConditions(t *testing.T) {
	t.Parallel()
	for condition, wanted := range map[string][]string{"true": {"1", "2"}, "false": {"9", "9"}, "NULL": {"9", "9"}} {
		e := &plan.Case{Typ: bigintType, Else: literal(t, bigintType, "9"),
			Whens: []plan.When{{Condition: literal(t, booleanType, condition), Then: ref(0, bigintType)}}}
		out, err := compiled(t, e).Eval(&Context{}, []arrow.Array{columnOf(t, bigintType, "1", "2")}, 2)
		require.NoError(t, err)
		require.Equal(t, wanted, render(t, out, bigintType, 2), condition)
	}
	empty := &plan.Case{Typ: textType, Whens: []plan.When{{Condition: ref(0, booleanType), Then: literal(t, textType, "a")}}}
	out, err := compiled(t, empty).Eval(&Context{}, []arrow.Array{columnOf(t, booleanType)}, 0)
	require.NoError(t, err)
	require.Zero(t, out.Array.Len())
}

func TestCaseBranchErrorsReachTheCaller(t *testing.T) {
	t.Parallel()
	zero := literal(t, bigintType, "0")
	fails := callOf(t, divideBigint, ref(0, bigintType), zero)
	columns := []arrow.Array{columnOf(t, bigintType, "1", "2")}
	always := callOf(t, equalBigint, ref(0, bigintType), ref(0, bigintType))
	never := callOf(t, unequalBigint, ref(0, bigintType), ref(0, bigintType))
	for _, e := range []*plan.Case{
		{Typ: bigintType, Whens: []plan.When{{Condition: callOf(t, equalBigint, fails, zero), Then: zero}}},
		{Typ: bigintType, Whens: []plan.When{{Condition: always, Then: fails}}},
		{Typ: bigintType, Whens: []plan.When{{Condition: never, Then: zero}}, Else: fails},
	} {
		_, err := compiled(t, e).Eval(&Context{}, columns, 2)
		require.ErrorContains(t, err, "division by zero")
	}
}
