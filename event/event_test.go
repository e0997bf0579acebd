package event

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTypeNamesReadBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE PRECISION", "NUMERIC(10,2)", "TEXT", "BYTEA",
		"TIMESTAMPTZ", "DATE", "INTERVAL", "JSONB", "UUID", "BIGINT[]", "NUMERIC(38,9)[][]"} {
		parsed, err := ParseType(name)
		require.NoError(t, err)
		require.Equal(t, name, parsed.String())
		again, err := ParseType(parsed.String())
		require.NoError(t, err)
		require.True(t, parsed.Equal(again))
	}
	for alias, name := range map[string]string{"int": "INTEGER", " double   precision ": "DOUBLE PRECISION", "float8": "DOUBLE PRECISION",
		"varchar(20)": "TEXT", "string": "TEXT", "timestamp with time zone": "TIMESTAMPTZ", "json": "JSONB", "decimal(5)": "NUMERIC(5,0)",
		"float": "DOUBLE PRECISION", "float(24)": "REAL", "FLOAT(25)": "DOUBLE PRECISION"} {
		parsed, err := ParseType(alias)
		require.NoError(t, err)
		require.Equal(t, name, parsed.String())
	}
	for _, bad := range []string{"", "blubb", "NUMERIC(0)", "NUMERIC(39)", "NUMERIC(3,4)", "NUMERIC(1,1,1)", "BIGINT(3)", "TEXT(", "TEXT(x)", "FLOAT(54)",
		"FLOAT(0)", "FLOAT(1,2)", "FLOAT8(8)", "DOUBLE(3)"} {
		_, err := ParseType(bad)
		require.Error(t, err, bad)
	}
}

func TestResolveIsExactElseTheOnlyOneButForCase(t *testing.T) {
	t.Parallel()
	s := &Schema{Columns: []Column{{ID: 1, Name: "ProcessId"}, {ID: 2, Name: "ProcessID"}, {ID: 3, Name: "EventID"}}}
	id := func(name string) FieldID {
		c, err := s.Resolve(name)
		require.NoError(t, err)
		return c.ID
	}
	require.EqualValues(t, 1, id("ProcessId"))
	require.EqualValues(t, 2, id("ProcessID"))
	require.EqualValues(t, 3, id("eventid"))
	require.Equal(t, FieldOffset, id("_offset"))
	_, err := s.Resolve("processid")
	require.ErrorIs(t, err, ErrAmbiguousColumn)
	require.ErrorContains(t, err, `"ProcessId" or "ProcessID"`)
	_, err = s.Resolve("nope")
	require.ErrorIs(t, err, ErrUnknownColumn)
}

func TestVector(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string) (v Vector) {
			for _, next := range rapid.SliceOfN(rapid.Int64Range(0, 5), 0, 4).Draw(r, name) {
				v = append(v, Offset(next))
			}
			return v
		}
		a, b := draw("a"), draw("b")
		most := a.Max(b)
		require.True(t, most.Covers(a) && most.Covers(b))
		require.Equal(t, a.Covers(b), a.Max(b).String() == most.String() && most.Covers(a) && a.Covers(most))
		p := Partition(rapid.IntRange(0, 5).Draw(r, "p"))
		moved := a.With(p, 9)
		require.EqualValues(t, 9, moved.At(p))
		require.Equal(t, a.At(p+1), moved.At(p+1))
	})
}

func TestJSONStringsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.String().Draw(r, "s")
		var back string
		require.NoError(t, json.Unmarshal(AppendJSONString(nil, s), &back))
		require.Equal(t, s, back)
		raw := string(rapid.SliceOf(rapid.Byte()).Draw(r, "bytes"))
		require.NoError(t, json.Unmarshal(AppendJSONString(nil, raw), &back))
		require.True(t, utf8.ValidString(back))
	})
}

func TestDoublesReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		v := rapid.Float64().Draw(r, "v")
		text := string(AppendDouble(nil, v))
		require.True(t, json.Valid([]byte(text)))
		back, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(v), math.Float64bits(back))
	})
	require.Equal(t, `"NaN"`, string(AppendDouble(nil, math.NaN())))
	require.Equal(t, `"-Infinity"`, string(AppendDouble(nil, math.Inf(-1))))
}

