package parquetbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// read gives all rows as text, and the types of the columns, and holds columns to texts.
func read(t testing.TB, body []byte) (texts []string, types map[string]string, err error) {
	t.Helper()
	reader, err := NewReader(body, nil)
	if err != nil {
		return nil, nil, err
	}
	types = map[string]string{}
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return texts, types, nil
		}
		if err != nil {
			return texts, types, err
		}
		for _, text := range chunk.RowTexts() {
			texts = append(texts, string(text))
		}
		for _, f := range chunk.Fields {
			types[f.Name] = f.Type.String()
		}
		require.Empty(t, chunk.Refused)
		checkColumns(t, chunk)
	}
}

// checkColumns holds a chunk's columns to what its texts say.
func checkColumns(t testing.TB, chunk *decode.Chunk) {
	t.Helper()
	schema, err := chunk.Infer("")
	require.NoError(t, err)
	options := decode.Options{Arrival: 77, Mode: catalog.Strict}
	byColumns, err := chunk.Decode(schema, options, 0)
	require.NoError(t, err)
	byText, err := (&decode.Chunk{Texts: chunk.RowTexts()}).Decode(schema, options, 0)
	require.NoError(t, err)
	require.Empty(t, byText.Rejected)
	for i := range byText.Columns {
		equal := array.ApproxEqual(event.PlainText(byText.Columns[i]), byColumns.Columns[i], array.WithNaNsEqual(true), array.WithAbsTolerance(0))
		require.True(t, equal, "column %s:\n%v\n%v", schema.Columns[i].Name, byText.Columns[i], byColumns.Columns[i])
	}
}

type inner struct {
	City string   `parquet:"city"`
	Zip  *int32   `parquet:"zip,optional"`
	Tags []string `parquet:"tags,list"`
}

type sample struct {
	TS     time.Time        `parquet:"ts,timestamp(millisecond)"`
	Host   string           `parquet:"host,dict"`
	N      int64            `parquet:"n,delta"`
	Small  int32            `parquet:"small"`
	U      uint64           `parquet:"u"`
	F      float64          `parquet:"f"`
	G      float32          `parquet:"g"`
	OK     bool             `parquet:"ok"`
	Note   *string          `parquet:"note,optional"`
	Raw    []byte           `parquet:"raw"`
	ID     [16]byte         `parquet:"id,uuid"`
	Price  int64            `parquet:"price,decimal(2:12)"`
	Day    int32            `parquet:"day,date"`
	Clock  int64            `parquet:"clock,time(microsecond)"`
	Plain  []int64          `parquet:"plain"`
	List   []int64          `parquet:"list,list"`
	Where  inner            `parquet:"where"`
	Maybe  *inner           `parquet:"maybe,optional"`
	Many   []inner          `parquet:"many"`
	Counts map[string]int64 `parquet:"counts"`
}

func samples(n int) []sample {
	out := make([]sample, n)
	for i := range out {
		s := &out[i]
		s.TS, s.Host, s.N, s.Small = time.UnixMilli(1772355600000+int64(i)), fmt.Sprint("host-", i%7), int64(i)*1_000_003-5, int32(-i)
		s.U, s.F, s.G, s.OK = 1<<63+uint64(i), float64(i)/8, 0.1, i%2 == 0
		s.Raw, s.ID, s.Price, s.Day = []byte{0, byte(i)}, [16]byte{15: byte(i)}, int64(i)-1, int32(20000+i%100)
		s.Clock = int64(i%1000) * 1000
		s.Where, s.Counts = inner{City: "Ams\"terdam", Tags: []string{}}, map[string]int64{}
		if i%3 == 1 {
			note, zip := fmt.Sprint("note ", i), int32(i)
			s.Note, s.Plain, s.List, s.Maybe = &note, []int64{1, 2, 3}, []int64{7}, &inner{City: "x", Zip: &zip, Tags: []string{"a", "b"}}
			s.Many = []inner{{City: "p", Tags: []string{"q"}}, {City: "r", Zip: &zip}}
			s.Counts["k"] = int64(i)
		}
	}
	return out
}

