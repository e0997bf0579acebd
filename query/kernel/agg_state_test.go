package kernel

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestStatesComeBack holds every accumulator to this: what Restore makes of the state of some groups, after it went through a
// file, gives the same results and merges in the same way as the groups themselves.
func TestStatesComeBack(t *testing.T) {
	t.Parallel()
	for signature := range accumulators {
		t.Run(signature, func(t *testing.T) {
			t.Parallel()
			f := withNumerics(aggregateBySignature(signature))
			rapid.Check(t, func(rt *rapid.T) { checkState(rt, f) })
		})
	}
}

func checkState(t *rapid.T, f *plan.Function) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	groups := rapid.IntRange(1, 9).Draw(t, "groups")
	first, second := randomAccumulator(t, rng, f, groups), randomAccumulator(t, rng, f, groups)
	picked := rapid.Permutation(groupNumbers(groups)).Draw(t, "picked")
	picked = picked[:rapid.IntRange(1, groups).Draw(t, "states")]
	fresh := func() Accumulator { a, _ := NewAccumulator(f); return a }

	restored, state := fresh(), throughFile(t, stateOf(t, second, picked))
	require.NoError(t, restored.Restore(state))
	all, err := second.Result(groups)
	got, gotErr := restored.Result(len(picked))
	if err == nil {
		require.NoError(t, gotErr)
		require.True(t, nearlyEqual(Take(all, signed(picked)), got), "%s\n%s", Take(all, signed(picked)), got)
	}

	merged := fresh()
	require.NoError(t, merged.Merge(first, groupNumbers(groups), groups))
	require.NoError(t, merged.Merge(second, groupNumbers(groups), groups))
	into := fresh()
	require.NoError(t, into.Merge(first, groupNumbers(groups), groups))
	require.NoError(t, MergeState(into, fresh, state, picked, groups))
	want, err := merged.Result(groups)
	got, gotErr = into.Result(groups)
	if err == nil && gotErr == nil {
		require.True(t, nearlyEqual(Take(want, signed(picked)), Take(got, signed(picked))), "%s\n%s", want, got)
	}
}

// randomAccumulator has random rows in random groups. It may have met none of the last ones.
func randomAccumulator(t require.TestingT, rng *rand.Rand, f *plan.Function, groups int) Accumulator {
	a, ok := NewAccumulator(f)
	require.True(t, ok)
	for range rng.IntN(4) {
		rows := rng.IntN(300)
		ids := make([]uint32, rows)
		for i := range ids {
			ids[i] = rng.Uint32N(uint32(groups))
		}
		same := func(column arrow.Array) arrow.Array { return column }
		require.NoError(t, a.Update(Groups{IDs: ids, Count: groups}, operandsOf(aggregateArguments(rng, f, rows), same), rows))
	}
	return a
}

func stateOf(t require.TestingT, a Accumulator, groups []uint32) []arrow.Array {
	state, err := a.State(groups)
	require.NoError(t, err)
	for _, column := range state {
		require.Equal(t, len(groups), column.Len())
	}
	return state
}

// throughFile writes arrays as an Arrow stream and reads them again.
func throughFile(t require.TestingT, columns []arrow.Array) []arrow.Array {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: fmt.Sprint(i), Type: c.DataType(), Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	var file bytes.Buffer
	w := ipc.NewWriter(&file, ipc.WithSchema(schema))
	require.NoError(t, w.Write(array.NewRecordBatch(schema, columns, int64(columns[0].Len()))))
	require.NoError(t, w.Close())
	r, err := ipc.NewReader(&file, ipc.WithAllocator(memory.DefaultAllocator))
	require.NoError(t, err)
	require.True(t, r.Next())
	return r.RecordBatch().Columns()
}

func groupNumbers(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

func signed(groups []uint32) []int32 {
	out := make([]int32, len(groups))
	for i, g := range groups {
		out[i] = int32(g)
	}
	return out
}

// TestStateLayout shows the state of every aggregate over the same rows. A difference means that StateVersion has to go up and that
// states of the old version have to stay readable.
func TestStateLayout(t *testing.T) {
	t.Parallel()
	listed := 0
	datadriven.RunTest(t, "testdata/aggregate_states", func(t *testing.T, d *datadriven.TestData) string {
		listed++
		f := withNumerics(aggregateBySignature(strings.TrimSpace(d.Input)))
		const rows, groups = 6, 3
		a, _ := NewAccumulator(f)
		same := func(column arrow.Array) arrow.Array { return column }
		args := operandsOf(aggregateArguments(rand.New(rand.NewPCG(1, 2)), f, rows), same)
		require.NoError(t, a.Update(Groups{IDs: []uint32{0, 0, 0, 1, 1, 1}, Count: groups}, args, rows))
		var out strings.Builder
		for _, column := range stateOf(t, a, groupNumbers(groups)) {
			fmt.Fprintf(&out, "%s %s\n", column.DataType(), shortened(fmt.Sprint(column)))
		}
		return out.String()
	})
	require.Equal(t, len(accumulators), listed, "an aggregate is missing in testdata/aggregate_states")
}

func shortened(text string) string {
	if len(text) <= 300 {
		return text
	}
	return fmt.Sprintf("%d characters, CRC %08x", len(text), crc32.ChecksumIEEE([]byte(text)))
}

// TestWrongStatesAreCorrupt gives every accumulator states of others and damaged ones: they are refused or, where the types fit,
// taken, but nothing panics.
func TestWrongStatesAreCorrupt(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var states [][]arrow.Array
	signatures := make([]string, 0, len(accumulators))
	for signature := range accumulators {
		signatures = append(signatures, signature)
	}
	slices.Sort(signatures)
	for _, signature := range signatures {
		a := randomAccumulator(t, rng, withNumerics(aggregateBySignature(signature)), 4)
		states = append(states, stateOf(t, a, groupNumbers(4)))
	}
	states = append(states, nil, []arrow.Array{event.NewInt64s([]int64{1}, nil)}, damagedBytes(t), damagedWords(t))
	for _, signature := range signatures {
		for _, state := range states {
			a, _ := NewAccumulator(withNumerics(aggregateBySignature(signature)))
			err := a.Restore(state)
			if err == nil {
				continue
			}
			var e *event.Error
			require.ErrorAs(t, err, &e, signature)
			require.Equal(t, event.CodeCorrupt, e.Code, "%s: %s", signature, err)
		}
	}
}

func damagedBytes(t *testing.T) []arrow.Array {
	t.Helper()
	column, err := bytesColumn([][]byte{[]byte("abc"), bytes.Repeat([]byte{0xff}, hyperLogLogRegisters), nil})
	require.NoError(t, err)
	return []arrow.Array{column}
}

func damagedWords(t *testing.T) []arrow.Array {
	t.Helper()
	lists, err := wordLists([][]int64{{1, 2, 3, 4, 1 << 40, 6, 7}, {}, nil, {0, 0, 0, 0, 1, 0}})
	require.NoError(t, err)
	return []arrow.Array{steadyDouble(0.5, 4), lists}
}
