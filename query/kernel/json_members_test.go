package kernel

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestMembersTakenTogetherAreThoseOfOperators compares members taken together, the operators in a row, which are one step, and the operators one
// by one.
func TestMembersTakenTogetherAreThoseOfOperators(t *testing.T) {
	t.Parallel()
	documents := rapid.SampledFrom([]string{
		`{"a":{"b":"x","c":[1,{"b":"\u00e9"}]},"b":null}`, `{"a":{"b":1},"a":{"c":"\"a\":"}}`, `{"a":1,"b":"C:\\b"}`, `{}`, `[{"a":1}]`, `"a"`, "null",
		"NULL", ` { "a" : { "b" : { } } , "b" : "" } `, `{"\u0061":{"\u0062":2},"c":{"a":{"b":3}}}`,
	})
	paths := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(documents, 1, 8).Draw(t, "documents")
		column := textsOfStrings(rows)
		if rapid.Bool().Draw(t, "dictionary") {
			column = twiceByCode(column)
		}
		wanted := make([]JSONMember, rapid.IntRange(1, 6).Draw(t, "members"))
		for i := range wanted {
			wanted[i] = JSONMember{Path: paths.Draw(t, "path"), Text: rapid.Bool().Draw(t, "text")}
		}
		together, err := NewJSONMembers(wanted).Of(column)
		require.NoError(t, err)
		for i, m := range wanted {
			one := column
			var chain plan.Expr = &plan.ColumnRef{Typ: event.Type{Kind: event.JSONB}}
			for k, name := range m.Path {
				operator := "->"
				if m.Text && k == len(m.Path)-1 {
					operator = "->>"
				}
				chain = member(operator, chain, name)
				one = evaluated(t, member(operator, &plan.ColumnRef{Typ: event.Type{Kind: event.JSONB}}, name), one)
			}
			require.Equal(t, printed(one), printed(together[i]), "%q of %q", m.Path, rows)
			require.Equal(t, printed(one), printed(evaluated(t, chain, column)), "%q of %q", m.Path, rows)
		}
	})
}

func member(operator string, of plan.Expr, name string) plan.Expr {
	literal := &plan.Literal{Value: textsOfStrings([]string{name}), Typ: event.Type{Kind: event.Text}}
	return &plan.Call{Fn: plan.Functions[operator][0], Args: []plan.Expr{of, literal}}
}

func evaluated(t *rapid.T, e plan.Expr, column arrow.Array) arrow.Array {
	program, err := Compile(e)
	require.NoError(t, err)
	out, err := program.Eval(&Context{}, []arrow.Array{column}, column.Len())
	require.NoError(t, err)
	return out.Expand(column.Len())
}

// twiceByCode has the rows twice, through a dictionary of those that are not NULL.
func twiceByCode(values arrow.Array) arrow.Array {
	codes := make([]int32, 2*values.Len())
	for i := range codes {
		codes[i] = int32(i % values.Len())
	}
	valid := gatherValidity(values, codes, nil)
	return event.NewDictionary(zeroInvalid(codes, valid), withoutNulls(values.(*array.String)), valid)
}

func printed(values arrow.Array) []string {
	texts, valid := textsOf(Operand{Array: values}), event.ValidityOf(values)
	out := make([]string, values.Len())
	for i := range out {
		if out[i] = "NULL"; valid.Valid(i) {
			out[i] = "=" + texts.at(i)
		}
	}
	return out
}