func TestWidenKeepsEveryValue(t *testing.T) {
	t.Parallel()
	valid := NewBitmap(3)
	valid.Set(0)
	valid.Set(2)
	boolean, bigint, text := Type{Kind: Boolean}, Type{Kind: BigInt}, Type{Kind: Text}
	ts, double, jsonb := Type{Kind: TimestampTZ}, Type{Kind: Double}, Type{Kind: JSONB}
	bits := NewBitmap(3)
	bits.Set(2)
	for _, c := range []struct {
		from   Type
		values arrow.Array
		want   []string
	}{
		{boolean, NewBooleans(bits, 3, valid), []string{"false", "", "true"}},
		{bigint, NewInt64s([]int64{-1, 0, math.MaxInt64}, valid), []string{"-1", "", "9223372036854775807"}},
		{double, NewFloat64s([]float64{0.1, 0, 1e300}, valid), []string{"0.1", "", "1e+300"}},
		{text, NewStrings([]int32{0, 1, 1, 3}, []byte(`a"b`), valid), []string{`"a"`, "", `"\"b"`}},
		{ts, NewTimestamps([]int64{0, 0, 1}, valid), []string{`"1970-01-01T00:00:00.000000Z"`, "", `"1970-01-01T00:00:00.000001Z"`}},
	} {
		wide, err := Widen(c.values, c.from, jsonb)
		require.NoError(t, err)
		for i, want := range c.want {
			require.Equal(t, want == "", wide.IsNull(i))
			if want != "" {
				require.Equal(t, want, wide.(*array.String).Value(i))
			}
		}
	}
	_, err := Widen(NewStrings([]int32{0}, nil, nil), text, bigint)
	require.Error(t, err)
}

func TestTakeAgreesWithTheRowsOneByOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(r, "n")
		var valid Bitmap
		if rapid.Bool().Draw(r, "nulls") {
			valid = NewBitmap(n)
			for i := range n {
				if rapid.Bool().Draw(r, "valid") {
					valid.Set(i)
				}
			}
		}
		numbers, codes, offsets := make([]int64, n), make([]int32, n), make([]int32, n+1)
		var data []byte
		for i := range n {
			numbers[i], codes[i] = int64(i*i), int32(i%2)
			data = append(data, "abcdef"[:i%7]...)
			offsets[i+1] = int32(len(data))
		}
		from := rapid.IntRange(0, n-1).Draw(r, "from")
		rows := rapid.SliceOf(rapid.Int32Range(0, int32(n-from-1))).Draw(r, "rows")
		for _, whole := range []arrow.Array{
			NewInt64s(numbers, valid), NewTimestamps(numbers, valid), NewStrings(offsets, data, valid), NewBooleans(Bitmap("\xa5\xa5\xa5\xa5"), n, valid),
			NewDictionary(codes, NewStrings([]int32{0, 1, 2}, []byte("xy"), nil), valid),
		} {
			values := array.NewSlice(whole, int64(from), int64(n))
			taken := Take(values, rows)
			require.Equal(t, len(rows), taken.Len())
			for i, row := range rows {
				require.Equal(t, values.ValueStr(int(row)), taken.ValueStr(i))
			}
		}
	})
}

func TestFromCutsAtAnOffset(t *testing.T) {
	t.Parallel()
	s := &Schema{Version: 1}
	at := []int64{3, 4, 7, 9}
	zeros := NewTimestamps(make([]int64, 4), nil)
	b, err := NewBatch(s, 0, []arrow.Array{NewInt64s(make([]int64, 4), nil), NewInt64s(at, nil), zeros, zeros})
	require.NoError(t, err)
	require.Same(t, b, b.From(3))
	require.Equal(t, []int64{7, 9}, b.From(5).Offsets())
	require.EqualValues(t, 7, b.From(5).First)
	require.Nil(t, b.From(10))
	joined, err := Concat([]*Batch{b, b.From(9)})
	require.NoError(t, err)
	require.Equal(t, []int64{3, 4, 7, 9, 9}, joined.Offsets())
}

func TestFormatInterval(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]arrow.MonthDayNanoInterval{
		"00:00:00":                      {},
		"1 year 2 mons 3 days 04:05:06": {Months: 14, Days: 3, Nanoseconds: (4*3600 + 5*60 + 6) * 1e9},
		"-00:00:01.5":                   {Nanoseconds: -15e8},
		"1 day":                         {Days: 1},
		"100:00:00":                     {Nanoseconds: 360_000e9},
	} {
		require.Equal(t, want, FormatInterval(v))
	}
}
