package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// allTypes is a schema with a column of every stored type, nullable and not, under awkward names.
func allTypes() *event.Schema {
	types := []event.Type{
		{Kind: event.TimestampTZ}, {Kind: event.Boolean}, {Kind: event.BigInt}, {Kind: event.Double}, {Kind: event.Text}, {Kind: event.JSONB},
	}
	types = append(types, declaredTypes...)
	schema := &event.Schema{Version: 3, TimeColumn: 1, NextID: 100}
	for i, t := range types {
		schema.Columns = append(schema.Columns,
			event.Column{ID: event.FieldID(i + 1), Name: "a." + t.String(), Type: t, NotNull: true},
			event.Column{ID: event.FieldID(i + 21), Name: "A." + t.String(), Type: t})
	}
	return schema
}

// drawColumns makes n rows of every column. All values are drawn from a few shapes that encoders treat differently.
func drawColumns(t *rapid.T, schema *event.Schema, n int) []arrow.Array {
	var out []arrow.Array
	for _, c := range schema.All() {
		var valid event.Bitmap
		if !c.NotNull {
			valid = drawValid(t, n)
		}
		out = append(out, drawColumn(t, c, n, valid))
	}
	return out
}

func drawValid(t *rapid.T, n int) event.Bitmap {
	valid := event.NewBitmap(n)
	shape := rapid.SampledFrom([]string{"none", "all", "runs", "random"}).Draw(t, "nulls")
	for i := range n {
		switch {
		case shape == "none", shape == "runs" && i/13%2 == 0, shape == "random" && rapid.Bool().Draw(t, "valid"):
			valid.Set(i)
		}
	}
	return valid
}

func drawColumn(t *rapid.T, c event.Column, n int, valid event.Bitmap) arrow.Array {
	switch c.Type.Kind {
	case event.Boolean:
		values := event.NewBitmap(n)
		for i := range n {
			if rapid.Bool().Draw(t, "bool") {
				values.Set(i)
			}
		}
		return event.NewBooleans(values, n, valid)
	case event.BigInt:
		return event.NewInt64s(drawInts(t, n), valid)
	case event.TimestampTZ:
		return event.NewTimestamps(drawInts(t, n), valid)
	case event.Double:
		values := make([]float64, n)
		for i := range values {
			values[i] = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
				math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0})).Draw(t, "double")
		}
		return event.NewFloat64s(values, valid)
	case event.Text, event.JSONB:
		return drawTexts(t, n, valid)
	default:
		return drawDeclared(t, c.Type, n, valid)
	}
}

func drawInts(t *rapid.T, n int) []int64 {
	values := make([]int64, n)
	shape := rapid.SampledFrom([]string{"wild", "small", "rising"}).Draw(t, "ints")
	for i := range values {
		switch shape {
		case "wild":
			values[i] = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})).Draw(t, "int")
		case "small":
			values[i] = rapid.Int64Range(-3, 3).Draw(t, "int")
		case "rising":
			values[i] = 1_700_000_000_000_000 + int64(i)*1000 + rapid.Int64Range(0, 500).Draw(t, "int")
		}
	}
	return values
}

func drawTexts(t *rapid.T, n int, valid event.Bitmap) arrow.Array {
	offsets, data := make([]int32, 1, n+1), []byte{}
	word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "red", "green"}))
	if rapid.Bool().Draw(t, "few") {
		word = rapid.SampledFrom([]string{"", "red", "green", "blau", "\U0010ffff"})
	}
	for range n {
		data = append(data, word.Draw(t, "text")...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid)
}

// requireEqual compares values and NULLs; doubles bit by bit, text in either form.
func requireEqual(t require.TestingT, want, got arrow.Array) {
	require.Equal(t, want.Len(), got.Len())
	require.Equal(t, want.NullN(), got.NullN())
	for i := range want.Len() {
		require.Equal(t, valueAt(want, i), valueAt(got, i), "row %d", i)
	}
}

func valueAt(values arrow.Array, i int) string {
	if values.IsNull(i) {
		return "NULL"
	}
	switch a := values.(type) {
	case *array.Boolean:
		return fmt.Sprint(a.Value(i))
	case *array.Int64:
		return fmt.Sprint(a.Value(i))
	case *array.Timestamp:
		return fmt.Sprint(int64(a.Value(i)))
	case *array.Float64:
		return fmt.Sprintf("%016x", math.Float64bits(a.Value(i)))
	case *array.String, *array.Dictionary:
		return fmt.Sprintf("%q", event.StringAt(values, i))
	default:
		return values.ValueStr(i)
	}
}

