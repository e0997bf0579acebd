package kernel

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func noLimit(int64) error { return nil }

// TestFramesAgreeWithTheirRows holds every aggregate over frames of every shape against the same aggregate over each frame's rows.
func TestFramesAgreeWithTheirRows(t *testing.T) {
	t.Parallel()
	var all []*plan.Function
	for _, overloads := range plan.Functions {
		for _, f := range overloads {
			if f.Aggregate {
				all = append(all, f)
			}
		}
	}
	for _, f := range all {
		t.Run(f.Signature(), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			rng := rand.New(rand.NewPCG(seed, 0))
			tries := 2 // the general way, which is the same for all
			if _, own := map[string]bool{"count": true, "sum": true, "avg": true, "min": true, "max": true}[f.Name]; own {
				tries = 10
			}
			for range tries {
				rows := rng.IntN(25)
				for _, pieces := range frameShapes(rng, rows) {
					call := FrameCall{Fn: f, Args: frameArgs(rng, f, rows), Rows: rows, Pieces: pieces, Reserve: noLimit}
					requireFrames(t, seed, call)
				}
			}
		})
	}
}

// frameArgs makes an argument of each type, of moderate size: sums are not what is tested here. The share of a percentile and the
// numbers that follow a value are the same in all rows, as such functions want them.
func frameArgs(rng *rand.Rand, f *plan.Function, rows int) []Operand {
	var out []Operand
	for i, typ := range f.Args {
		column := aggregateColumn(rng, typ, rows)
		setting := i > 0 || strings.HasPrefix(f.Name, "percentile")
		switch {
		case typ.Kind == event.BigInt && setting:
			column = event.NewInt64s(slices.Repeat([]int64{3}, rows), nil)
		case typ.Kind == event.Double && setting:
			column = event.NewFloat64s(slices.Repeat([]float64{0.25}, rows), nil)
		case typ.Kind == event.Boolean && setting:
			column = event.NewBooleans(allValid(rows), rows, nil)
		case typ.Kind == event.BigInt:
			small := make([]int64, rows)
			for i := range small {
				small[i] = rng.Int64N(100) - 50
			}
			column = event.NewInt64s(small, validityOf(column))
		}
		if isText(column) && rng.IntN(2) == 0 {
			column = toDictionary(rng, column)
		}
		out = append(out, Operand{Array: toSlice2(rng, column)})
	}
	return out
}

// toSlice2 cuts the array out of a larger one half of the time.
func toSlice2(rng *rand.Rand, values arrow.Array) arrow.Array {
	if values.Len() == 0 || rng.IntN(2) == 0 {
		return values
	}
	index := append([]int32{0}, sequence(values.Len())...)
	return array.NewSlice(Take(values, index), 1, int64(len(index)))
}

// frameShapes are frames that grow, shrink, slide, jump, stand still and are empty, and frames with holes.
func frameShapes(rng *rand.Rand, rows int) [][]Frames {
	results := rows + rng.IntN(3)
	make2 := func(f func(i int) (low, high int)) Frames {
		out := Frames{Low: make([]int32, results), High: make([]int32, results)}
		for i := range results {
			low, high := f(i)
			low = min(max(low, 0), rows)
			out.Low[i], out.High[i] = int32(low), int32(min(max(high, low), rows))
		}
		return out
	}
	before, after := rng.IntN(9), rng.IntN(9)-3
	half := rows / 2
	sliding := make2(func(i int) (int, int) { return i - before, i + after + 1 })
	jumping := make2(func(int) (int, int) { low := rng.IntN(rows + 1); return low, low + rng.IntN(rows-low+1) })
	upTo, from := make2(func(i int) (int, int) { return i - before, i }), make2(func(i int) (int, int) { return i + 1, i + 5 })
	return [][]Frames{
		{make2(func(i int) (int, int) { return 0, i + 1 })},
		{make2(func(i int) (int, int) { return i, rows })},
		{make2(func(int) (int, int) { return 0, rows })},
		{make2(func(i int) (int, int) { return i, i })},
		{make2(func(i int) (int, int) { // two partitions
			if i < half {
				return 0, min(i+1, half)
			}
			return half, i + 1
		})},
		{sliding}, {jumping}, {upTo, from}, {upTo, upTo.emptied(), from},
	}
}

