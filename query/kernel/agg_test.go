package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func TestEveryAggregateHasAnAccumulator(t *testing.T) {
	t.Parallel()
	listed := 0
	for _, overloads := range plan.Functions {
		for _, f := range overloads {
			a, ok := NewAccumulator(f)
			require.Equal(t, f.Aggregate, ok, f.Signature())
			if !ok {
				continue
			}
			listed++
			empty, err := a.Result(2)
			require.NoError(t, err)
			require.Equal(t, 2, empty.Len())
			require.True(t, arrow.TypeEqual(f.Result.Arrow(), empty.DataType()), f.Signature())
			counts := f.Name == "count" || f.Name == "approx_count_distinct" || f.Name == "regr_count"
			require.Equal(t, !counts, empty.IsNull(1), f.Signature())
		}
	}
	require.Len(t, accumulators, listed, "an accumulator belongs to no function")
}

// aggregateColumn makes random values of a type, some of them NULL.
func aggregateColumn(rng *rand.Rand, t event.Type, rows int) arrow.Array {
	valid := event.NewBitmap(rows)
	ints, doubles, bools := make([]int64, rows), make([]float64, rows), event.NewBitmap(rows)
	intervals := make([]arrow.MonthDayNanoInterval, rows)
	codes, offsets, data := make([]int32, rows), []int32{0}, []byte(nil)
	for _, word := range []string{"pear", "", "fig", "apple", "unused"} {
		data = append(data, word...)
		offsets = append(offsets, int32(len(data)))
	}
	for i := range rows {
		ints[i], doubles[i] = rng.Int64()-math.MaxInt64/2, float64(rng.IntN(1000))/8-50
		intervals[i] = arrow.MonthDayNanoInterval{Days: rng.Int32N(5), Nanoseconds: rng.Int64N(9)}
		if codes[i] = rng.Int32N(4); codes[i] == 1 {
			bools.Set(i)
		}
		if rng.IntN(10) > 0 {
			valid.Set(i)
		}
	}
	switch t.Kind {
	case event.Boolean:
		return event.NewBooleans(bools, rows, valid)
	case event.BigInt:
		return event.NewInt64s(ints, valid)
	case event.TimestampTZ:
		return event.NewTimestamps(ints, valid)
	case event.Double:
		return event.NewFloat64s(doubles, valid)
	case event.Interval:
		return event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, intervals, valid)
	case event.JSONB:
		return event.NewDictionary(codes, textColumn(`"pear"`, "1", `{"a":[1.0,null]}`, "1.0", "true"), valid)
	case event.Text:
		return event.NewDictionary(codes, event.NewStrings(offsets, data, nil), valid)
	default:
		return declaredColumn(rng, t, rows, valid)
	}
}

// declaredColumn makes random values of a type that columns have only by declaration.
func declaredColumn(rng *rand.Rand, t event.Type, rows int, valid event.Bitmap) arrow.Array {
	narrow, small, floats := make([]int16, rows), make([]int32, rows), make([]float32, rows)
	words := make([]decimal128.Num, rows)
	for i := range rows {
		narrow[i], small[i], floats[i] = int16(rng.Int32()), rng.Int32()-math.MaxInt32/2, float32(rng.IntN(1000))/8-50
		words[i] = decimal128.FromI64(rng.Int64N(1e12) - 5e11)
	}
	switch t.Kind {
	case event.SmallInt:
		return event.NewFixed(t.Arrow(), narrow, valid)
	case event.Integer, event.Date:
		return event.NewFixed(t.Arrow(), small, valid)
	case event.Time:
		micros := make([]int64, rows)
		for i := range micros {
			micros[i] = rng.Int64N(86_400_000_001)
		}
		return event.NewTimes(micros, valid)
	case event.Real:
		return event.NewFixed(t.Arrow(), floats, valid)
	case event.Bytea:
		offsets := make([]int32, 1, rows+1)
		for i := range rows {
			offsets = append(offsets, int32(2*i+2))
		}
		return event.NewBinaries(offsets, arrow.GetBytes(narrow), valid)
	default:
		return event.NewFixed(t.Arrow(), words, valid)
	}
}

func textColumn(values ...string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return b.NewArray()
}