func testMeta() FileMeta {
	return FileMeta{Stream: "clicks", Segment: 7, From: event.Vector{3}, To: event.Vector{9, 12}}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	ids := make([]event.FieldID, 0, len(schema.Columns))
	for _, c := range schema.All() {
		ids = append(ids, c.ID)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "rows")
		layout := Layout{RowGroupRows: rapid.IntRange(1, 80).Draw(t, "group"), PageRows: rapid.IntRange(1, 40).Draw(t, "page")}
		layout.Codec = rapid.SampledFrom([]Codec{Fresh, Archive}).Draw(t, "codec")
		columns := drawColumns(t, schema, n)
		var file bytes.Buffer
		info, err := Write(&file, schema, columns, testMeta(), layout)
		require.NoError(t, err)
		require.Equal(t, int64(n), info.Rows)
		require.Equal(t, int64(file.Len()), info.Bytes)

		r, err := Open(bytes.NewReader(file.Bytes()), info.Bytes, "file", NewCaches(1<<20))
		require.NoError(t, err)
		require.Equal(t, testMeta(), r.Meta())
		require.Equal(t, schema, r.Schema())
		require.Equal(t, (n+layout.RowGroupRows-1)/layout.RowGroupRows, r.RowGroups())
		first := 0
		for group := range r.RowGroups() {
			from := rapid.IntRange(0, r.Rows(group)).Draw(t, "from")
			to := rapid.IntRange(from, r.Rows(group)).Draw(t, "to")
			for _, rows := range [][2]int{{0, r.Rows(group)}, {from, to}} {
				read, _, err := r.Read(context.Background(), ids, group, rows[0], rows[1], nil)
				require.NoError(t, err)
				for i := range ids {
					requireEqual(t, array.NewSlice(columns[i], int64(first+rows[0]), int64(first+rows[1])), read[i])
				}
			}
			first += r.Rows(group)
		}
		require.Equal(t, n, first)
	})
}

// numbered makes a small schema with rows that are easy to tell: a time, a count, a repeated and a distinct text.
func numbered(n int) (*event.Schema, []arrow.Array) {
	schema := &event.Schema{Version: 1, TimeColumn: 1, NextID: 5, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true},
		{ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}},
		{ID: 3, Name: "colour", Type: event.Type{Kind: event.Text}},
		{ID: 4, Name: "id", Type: event.Type{Kind: event.Text}},
		{ID: 5, Name: "x", Type: event.Type{Kind: event.Double}},
	}}
	times, counts, doubles, zeros := make([]int64, n), make([]int64, n), make([]float64, n), make([]int64, n)
	valid := event.NewBitmap(n)
	colours, ids := []string{}, []string{}
	for i := range n {
		times[i], counts[i], doubles[i] = 1_700_000_000_000_000+int64(i)*1000, int64(i), float64(i)/3
		if i%5 != 0 {
			valid.Set(i)
		}
		colours = append(colours, []string{"red", "green", "blue"}[i%3])
		ids = append(ids, fmt.Sprintf("%016x", uint64(i)*0x9E3779B97F4A7C15))
	}
	columns := []arrow.Array{
		event.NewTimestamps(times, nil), event.NewInt64s(counts, valid), textsOf(colours), textsOf(ids), event.NewFloat64s(doubles, nil),
		event.NewInt64s(zeros, nil), event.NewInt64s(counts, nil), event.NewTimestamps(times, nil), event.NewTimestamps(times, valid),
	}
	return schema, columns
}