// emptied is frames without rows.
func (f Frames) emptied() Frames { return Frames{Low: f.Low, High: f.Low} }

func requireFrames(t *testing.T, seed uint64, c FrameCall) {
	t.Helper()
	got, failed := AggregateFrames(c)
	if failed == nil {
		require.Equal(t, c.results(), got.Len())
		require.True(t, arrow.TypeEqual(c.Fn.Result.Arrow(), Decode(got).DataType()))
	}
	for i := range c.results() {
		var rows []int32
		for _, p := range c.Pieces {
			for row := p.Low[i]; row < p.High[i]; row++ {
				rows = append(rows, row)
			}
		}
		want, err := aggregateRows(t, c, rows)
		if failed != nil && err != nil {
			return
		}
		require.NoError(t, err)
		if failed == nil {
			one := Decode(array.NewSlice(got, int64(i), int64(i)+1))
			require.True(t, sameButForRounding(want, one), "seed %d: %s over rows %v:\nwant %s\ngot  %s", seed, c.Fn.Signature(), rows, want, one)
		}
	}
	// A row may fail that stands in no frame.
	if failed != nil {
		_, err := aggregateRows(t, c, sequence(c.Rows))
		require.Error(t, err, "seed %d: %s: %v", seed, c.Fn.Signature(), failed)
	}
}

// aggregateRows is the aggregate of some rows.
func aggregateRows(t *testing.T, c FrameCall, rows []int32) (arrow.Array, error) {
	t.Helper()
	a, ok := NewAccumulator(c.Fn)
	require.True(t, ok)
	args := make([]Operand, len(c.Args))
	for k, arg := range c.Args {
		args[k] = Operand{Array: Take(arg.Array, rows)}
	}
	if err := a.Update(Groups{Count: 1}, args, len(rows)); err != nil {
		return nil, err
	}
	return a.Result(1)
}

// sameButForRounding allows for the rounding of doubles that are joined in another order.
func sameButForRounding(a, b arrow.Array) bool {
	x, ok := Decode(a).(*array.Float64)
	if ok && x.IsValid(0) && b.IsValid(0) {
		v, w := x.Value(0), b.(*array.Float64).Value(0)
		return math.Abs(v-w) <= 1e-9*max(1, math.Abs(v)) || (v != v && w != w) || v == w
	}
	return array.Equal(Decode(a), b)
}

// TestMergedFramesAgree runs aggregates that have a form of their own through the one that serves all others.
func TestMergedFramesAgree(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 0))
	for _, signature := range []string{"sum(BIGINT)", "avg(DOUBLE PRECISION)", "max(TEXT)", "count()", "min(INTERVAL)"} {
		f := aggregateBySignature(signature)
		rows := 2*mergedAtOnce + 10
		for _, pieces := range frameShapes(rng, rows) {
			call := FrameCall{Fn: f, Args: frameArgs(rng, f, rows), Rows: rows, Pieces: pieces, Reserve: noLimit}
			want, err := AggregateFrames(call)
			require.NoError(t, err)
			got, err := mergeFrames(call)
			require.NoError(t, err)
			require.True(t, array.ApproxEqual(Decode(want), Decode(got)), "%s\n%s\n%s", signature, want, got)
		}
	}
}

func TestMergedFramesGiveTheirMemoryBack(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 0))
	f := aggregateBySignature("max(TEXT)")
	const rows = 4 * mergedAtOnce
	sliding := frameShapes(rng, rows)[5]
	var held []int64
	call := FrameCall{Fn: f, Args: frameArgs(rng, f, rows), Rows: rows, Pieces: sliding, Reserve: func(bytes int64) error {
		held = append(held, bytes)
		return nil
	}}
	_, err := mergeFrames(call)
	require.NoError(t, err)
	quarter := len(held) / 4
	require.LessOrEqual(t, slices.Max(held[3*quarter:]), 2*slices.Max(held[:2*quarter]), "what is held grows with the rows")
	full := errors.New("full")
	call.Reserve = func(int64) error { return full }
	_, err = mergeFrames(call)
	require.ErrorIs(t, err, full)
	call.Fn = aggregateBySignature("sum(DOUBLE PRECISION)")
	call.Args = frameArgs(rng, call.Fn, rows)
	_, err = AggregateFrames(call)
	require.ErrorIs(t, err, full)
}

