package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestTryCastGivesNullWhereCastFails compares a cast of many rows with casts of each by itself.
func TestTryCastGivesNullWhereCastFails(t *testing.T) {
	t.Parallel()
	values := []string{"1", "-7", "2.5", "x", "", "NULL", "2026-03-01", "true", "99999999999999999999", `"12"`, "[1, 2]", `{"a":1}`}
	targets := []event.Type{
		bigintType, {Kind: event.SmallInt}, {Kind: event.Double}, {Kind: event.Numeric, Precision: 5, Scale: 1}, booleanType,
		timestampType, {Kind: event.Date}, {Kind: event.UUID}, jsonbType, intervalType, event.ArrayOf(bigintType),
	}
	rapid.Check(t, func(t *rapid.T) {
		to := rapid.SampledFrom(targets).Draw(t, "type")
		texts := rapid.SliceOfN(rapid.SampledFrom(values), 1, 40).Draw(t, "values")
		column := textsOfStrings(texts)
		rng := rand.New(rand.NewPCG(1, uint64(len(texts))))
		if rapid.Bool().Draw(t, "dictionary") {
			column = toDictionary(rng, column)
		}
		program, err := Compile(&plan.Cast{Input: ref(0, textType), To: to, Try: true})
		require.NoError(t, err)
		out, err := program.Eval(&Context{Memo: &Memo{}}, []arrow.Array{column}, len(texts))
		require.NoError(t, err)
		got := Decode(out.Expand(len(texts)))
		plainCast, err := Compile(&plan.Cast{Input: ref(0, textType), To: to})
		require.NoError(t, err)
		for i, text := range texts {
			one, err := plainCast.Eval(&Context{}, []arrow.Array{textsOfStrings([]string{text})}, 1)
			if err != nil {
				require.True(t, got.IsNull(i), "%q as %s", text, to)
				continue
			}
			require.Equal(t, Decode(one.Expand(1)).ValueStr(0), got.ValueStr(i), "%q as %s", text, to)
		}
	})
}

func textsOfStrings(texts []string) arrow.Array {
	offsets, data, valid := []int32{0}, []byte(nil), event.NewBitmap(len(texts))
	for i, text := range texts {
		if text != "NULL" {
			valid.Set(i)
			data = fmt.Append(data, text)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid)
}