// fixedArguments are those that must be the same in every row, by name and place.
var fixedArguments = map[string]map[int]arrow.Array{
	"percentile_cont":   {0: event.NewFloat64s([]float64{0.3}, nil)},
	"percentile_disc":   {0: event.NewFloat64s([]float64{0.3}, nil), 2: event.NewBooleans(event.Bitmap{1}, 1, nil)},
	"approx_percentile": {1: event.NewFloat64s([]float64{0.7}, nil)},
	"approx_top_k":      {1: event.NewInt64s([]int64{3}, nil)},
	"histogram": {
		1: event.NewFloat64s([]float64{-20}, nil), 2: event.NewFloat64s([]float64{50}, nil), 3: event.NewInt64s([]int64{7}, nil),
	},
}

// aggregateArguments makes the columns of a call.
func aggregateArguments(rng *rand.Rand, f *plan.Function, rows int) []arrow.Array {
	var out []arrow.Array
	for i, typ := range f.Args {
		switch constant, ok := fixedArguments[f.Name][i]; {
		case ok:
			out = append(out, Take(constant, make([]int32, rows)))
		case f.Name == "json_object_agg" && i == 0:
			codes := make([]int32, rows)
			for row := range codes {
				codes[row] = rng.Int32N(3)
			}
			out = append(out, event.NewDictionary(codes, textColumn("a", "b", "c"), nil))
		default:
			out = append(out, aggregateColumn(rng, typ, rows))
		}
	}
	return out
}

func operandsOf(columns []arrow.Array, change func(arrow.Array) arrow.Array) []Operand {
	var out []Operand
	for _, c := range columns {
		out = append(out, Operand{Array: change(c)})
	}
	return out
}

// keepsOrder names the aggregates whose result depends on the order of rows.
func keepsOrder(f *plan.Function) bool {
	return slices.Contains([]string{
		"first", "last", "any_value", "string_agg", "json_agg", "json_object_agg", "array_agg", "increase", "delta", "rate",
	}, f.Name)
}

// TestAccumulatorsDoNotDependOnTheWay feeds the same rows to each accumulator as one batch and in every other form: slice by
// slice, without NULLs in the way, as plain text, spread over accumulators that are merged in another order of groups, and
// group by group without group numbers.
func TestAccumulatorsDoNotDependOnTheWay(t *testing.T) {
	t.Parallel()
	const groups = 7
	for signature := range accumulators {
		t.Run(signature, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(5, 6))
			f := withNumerics(aggregateBySignature(signature))
			newAccumulator := func() Accumulator {
				a, ok := NewAccumulator(f)
				require.True(t, ok)
				return a
			}
			c := &wayCheck{t: t, f: f, columns: aggregateArguments(rng, f, wayRows), ids: make([]uint32, wayRows)}
			for i := range c.ids {
				c.ids[i] = rng.Uint32N(groups - 1) // the last group stays empty
			}
			whole := newAccumulator()
			c.update(whole, 0, wayRows, nil)
			var err error
			c.want, err = whole.Result(groups)
			require.NoError(t, err)
			require.Positive(t, whole.Bytes(), signature)
			c.inSlices()
			c.merged()
			plain := newAccumulator()
			require.NoError(t, plain.Update(Groups{IDs: c.ids, Count: groups}, operandsOf(c.columns, Decode), wayRows))
			c.check(plain, "as plain text")
			c.groupByGroup()
		})
	}
}

const wayRows = 400

// wayCheck compares the ways of feeding one accumulator.
type wayCheck struct {
	t       *testing.T
	f       *plan.Function
	columns []arrow.Array
	ids     []uint32
	want    arrow.Array
}

// update feeds the rows from one to before another, with groups renumbered by mapping if it is not nil.
func (c *wayCheck) update(a Accumulator, from, to int, mapping []uint32) {
	c.t.Helper()
	ids := slices.Clone(c.ids[from:to])
	for i, g := range ids {
		if mapping != nil {
			ids[i] = mapping[g]
		}
	}
	cut := func(column arrow.Array) arrow.Array { return array.NewSlice(column, int64(from), int64(to)) }
	require.NoError(c.t, a.Update(Groups{IDs: ids, Count: 7}, operandsOf(c.columns, cut), to-from))
}

func (c *wayCheck) check(a Accumulator, way string) {
	c.t.Helper()
	got, err := a.Result(c.want.Len())
	require.NoError(c.t, err)
	require.True(c.t, nearlyEqual(c.want, got), "%s:\n%s\n%s", way, c.want, got)
}

// nearlyEqual allows doubles a relative error, since sums in another order round otherwise.
func nearlyEqual(want, got arrow.Array) bool {
	doubles, ok := want.(*array.Float64)
	if !ok || got.Len() != want.Len() {
		return array.Equal(want, got)
	}
	for i, y := range got.(*array.Float64).Values() {
		x := doubles.Value(i)
		switch {
		case want.IsNull(i) != got.IsNull(i):
			return false
		case want.IsNull(i), x == y, x != x && y != y:
		case math.Abs(x-y) <= 1e-9*math.Abs(x):
		default:
			return false
		}
	}
	return true
}

