package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// archivable are columns of which each is smallest in an encoding of its own. A tenth of the rows of all but the time is NULL.
func archivable(n int) (*event.Schema, []arrow.Array) {
	kinds := []event.Kind{event.TimestampTZ, event.Text, event.Text, event.BigInt, event.Double, event.Text, event.BigInt}
	names := []string{"time", "skewed", "hex", "wild", "walk", "few", "level"}
	schema := &event.Schema{Version: 1, TimeColumn: 1, NextID: 8}
	for i, kind := range kinds {
		c := event.Column{ID: event.FieldID(i + 1), Name: names[i], Type: event.Type{Kind: kind}, NotNull: i == 0}
		schema.Columns = append(schema.Columns, c)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	times, wild, level, walk := make([]int64, n), make([]int64, n), make([]int64, n), make([]float64, n)
	skewed, hex, few := make([]string, n), make([]string, n), make([]string, n)
	valid := event.NewBitmap(n)
	for i := range n {
		times[i] = 1_700_000_000_000_000 + int64(i)*1000 + rng.Int64N(1000)
		r := rng.Float64()
		skewed[i], hex[i], few[i] = fmt.Sprintf("host-%03d", int(r*r*r*r*200)), fmt.Sprintf("e%016x", rng.Uint64()), fmt.Sprint("color", rng.IntN(4))
		wild[i], level[i] = rng.Int64(), int64(rng.IntN(60))<<20
		walk[i] = float64(i%100) + float64(rng.IntN(1000))/100_000
		if rng.IntN(10) > 0 {
			valid.Set(i)
		}
	}
	with := func(values []string) arrow.Array {
		plain := textsOf(values).(*array.String)
		return event.NewStrings(plain.ValueOffsets(), plain.ValueBytes(), valid)
	}
	zeros := make([]int64, n)
	return schema, []arrow.Array{
		event.NewTimestamps(times, nil), with(skewed), with(hex), event.NewInt64s(wild, valid), event.NewFloat64s(walk, valid), with(few),
		event.NewInt64s(level, valid), event.NewInt64s(zeros, nil), event.NewInt64s(ordinals64(n), nil), event.NewTimestamps(zeros, nil),
		event.NewNulls(event.Type{Kind: event.TimestampTZ}, n),
	}
}

func ordinals64(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

// TestArchiveChoosesByTrying holds the archive layout to the encodings that are smallest, and reads every value back, here and with another
// implementation of the format.
func TestArchiveChoosesByTrying(t *testing.T) {
	t.Parallel()
	const n = 30_000
	schema, columns := archivable(n)
	var file bytes.Buffer
	info, err := Write(&file, schema, columns, testMeta(), Layout{PageRows: 8000, Codec: Archive})
	require.NoError(t, err)
	r, err := Open(bytes.NewReader(file.Bytes()), info.Bytes, "x", NewCaches(0))
	require.NoError(t, err)
	want := []struct {
		encoding format.Encoding
		bits     byte // of a code
		page     format.PageType
	}{
		{format.DeltaBinaryPacked, 0, format.DataPageV2},
		{format.RLEDictionary, 8, format.DataPage}, // 200 need as many
		{format.DeltaLengthByteArray, 0, format.DataPage},
		{format.Plain, 0, format.DataPageV2}, // it does not become smaller
		{format.Plain, 0, format.DataPage},
		{format.RLEDictionary, 2, format.DataPage},
		{format.RLEDictionary, 6, format.DataPageV2}, // likewise
	}
	foreign, err := pq.OpenFile(bytes.NewReader(file.Bytes()), info.Bytes)
	require.NoError(t, err)
	for i, w := range want {
		c := &r.groups[0].chunks[i]
		header, _, err := r.readPage(c.pages[1].span)
		require.NoError(t, err)
		require.Equal(t, w.page, header.Type, "column %s", c.column.Name)
		raw, err := r.loadPage(c, c.pages[1])
		require.NoError(t, err)
		require.Equal(t, w.encoding, raw.encoding, "column %s", c.column.Name)
		if w.bits > 0 {
			require.Equal(t, w.bits, raw.values[0], "column %s", c.column.Name)
		}
		for _, rows := range [][2]int{{0, n}, {7999, 16_001}} {
			read, _, err := r.Read(context.Background(), []event.FieldID{event.FieldID(i + 1)}, 0, rows[0], rows[1], nil)
			require.NoError(t, err)
			requireEqual(t, event.Take(columns[i], ordinals(rows[0], rows[1])), read[0])
		}
		requireForeign(t, columns[i], foreign.RowGroups()[0].ColumnChunks()[i])
	}
}

// requireForeign reads a column with another implementation.
func requireForeign(t *testing.T, want arrow.Array, chunk pq.ColumnChunk) {
	t.Helper()
	pages := chunk.Pages()
	defer func() { require.NoError(t, pages.Close()) }()
	values, at := make([]pq.Value, 1000), 0
	for at < want.Len() {
		page, err := pages.ReadPage()
		require.NoError(t, err)
		reader := page.Values()
		for left := int(page.NumValues()); left > 0; {
			n, _ := reader.ReadValues(values[:min(left, len(values))])
			require.Positive(t, n)
			for _, v := range values[:n] {
				if require.Equal(t, want.IsNull(at), v.IsNull(), "row %d", at); !v.IsNull() {
					require.Equal(t, foreignValue(array1(want, at)).String(), v.String(), "row %d", at)
				}
				at++
			}
			left -= n
		}
	}
}

// TestWholeBytesShowWhatRepeats: of devices that report in turn, but for some that are silent, codes of five bits hide the turns from Zstandard.
func TestWholeBytesShowWhatRepeats(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	values := make([]string, 50_000)
	for i, turn := 0, 0; i < len(values); turn++ {
		if rng.IntN(10) > 0 {
			values[i] = fmt.Sprint("device", turn%30)
			i++
		}
	}
	pack, err := newCompressor(Layout{Codec: Archive})
	require.NoError(t, err)
	w := &fileWriter{pack: pack}
	e, err := w.archiveEncoder(event.Type{Kind: event.Text}, textsOf(values), []int{len(values)})
	require.NoError(t, err)
	require.Equal(t, 8, e.(*dictionaryEncoder).codec.BitWidth)
}

// testdata/v3.parquet was written by the first version of the present archive layout, and stays readable for ever: it is never made again.
func TestThirdFormatStaysReadable(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/v3.parquet")
	require.NoError(t, err)
	_, columns := archivable(3000)
	groups, err := readAll(file)
	require.NoError(t, err)
	require.Len(t, groups, 2)
	for i := range columns {
		requireEqual(t, array.NewSlice(columns[i], 0, 2000), groups[0][i])
		requireEqual(t, array.NewSlice(columns[i], 2000, 3000), groups[1][i])
	}
}

// testdata/v3-fresh.parquet was written when fresh segments first had text behind its lengths, and stays readable for ever: it is never made again.
func TestFreshTextBehindItsLengthsStaysReadable(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/v3-fresh.parquet")
	require.NoError(t, err)
	groups, err := readAll(file)
	require.NoError(t, err)
	require.Len(t, groups, 1)
	for i, column := range distinctTexts(12_000) {
		requireEqual(t, column, groups[0][i])
	}
}

// distinctTexts are the columns of a segment with texts that no dictionary is made for, some of them NULL.
func distinctTexts(n int) []arrow.Array {
	texts, times, zeros, valid := make([]string, n), make([]int64, n), make([]int64, n), event.NewBitmap(n)
	for i := range n {
		times[i], texts[i] = int64(i), strconv.Itoa(i)
		if i%9 != 0 {
			valid.Set(i)
		}
	}
	some := textsOf(texts).(*array.String)
	offsets, data := event.TextLayout(some)
	return []arrow.Array{
		event.NewTimestamps(times, nil), some, event.NewStrings(offsets, data, valid),
		event.NewInt64s(zeros, nil), event.NewInt64s(times, nil), event.NewTimestamps(zeros, nil), event.NewTimestamps(zeros, nil),
	}
}

// distinctSchema is that of distinctTexts.
func distinctSchema() *event.Schema {
	return &event.Schema{Version: 1, TimeColumn: 1, NextID: 4, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true},
		{ID: 2, Name: "name", Type: event.Type{Kind: event.Text}},
		{ID: 3, Name: "note", Type: event.Type{Kind: event.Text}},
	}}
}

// TestFreshTextStandsBehindItsLengths where a dictionary does not pay.
func TestFreshTextStandsBehindItsLengths(t *testing.T) {
	t.Parallel()
	columns := distinctTexts(12_000)
	var file bytes.Buffer
	_, err := Write(&file, distinctSchema(), columns, testMeta(), Layout{PageRows: 4000})
	require.NoError(t, err)
	outside, err := pq.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	for _, i := range []int{1, 2} {
		require.Contains(t, outside.Metadata().RowGroups[0].Columns[i].MetaData.Encoding, format.DeltaLengthByteArray)
	}
	groups, err := readAll(file.Bytes())
	require.NoError(t, err)
	for i := range columns {
		requireEqual(t, columns[i], groups[0][i])
	}
}