func TestLongFramesAskOften(t *testing.T) {
	t.Parallel()
	const rows = 3*foldedAtOnce + 1
	values, frames := make([]float64, rows), Frames{Low: make([]int32, rows), High: make([]int32, rows)}
	for i := range rows {
		frames.High[i] = int32(i + 1)
	}
	asked, enough := 0, errors.New("enough")
	call := FrameCall{
		Fn: aggregateBySignature("sum(DOUBLE PRECISION)"), Args: []Operand{{Array: event.NewFloat64s(values, nil)}}, Rows: rows,
		Pieces: []Frames{frames}, Reserve: func(int64) error {
			if asked++; asked == 4 {
				return enough
			}
			return nil
		},
	}
	_, err := AggregateFrames(call)
	require.ErrorIs(t, err, enough)
}

func TestBigintFramesNeverOverflow(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	call := FrameCall{
		Fn: aggregateBySignature("sum(BIGINT)"), Args: []Operand{{Array: event.NewInt64s([]int64{most, most, -most, -most, -2}, nil)}},
		Rows: 5, Reserve: noLimit, Pieces: []Frames{{Low: []int32{0, 1, 3}, High: []int32{1, 4, 4}}},
	}
	out, err := AggregateFrames(call)
	require.NoError(t, err)
	for i, want := range []int64{most, -most, -most} {
		require.Equal(t, decimal128.FromI64(want), out.(*array.Decimal128).Value(i))
	}
	call.Pieces = []Frames{{Low: []int32{3}, High: []int32{5}}}
	out, err = AggregateFrames(call)
	require.NoError(t, err)
	require.Equal(t, "-9223372036854775809", event.FormatNumeric(out.(*array.Decimal128).Value(0), 0))
}

func TestDoubleFramesDoNotRememberLargeValues(t *testing.T) {
	t.Parallel()
	call := FrameCall{
		Fn: aggregateBySignature("sum(DOUBLE PRECISION)"), Rows: 6, Reserve: noLimit,
		Args:   []Operand{{Array: event.NewFloat64s([]float64{1e300, 0.1, math.Inf(1), math.NaN(), 0.1, 0.2}, nil)}},
		Pieces: []Frames{{Low: []int32{0, 1, 2, 3, 4}, High: []int32{2, 3, 4, 5, 6}}},
	}
	out, err := AggregateFrames(call)
	require.NoError(t, err)
	sums := out.(*array.Float64).Float64Values()
	require.Equal(t, 1e300, sums[0])
	require.Equal(t, math.Inf(1), sums[1])
	require.True(t, math.IsNaN(sums[2]) && math.IsNaN(sums[3]))
	require.InDelta(t, 0.3, sums[4], 1e-16)
}

func BenchmarkFrames(b *testing.B) {
	const rows = 1 << 16
	rng := rand.New(rand.NewPCG(1, 0))
	frames := Frames{Low: make([]int32, rows), High: make([]int32, rows)}
	for i := range rows {
		frames.Low[i], frames.High[i] = int32(max(0, i-1000)), int32(i+1)
	}
	jumping := Frames{Low: slices.Clone(frames.Low), High: slices.Clone(frames.High)}
	jumping.Low[rows/2], jumping.High[rows/2] = 0, 1
	for _, signature := range []string{"sum(BIGINT)", "sum(DOUBLE PRECISION)", "max(BIGINT)", "max(TEXT)"} {
		f := aggregateBySignature(signature)
		args := frameArgs(rng, f, rows)
		for name, pieces := range map[string]Frames{"sliding": frames, "jumping": jumping} {
			b.Run(signature+"/"+name, func(b *testing.B) {
				b.SetBytes(rows)
				for range b.N {
					_, err := AggregateFrames(FrameCall{Fn: f, Args: args, Rows: rows, Pieces: []Frames{pieces}, Reserve: noLimit})
					require.NoError(b, err)
				}
			})
		}
	}
	b.Run("merged", func(b *testing.B) {
		f := aggregateBySignature("sum(BIGINT)")
		args := frameArgs(rng, f, rows)
		b.SetBytes(rows)
		for range b.N {
			_, err := mergeFrames(FrameCall{Fn: f, Args: args, Rows: rows, Pieces: []Frames{frames}, Reserve: noLimit})
			require.NoError(b, err)
		}
	})
}
