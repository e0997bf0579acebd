package kernel

import (
	"fmt"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestRememberedAnswersAreThoseComputed evaluates batches that share a dictionary with a memo and without.
func TestRememberedAnswersAreThoseComputed(t *testing.T) {
	t.Parallel()
	column := ref(0, textType)
	exprs := []plan.Expr{
		callOf(t, "like(TEXT, TEXT)", column, literal(t, textType, "%1%")),
		callOf(t, "length(TEXT)", callOf(t, "||(TEXT, TEXT)", column, literal(t, textType, "é"))),
		callOf(t, "upper(TEXT)", column),
		callOf(t, "||(TEXT, TEXT)", column, column),
		callOf(t, "coalesce(TEXT...)", column, literal(t, textType, "none")),
		&plan.Cast{Input: column, To: bigintType}, // fails for some entries
	}
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(exprs).Draw(t, "expression")
		program, err := Compile(e)
		require.NoError(t, err)
		dictionary := sharedDictionary(rapid.IntRange(1, 60).Draw(t, "entries"), rapid.Bool().Draw(t, "odd"))
		remembering := &Context{Memo: &Memo{}}
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			batch := batchOf(t, dictionary)
			want, wantErr := program.Eval(&Context{}, []arrow.Array{batch}, batch.Len())
			got, gotErr := program.Eval(remembering, []arrow.Array{batch}, batch.Len())
			require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(gotErr))
			if wantErr == nil {
				require.Equal(t, Decode(want.Expand(batch.Len())).String(), Decode(got.Expand(batch.Len())).String())
			}
		}
	})
}

// sharedDictionary has numbers and, if it is odd, one entry that is none.
func sharedDictionary(entries int, odd bool) arrow.Array {
	offsets, data := []int32{0}, []byte(nil)
	for i := range entries {
		if odd && i == entries/2 {
			data = append(data, "odd"...)
		} else {
			data = fmt.Append(data, i)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, nil)
}

func batchOf(t *rapid.T, dictionary arrow.Array) arrow.Array {
	codes := rapid.SliceOfN(rapid.Int32Range(-1, int32(dictionary.Len()-1)), 1, 40).Draw(t, "codes")
	valid := event.NewBitmap(len(codes))
	for i, code := range codes {
		if code >= 0 {
			valid.Set(i)
		}
		codes[i] = max(code, 0)
	}
	return event.NewDictionary(codes, dictionary, valid)
}

// TestSharedDictionaryIsComputedOnce counts over how many rows a function runs while several workers read one dictionary.
func TestSharedDictionaryIsComputedOnce(t *testing.T) {
	t.Parallel()
	const entries, batches, rows = 1000, 40, 100
	dictionary := sharedDictionary(entries, false)
	var mu sync.Mutex
	computed := 0
	length := functionNamed(t, "length(TEXT)")
	f, ok := Lookup(length)
	require.True(t, ok)
	counting := func(ctx *Context, args []Operand, rows int) (Operand, error) {
		mu.Lock()
		defer mu.Unlock()
		computed += rows
		return f(ctx, args, rows)
	}
	program := &Program{root: newCallStep(counting, []step{&columnStep{}}, mayRemember(length)), columns: []int{0}}
	ctx := &Context{Memo: &Memo{}}
	var workers sync.WaitGroup
	for range batches {
		workers.Go(func() {
			batch := event.NewDictionary(make([]int32, rows), dictionary, nil)
			out, err := program.Eval(ctx, []arrow.Array{batch}, rows)
			if err != nil || out.Array.(*array.Int64).Value(rows-1) != 1 {
				t.Errorf("wrong answer: %v, %v", out.Array, err)
			}
		})
	}
	workers.Wait()
	require.Equal(t, 4*rows+entries, computed, "four batches are less than half of the dictionary")
}

// TestMemoIsBounded gives a memo more dictionaries than it holds, and what it forgets it computes anew.
func TestMemoIsBounded(t *testing.T) {
	t.Parallel()
	program := compiled(t, callOf(t, "length(TEXT)", ref(0, textType)))
	ctx := &Context{Memo: &Memo{}}
	text := make([]byte, 4<<20)
	for i := range 3 * maxMemoEntries {
		offsets := []int32{0}
		for k := range fewEntries {
			offsets = append(offsets, int32((k+1)*len(text)/fewEntries))
		}
		batch := event.NewDictionary(make([]int32, fewEntries), event.NewStrings(offsets, text, nil), nil)
		_, err := program.Eval(ctx, []arrow.Array{batch}, batch.Len())
		require.NoError(t, err)
		require.LessOrEqual(t, ctx.Memo.bytes, int64(maxMemoBytes), "dictionary %d", i)
	}
	require.NotEmpty(t, ctx.Memo.entries)
	held := int64(0)
	for _, e := range ctx.Memo.entries {
		held += e.bytes
	}
	require.Equal(t, held, ctx.Memo.bytes)
}
