package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestCastFormsAgree holds every cast to what TestFormsAgree holds functions to.
func TestCastFormsAgree(t *testing.T) {
	t.Parallel()
	for pair := range casts {
		from, to := concrete(event.Type{Kind: pair.from}), concrete(event.Type{Kind: pair.to})
		t.Run(from.String()+" to "+to.String(), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(30) {
				checkCast(t, from, to, seed)
			}
		})
	}
}

func checkCast(t *testing.T, from, to event.Type, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	rows := random.IntN(40)
	in := Operand{Array: sampleColumn(t, random, &plan.Function{}, from, rows, false)}
	if from.Kind == event.Text {
		values := make([]string, rows)
		for i := range values {
			values[i] = samples[to.Kind].tame[random.IntN(len(samples[to.Kind].tame))]
		}
		in.Array = withValidity(columnOf(t, from, values...), validityOf(in.Array))
	}
	wanted := make([]string, rows)
	var failure error
	for i := range wanted {
		one, err := Cast(&Context{}, Operand{Array: Take(in.Array, []int32{int32(i)}), Const: true}, from, to, rows)
		if err != nil {
			failure = err
			break
		}
		wanted[i] = render(t, one, to, 1)[0]
	}
	for form := range 4 {
		got, err := Cast(&Context{}, inForm(t, random, in, form, false), from, to, rows)
		note := fmt.Sprintf("seed %d, form %d, values %v", seed, form, in.Array)
		if failure != nil {
			require.EqualError(t, err, failure.Error(), note)
			continue
		}
		require.NoError(t, err, note)
		require.Equal(t, wanted, render(t, got, to, rows), note)
	}
}

func TestCastBetweenUnrelatedTypes(t *testing.T) {
	t.Parallel()
	_, err := Compile(&plan.Cast{Input: ref(0, intervalType), To: bigintType})
	var coded *event.Error
	require.ErrorAs(t, err, &coded)
	require.Equal(t, event.CodeTypeMismatch, coded.Code)
}

func TestCastOfUntypedNull(t *testing.T) {
	t.Parallel()
	untyped := event.Type{Kind: event.Unknown}
	for _, to := range plan.ValueTypes {
		to = concrete(to)
		out, err := EvalConst(&plan.Cast{Input: &plan.Literal{Value: event.NewNulls(untyped, 1), Typ: untyped}, To: to}, &Context{})
		require.NoError(t, err)
		require.True(t, out.IsNull(0))
		require.True(t, arrow.TypeEqual(to.Arrow(), out.DataType()), "%s", to)
	}
}