func (c *wayCheck) inSlices() {
	c.t.Helper()
	sliced, _ := NewAccumulator(c.f)
	for from := 0; from < wayRows; from += 37 {
		c.update(sliced, from, min(from+37, wayRows), nil)
	}
	c.check(sliced, "in slices")
}

// merged spreads slices over two accumulators: in turn, or where order counts the first half and the second.
func (c *wayCheck) merged() {
	c.t.Helper()
	left, _ := NewAccumulator(c.f)
	right, _ := NewAccumulator(c.f)
	mapping := []uint32{6, 5, 4, 3, 2, 1, 0}
	for from := 0; from < wayRows; from += 40 {
		first := from%80 == 0
		if keepsOrder(c.f) {
			first = from < wayRows/2
		}
		if first {
			c.update(left, from, from+40, nil)
		} else {
			c.update(right, from, from+40, mapping)
		}
	}
	require.NoError(c.t, left.Merge(right, mapping, 7))
	c.check(left, "merged")
	empty, _ := NewAccumulator(c.f)
	require.NoError(c.t, empty.Merge(left, []uint32{0, 1, 2, 3, 4, 5, 6}, 7))
	c.check(empty, "merged into nothing")
}

// groupByGroup aggregates the rows of each group alone, with its NULLs and, where they do not count, without them.
func (c *wayCheck) groupByGroup() {
	c.t.Helper()
	for g := range uint32(c.want.Len()) {
		var members, valid []int32
		for i, id := range c.ids {
			if id != g {
				continue
			}
			members = append(members, int32(i))
			if !slices.ContainsFunc(c.columns, func(column arrow.Array) bool { return column.IsNull(i) }) {
				valid = append(valid, int32(i))
			}
		}
		ways := [][]int32{members, valid}
		if strings.HasPrefix(c.f.Name, "json") || c.f.Name == "string_agg" || c.f.Name == "array_agg" {
			ways = ways[:1]
		}
		for _, rows := range ways {
			alone, _ := NewAccumulator(c.f)
			take := func(column arrow.Array) arrow.Array { return Take(column, rows) }
			require.NoError(c.t, alone.Update(Groups{Count: 1}, operandsOf(c.columns, take), len(rows)))
			got, err := alone.Result(1)
			require.NoError(c.t, err)
			one := array.NewSlice(c.want, int64(g), int64(g)+1)
			require.True(c.t, nearlyEqual(one, got), "group %d:\n%s\n%s", g, one, got)
		}
	}
}

func aggregateBySignature(signature string) *plan.Function {
	for _, overloads := range plan.Functions {
		for _, f := range overloads {
			if f.Aggregate && f.Signature() == signature {
				return f
			}
		}
	}
	return nil
}

// single aggregates one column without groups.
func single(t *testing.T, signature string, column arrow.Array) (arrow.Array, error) {
	t.Helper()
	a := accumulators[signature]()
	require.NoError(t, a.Update(Groups{Count: 1}, []Operand{{Array: column}}, column.Len()))
	return a.Result(1)
}

func TestBigintSumNeverOverflows(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	for want, values := range map[string][]int64{
		"9223372036854775806":  {most, most, -most, -2, 1},
		"-9223372036854775808": {-most, -1},
		"9223372036854775808":  {most, 1},
		"-9223372036854775809": {math.MinInt64, -1},
		"27670116110564327421": {most, most, most},
	} {
		out, err := single(t, "sum(BIGINT)", event.NewInt64s(values, nil))
		require.NoError(t, err)
		require.Equal(t, want, event.FormatNumeric(out.(*array.Decimal128).Value(0), 0))
	}
}

func TestBigintAverageIsRoundedOnce(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	out, err := single(t, "avg(BIGINT)", event.NewInt64s([]int64{most, most, most - 3}, nil))
	require.NoError(t, err)
	require.Equal(t, float64(most-1), out.(*array.Float64).Value(0))
	out, err = single(t, "avg(BIGINT)", event.NewInt64s([]int64{-7, 0}, nil))
	require.NoError(t, err)
	require.Equal(t, -3.5, out.(*array.Float64).Value(0))
}

