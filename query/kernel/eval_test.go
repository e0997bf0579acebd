package kernel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestEval runs the files in testdata/eval. Each line of an "eval" is a function, or "cast TYPE", followed by its arguments as
// "TYPE value" after bars. The value is read up to the next bar as it stands, without the space around it unless in quotes.
func TestEval(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/eval", func(t *testing.T, path string) {
		t.Parallel()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			require.Equal(t, "eval", d.Cmd)
			var out strings.Builder
			for line := range strings.SplitSeq(d.Input, "\n") {
				fmt.Fprintln(&out, evalLine(t, line))
			}
			return out.String()
		})
	})
}

func evalLine(t *testing.T, line string) string {
	t.Helper()
	parts := strings.Split(line, " | ")
	name := strings.TrimSpace(parts[0])
	var args []plan.Expr
	var types []string
	for _, part := range parts[1:] {
		typ, value := typedValue(t, part)
		out, err := Cast(&Context{}, Operand{Array: columnOf(t, textType, value), Const: true}, textType, typ, 1)
		if err != nil {
			return err.Error()
		}
		args = append(args, &plan.Literal{Value: out.Array, Typ: typ})
		types = append(types, typ.String())
	}
	e := expressionOf(t, name, types, args)
	out, err := EvalConst(e, &Context{Now: 1_767_225_600_000_000})
	if err != nil {
		var coded *event.Error
		require.ErrorAs(t, err, &coded)
		return fmt.Sprintf("%s: %s", coded.Code, coded)
	}
	if text := render(t, Operand{Array: out, Const: true}, e.Type(), 1)[0]; text != "" {
		return text
	}
	return "(empty)"
}

func expressionOf(t *testing.T, name string, types []string, args []plan.Expr) plan.Expr {
	t.Helper()
	if to, ok := strings.CutPrefix(name, "cast "); ok {
		typ, err := event.ParseType(to)
		require.NoError(t, err)
		return &plan.Cast{Input: args[0], To: typ}
	}
	for _, f := range plan.Functions[name] {
		if f.Variadic && len(types) > 0 && f.Args[0].String() == types[0] {
			return &plan.Call{Fn: f, Args: args}
		}
	}
	return callOf(t, name+"("+strings.Join(types, ", ")+")", args...)
}

func typedValue(t *testing.T, part string) (event.Type, string) {
	t.Helper()
	part = strings.TrimSpace(part)
	name, value, _ := strings.Cut(part, " ")
	if rest, ok := strings.CutPrefix(value, "PRECISION "); ok {
		name, value = "DOUBLE PRECISION", rest
	}
	typ, err := event.ParseType(name)
	require.NoError(t, err)
	if len(value) >= 2 && value[0] == '\'' {
		value = value[1 : len(value)-1]
	}
	return typ, value
}