func textsOf(values []string) arrow.Array {
	offsets, data := make([]int32, 1, len(values)+1), []byte{}
	for _, v := range values {
		data = append(data, v...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, nil)
}

func writeNumbered(t testing.TB, n int, layout Layout) (*event.Schema, []arrow.Array, []byte) {
	t.Helper()
	schema, columns := numbered(n)
	var file bytes.Buffer
	_, err := Write(&file, schema, columns, testMeta(), layout)
	require.NoError(t, err)
	return schema, columns, file.Bytes()
}

func TestTextComesAsDictionaryWhereItRepeats(t *testing.T) {
	t.Parallel()
	_, columns, file := writeNumbered(t, 40_000, Layout{PageRows: 10_000})
	caches := NewCaches(1 << 20)
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", caches)
	require.NoError(t, err)
	first, _, err := r.Read(context.Background(), []event.FieldID{3, 4}, 0, 0, 10_000, nil)
	require.NoError(t, err)
	second, _, err := r.Read(context.Background(), []event.FieldID{3}, 0, 10_000, 30_000, nil)
	require.NoError(t, err)
	require.True(t, arrow.TypeEqual(event.DictionaryType, first[0].DataType()))
	require.True(t, arrow.TypeEqual(arrow.BinaryTypes.String, first[1].DataType()), "distinct text needs no dictionary")
	shared := first[0].(*array.Dictionary).Dictionary().Data()
	require.Same(t, shared, second[0].(*array.Dictionary).Dictionary().Data(), "one for the row group")
	alone, _, err := r.Dictionary(0, 3, shared.Len())
	require.NoError(t, err)
	require.Same(t, shared, alone.Data())
	for id, most := range map[event.FieldID]int{3: shared.Len() - 1, 4: 1 << 20, 1: 1 << 20, 77: 1 << 20} {
		alone, _, err = r.Dictionary(0, id, most)
		require.NoError(t, err)
		require.Nil(t, alone, "column %d", id)
	}
	require.Positive(t, caches.dictionaries.Bytes())
	require.Positive(t, caches.pages.Bytes())
	requireEqual(t, array.NewSlice(columns[2], 10_000, 30_000), second[0])
}

func TestStatisticsOfPages(t *testing.T) {
	t.Parallel()
	_, _, file := writeNumbered(t, 1000, Layout{PageRows: 300, RowGroupRows: 500})
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(0))
	require.NoError(t, err)
	require.Equal(t, []int{300, 500}, r.PageEnds(0))
	stats, ok := r.PageStats(1, 0, 2)
	require.True(t, ok)
	require.Equal(t, [4]int64{300, 60, 501, 799}, [4]int64{stats.Rows, stats.Nulls, stats.Min.Int, stats.Max.Int})
	stats, ok = r.ChunkStats(1, 3)
	require.True(t, ok)
	require.Equal(t, [2]string{"blue", "red"}, [2]string{stats.Min.Text, stats.Max.Text})
	_, ok = r.ChunkStats(0, 77)
	require.False(t, ok)
}

func TestLongTextEndsPagesEarly(t *testing.T) {
	t.Parallel()
	schema, columns := numbered(40)
	long := make([]string, 40)
	for i := range long {
		long[i] = fmt.Sprint(i) + string(bytes.Repeat([]byte{'x'}, 1<<20))
	}
	columns[3] = textsOf(long)
	var file bytes.Buffer
	_, err := Write(&file, schema, columns, testMeta(), Layout{})
	require.NoError(t, err)
	r, err := Open(bytes.NewReader(file.Bytes()), int64(file.Len()), "file", NewCaches(0))
	require.NoError(t, err)
	require.Greater(t, len(r.PageEnds(0)), 4)
	read, _, err := r.Read(context.Background(), []event.FieldID{4}, 0, 0, 40, nil)
	require.NoError(t, err)
	requireEqual(t, columns[3], read[0])
}

func TestWriteRefusesWhatDoesNotFitTheSchema(t *testing.T) {
	t.Parallel()
	schema, columns := numbered(3)
	short := append([]arrow.Array{}, columns...)
	short[1] = event.NewInt64s([]int64{1}, nil)
	null := append([]arrow.Array{}, columns...)
	null[0] = event.NewNulls(event.Type{Kind: event.TimestampTZ}, 3)
	wrong := append([]arrow.Array{}, columns...)
	wrong[4] = columns[1]
	for name, bad := range map[string][]arrow.Array{"count": columns[1:], "rows": short, "NULL": null, "type": wrong} {
		_, err := Write(&bytes.Buffer{}, schema, bad, testMeta(), Layout{})
		require.Error(t, err, name)
	}
}

// testdata/v1.parquet was written by the first version of the format, and stays readable for ever: it is never made again.
func TestFirstFormatStaysReadable(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/v1.parquet")
	require.NoError(t, err)
	_, columns := numbered(24)
	groups, err := readAll(file)
	require.NoError(t, err)
	require.Len(t, groups, 2)
	for i := range columns {
		requireEqual(t, array.NewSlice(columns[i], 0, 15), groups[0][i])
		requireEqual(t, array.NewSlice(columns[i], 15, 24), groups[1][i])
	}
}
