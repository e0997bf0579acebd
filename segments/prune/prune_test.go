package prune

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestExcluded runs the decisions in testdata. A case is "check column=TYPE [stored=TYPE] [rows=n] [nulls=n] [min= max=] [low=] [high=]":
// what is stored, under the present id or, if the types differ, under a former one, and the range asked for.
func TestExcluded(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/excluded", func(t *testing.T, d *datadriven.TestData) string {
		require.Equal(t, "check", d.Cmd)
		arg := func(name string) (value string, ok bool) {
			for _, a := range d.CmdArgs {
				if a.Key == name {
					return strings.Join(a.Vals, ","), true
				}
			}
			return "", false
		}
		name, _ := arg("column")
		present := parseType(t, name)
		column := event.Column{ID: 2, Name: "c", Type: present}
		stats, at := Stats{Type: present, Rows: 10}, column.ID
		if name, ok := arg("stored"); ok {
			stats.Type, at = parseType(t, name), 1
			column.Former = []event.FormerColumn{{ID: 1, Type: stats.Type}}
		}
		if text, ok := arg("rows"); ok {
			stats.Rows = parseInt(t, text)
		}
		if text, ok := arg("nulls"); ok {
			stats.Nulls = parseInt(t, text)
		}
		if low, ok := arg("min"); ok {
			high, _ := arg("max")
			stats.Bounded = true
			stats.Min, _ = boundOf(parseValue(t, stats.Type, low), stats.Type)
			stats.Max, _ = boundOf(parseValue(t, stats.Type, high), stats.Type)
		}
		r := Range{Field: column.ID}
		if text, ok := arg("low"); ok {
			r.Low = parseValue(t, present, text)
		}
		if text, ok := arg("high"); ok {
			r.High = parseValue(t, present, text)
		}
		schema := &event.Schema{Columns: []event.Column{column}}
		_, absent := arg("absent")
		find := func(id event.FieldID) (Stats, bool) { return stats, id == at && !absent }
		if Excluded([]Range{r}, schema, find) {
			return "left out\n"
		}
		return "kept\n"
	})
}

func parseType(t *testing.T, name string) event.Type {
	t.Helper()
	out, err := event.ParseType(name)
	require.NoError(t, err)
	return out
}

func parseInt(t *testing.T, text string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return v
}

// parseValue makes an array of one value.
func parseValue(t *testing.T, of event.Type, text string) arrow.Array {
	t.Helper()
	switch of.Kind {
	case event.Boolean:
		values := event.NewBitmap(1)
		if text == "true" {
			values.Set(0)
		}
		return event.NewBooleans(values, 1, nil)
	case event.BigInt:
		return event.NewInt64s([]int64{parseInt(t, text)}, nil)
	case event.TimestampTZ:
		return event.NewTimestamps([]int64{parseInt(t, text)}, nil)
	case event.Double:
		v, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		return event.NewFloat64s([]float64{v}, nil)
	default:
		return texts(text)
	}
}