func TestDoubleSumIsCompensated(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1, 1e100, 1, -1e100}, 2},
		{[]float64{1e16, 1, 1, 1, 1, -1e16}, 4},
		{[]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 1},
		{[]float64{1, inf, 2}, inf},
		{[]float64{1, -inf, 1e308, 1e308}, -inf},
		{[]float64{inf, -inf}, nan},
		{[]float64{nan, 1}, nan},
	} {
		out, err := single(t, "sum(DOUBLE PRECISION)", event.NewFloat64s(c.values, nil))
		require.NoError(t, err)
		got := out.(*array.Float64).Value(0)
		require.True(t, got == c.want || (got != got && c.want != c.want), "%v: %v", c.values, got)
	}
	_, err := single(t, "sum(DOUBLE PRECISION)", event.NewFloat64s([]float64{1e308, 1e308}, nil))
	require.ErrorContains(t, err, "overflow")
}

func TestExtremesOfDoubles(t *testing.T) {
	t.Parallel()
	values := event.NewFloat64s([]float64{math.NaN(), 3, math.Inf(-1), -2}, nil)
	least, err := single(t, "min(DOUBLE PRECISION)", values)
	require.NoError(t, err)
	require.Equal(t, math.Inf(-1), least.(*array.Float64).Value(0))
	most, err := single(t, "max(DOUBLE PRECISION)", values)
	require.NoError(t, err)
	require.True(t, math.IsNaN(most.(*array.Float64).Value(0)), "NaN is above all numbers")
	least, err = single(t, "min(DOUBLE PRECISION)", event.NewFloat64s([]float64{math.NaN()}, nil))
	require.NoError(t, err)
	require.True(t, math.IsNaN(least.(*array.Float64).Value(0)))
}

func TestConstantArguments(t *testing.T) {
	t.Parallel()
	three := []Operand{{Array: event.NewInt64s([]int64{3}, nil), Const: true}}
	for signature, want := range map[string]string{
		"sum(BIGINT)": "12", "max(BIGINT)": "3", "count(BIGINT)": "4", "avg(BIGINT)": "3",
	} {
		for _, groups := range []Groups{{Count: 1}, {IDs: []uint32{0, 0, 0, 0}, Count: 1}} {
			a := accumulators[signature]()
			require.NoError(t, a.Update(groups, three, 4))
			out, err := a.Result(1)
			require.NoError(t, err)
			require.Equal(t, want, out.ValueStr(0), signature)
		}
	}
}

func TestResultsDoNotChangeAfterwards(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 8))
	for signature := range accumulators {
		f := withNumerics(aggregateBySignature(signature))
		newAccumulator := func() Accumulator {
			a, ok := NewAccumulator(f)
			require.True(t, ok)
			return a
		}
		if signature == "sum(BIGINT)" || len(f.Args) == 0 {
			continue
		}
		a := newAccumulator()
		update := func() {
			same := func(column arrow.Array) arrow.Array { return column }
			require.NoError(t, a.Update(Groups{Count: 1}, operandsOf(aggregateArguments(rng, f, 50), same), 50))
		}
		update()
		first, err := a.Result(1)
		require.NoError(t, err)
		before := first.ValueStr(0)
		for range 20 {
			update()
		}
		require.Equal(t, before, first.ValueStr(0), signature)
	}
}

func BenchmarkAccumulators(b *testing.B) {
	const rows = 32 << 10
	rng := rand.New(rand.NewPCG(1, 1))
	ids := make([]uint32, rows)
	for i := range ids {
		ids[i] = rng.Uint32N(20)
	}
	for _, c := range []struct {
		signature string
		groups    Groups
	}{
		{"sum(BIGINT)", Groups{Count: 1}}, {"sum(BIGINT)", Groups{IDs: ids, Count: 20}},
		{"sum(DOUBLE PRECISION)", Groups{Count: 1}}, {"sum(DOUBLE PRECISION)", Groups{IDs: ids, Count: 20}},
		{"max(BIGINT)", Groups{Count: 1}}, {"min(TEXT)", Groups{IDs: ids, Count: 20}},
	} {
		f := aggregateBySignature(c.signature)
		column := aggregateColumn(rng, f.Args[0], rows)
		if f.Args[0].Kind != event.Text {
			column = event.NewFixed(column.DataType(), fixed[int64](Operand{Array: column}).values, nil)
		}
		name := c.signature + "/grouped"
		if c.groups.IDs == nil {
			name = c.signature + "/single"
		}
		b.Run(name, func(b *testing.B) {
			a := accumulators[c.signature]()
			for range b.N {
				if err := a.Update(c.groups, []Operand{{Array: column}}, rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