func fileOf(t testing.TB, rows []sample, options ...parquet.WriterOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[sample](&out, options...)
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestTypesAndNesting(t *testing.T) {
	t.Parallel()
	for name, codec := range map[string]compress.Codec{
		"none": &parquet.Uncompressed, "snappy": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd, "lz4": &parquet.Lz4Raw,
	} {
		for version := 1; version <= 2; version++ {
			body := fileOf(t, samples(9000), parquet.Compression(codec), parquet.DataPageVersion(version),
				parquet.PageBufferSize(3000), parquet.MaxRowsPerRowGroup(5000))
			texts, types, err := read(t, body)
			require.NoError(t, err, "%s %d", name, version)
			require.Len(t, texts, 9000)
			require.Equal(t, map[string]string{
				"ts": "TIMESTAMPTZ", "host": "TEXT", "n": "BIGINT", "small": "BIGINT", "u": "NUMERIC(20,0)", "f": "DOUBLE PRECISION", "g": "REAL",
				"ok": "BOOLEAN", "note": "TEXT", "raw": "BYTEA", "id": "UUID", "price": "NUMERIC(12,2)", "day": "DATE", "clock": "TIME",
				"plain": "JSONB", "list": "JSONB", "where": "JSONB", "maybe": "JSONB", "many": "JSONB", "counts": "JSONB",
			}, types)
			require.Equal(t, `{"ts":"2026-03-01T09:00:00.000000Z","host":"host-0","n":-5,"small":0,"u":"9223372036854775808","f":0,"g":0.1,"ok":true,`+
				`"raw":"AAA=","id":"00000000-0000-0000-0000-000000000000","price":"-0.01","day":"2024-10-04","clock":"00:00:00","plain":[],"list":[],`+
				`"where":{"city":"Ams\"terdam","zip":null,"tags":[]},"many":[],"counts":{}}`, texts[0])
			require.True(t, strings.HasSuffix(texts[8998], `"clock":"00:00:00.998","plain":[1,2,3],"list":[7],"where":{"city":"Ams\"terdam","zip":null,"tags":[]},`+
				`"maybe":{"city":"x","zip":8998,"tags":["a","b"]},"many":[{"city":"p","zip":null,"tags":["q"]},{"city":"r","zip":8998,"tags":[]}],"counts":{"k":8998}}`),
				texts[8998])
		}
	}
}

// TestTypesInsideOfOthers reads leaves of groups whose annotations say more than what they are stored as.
func TestTypesInsideOfOthers(t *testing.T) {
	t.Parallel()
	type group struct {
		JSON string   `parquet:"json,json"`
		UUID [16]byte `parquet:"uuid,uuid"`
		Text string   `parquet:"text,string"`
	}
	type row struct {
		Group group `parquet:"group"`
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out)
	_, err := w.Write([]row{{group{JSON: `{"a": [1]}`, UUID: [16]byte{15: 7}}}, {group{JSON: "{"}}, {group{JSON: "1", Text: "\xe9"}}, {group{JSON: "null"}}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	reader, err := NewReader(out.Bytes(), nil)
	require.NoError(t, err)
	chunk, err := reader.Next()
	require.NoError(t, err)
	var texts, refused []string
	for _, text := range chunk.RowTexts() {
		texts = append(texts, string(text))
	}
	for _, r := range chunk.Refused {
		refused = append(refused, fmt.Sprintf("%d: %s", r.Line, r.Reason))
	}
	require.Equal(t, []string{
		`{"group":{"json":{"a":[1]},"uuid":"00000000-0000-0000-0000-000000000007","text":""}}`,
		`{"group":{"json":null,"uuid":"00000000-0000-0000-0000-000000000000","text":""}}`,
	}, texts)
	require.Equal(t, []string{`1: field "group": not valid JSON`, `2: field "group": invalid UTF-8`}, refused)
}

// TestDamage cuts a file at every place and flips its bytes: each is rows, or an error with a code.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Zstd} {
		body := fileOf(t, samples(20), parquet.Compression(codec))
		check := func(damaged []byte) {
			reader, err := NewReader(damaged, nil)
			for err == nil {
				_, err = reader.Next()
			}
			var fault *event.Error
			if !errors.Is(err, io.EOF) {
				require.ErrorAs(t, err, &fault)
			}
		}
		for i := 0; i < len(body); i += 3 {
			check(body[:i])
			for _, mask := range []byte{0x01, 0x80, 0xff} {
				damaged := bytes.Clone(body)
				damaged[i] ^= mask
				check(damaged)
			}
		}
	}
}

func TestBodiesThatAreNoFiles(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "PAR1", "PAR1PAR1", "{\"a\":1}", "PAR1\xff\xff\xff\x7fPAR1", "PAR1\x00\x00\x00\x00PAR1", strings.Repeat("x", 100)} {
		_, _, err := read(t, []byte(body))
		var fault *event.Error
		require.ErrorAs(t, err, &fault, "%q", body)
		require.Equal(t, event.CodeBadRequest, fault.Code)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(fileOf(f, samples(4), parquet.Compression(&parquet.Zstd)))
	f.Fuzz(func(t *testing.T, body []byte) {
		reader, err := NewReader(body, nil)
		for err == nil {
			_, err = reader.Next()
		}
		var fault *event.Error
		if !errors.Is(err, io.EOF) {
			require.ErrorAs(t, err, &fault)
		}
	})
}