func texts(values ...string) arrow.Array {
	offsets, data := make([]int32, 1, len(values)+1), []byte{}
	for _, v := range values {
		data = append(data, v...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, nil)
}

func excluded(stats Stats, low, high arrow.Array) bool {
	schema := &event.Schema{Columns: []event.Column{{ID: 1, Type: stats.Type}}}
	find := func(event.FieldID) (Stats, bool) { return stats, true }
	return Excluded([]Range{{Field: 1, Low: low, High: high}}, schema, find)
}

func TestTextThatMatchesIsKept(t *testing.T) {
	t.Parallel()
	long := rapid.Custom(func(t *rapid.T) string {
		unit := rapid.SampledFrom([]string{"a", "\u00ff", "\ud7ff", "\uffff", "\U0010ffff", "\xff", "ab"}).Draw(t, "unit")
		return strings.Repeat(unit, rapid.IntRange(0, 90).Draw(t, "times")) + rapid.String().Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(long, 1, 8).Draw(t, "values")
		stats := Collect(texts(values...), event.Type{Kind: event.Text})
		stats = stats.Merge(Collect(texts(values[0]), event.Type{Kind: event.Text}))
		for _, v := range values {
			require.False(t, excluded(stats, texts(v), texts(v)), "%q", v)
		}
		low := rapid.OneOf(long, rapid.SampledFrom(values)).Draw(t, "low")
		if excluded(stats, texts(low), nil) {
			for _, v := range values {
				require.Less(t, v, low)
			}
		}
		require.LessOrEqual(t, len(stats.Max.Text), textBound+4)
	})
}

// TestBoundsOfTexts holds the look at beginnings, and at each text of a dictionary once, against comparing all.
func TestBoundsOfTexts(t *testing.T) {
	t.Parallel()
	text := rapid.Custom(func(t *rapid.T) string {
		n := rapid.IntRange(0, 10).Draw(t, "n")
		return strings.Repeat("a", n) + rapid.SampledFrom([]string{"", "\x00", "b", "\u00ff", "zzzzzzzzzz"}).Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(text, 1, 20).Draw(t, "values")
		valid := event.NewBitmap(len(values))
		var held []string
		codes, all := make([]int32, len(values)), rapid.Bool().Draw(t, "all")
		for i, v := range values {
			codes[i] = int32(len(values) - 1 - i)
			if all || rapid.Bool().Draw(t, "valid") {
				valid.Set(i)
				held = append(held, v)
			}
		}
		if len(held) == 0 {
			return
		}
		if all {
			valid = nil
		}
		plain := stringsOf(values).(*array.String)
		offsets, data := event.TextLayout(plain)
		reversed := slices.Clone(values)
		slices.Reverse(reversed)
		from := rapid.IntRange(0, len(values)-1).Draw(t, "from")
		for name, column := range map[string]arrow.Array{
			"plain":      event.NewStrings(offsets, data, valid),
			"dictionary": event.NewDictionary(codes, stringsOf(reversed), valid),
		} {
			got := Collect(column, event.Type{Kind: event.Text})
			require.Equal(t, slices.Min(held), got.Min.Text, name)
			require.Equal(t, slices.Max(held), got.Max.Text, name)
			part := Collect(array.NewSlice(column, int64(from), int64(len(values))), event.Type{Kind: event.Text})
			if !part.AllNull() {
				var rest []string
				for i := from; i < len(values); i++ {
					if valid.Valid(i) {
						rest = append(rest, values[i])
					}
				}
				require.Equal(t, slices.Min(rest), part.Min.Text, name)
				require.Equal(t, slices.Max(rest), part.Max.Text, name)
			}
		}
	})
}

func stringsOf(values []string) arrow.Array {
	offsets, data := []int32{0}, []byte{}
	for _, v := range values {
		data = append(data, v...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, nil)
}

func TestDoublesThatMatchAreKept(t *testing.T) {
	t.Parallel()
	odd := rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1)})
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Float64(), odd), 1, 8).Draw(t, "values")
		stats := Collect(event.NewFloat64s(values, nil), event.Type{Kind: event.Double})
		low := event.NewFloat64s([]float64{rapid.OneOf(rapid.Float64(), odd, rapid.SampledFrom(values)).Draw(t, "low")}, nil)
		high := event.NewFloat64s([]float64{rapid.OneOf(rapid.Float64(), odd, rapid.SampledFrom(values)).Draw(t, "high")}, nil)
		from, to := low.(interface{ Value(int) float64 }).Value(0), high.(interface{ Value(int) float64 }).Value(0)
		for _, v := range values {
			if v >= from && v <= to || math.IsNaN(v) {
				require.False(t, excluded(stats, low, high), "%v in %v to %v", v, from, to)
			}
		}
	})
}

func TestCollectSkipsNulls(t *testing.T) {
	t.Parallel()
	valid := event.NewBitmap(3)
	valid.Set(1)
	stats := Collect(event.NewInt64s([]int64{-9, 4, 99}, valid), event.Type{Kind: event.BigInt})
	four := Bound{Int: 4}
	require.Equal(t, Stats{Type: event.Type{Kind: event.BigInt}, Rows: 3, Nulls: 2, Bounded: true, Min: four, Max: four}, stats)
	require.True(t, Collect(event.NewNulls(event.Type{Kind: event.Text}, 4), event.Type{Kind: event.Text}).AllNull())
	require.False(t, Collect(texts("{}"), event.Type{Kind: event.JSONB}).Bounded, "JSON does not compare like text")
}
