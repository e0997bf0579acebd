package parquetbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// encoded has a column for each way to write values that can be NULL, and such that cannot.
type encoded struct {
	Plain   *int64       `parquet:"plain,optional,plain"`
	Delta   *int64       `parquet:"delta,optional"`
	Delta32 int32        `parquet:"delta32,delta"`
	Split   *float64     `parquet:"split,optional"`
	Split32 float32      `parquet:"split32,split"`
	Dict    *int64       `parquet:"dict,optional,dict"`
	Word    *string      `parquet:"word,optional,dict"`
	Text    *string      `parquet:"text,optional,plain"`
	Short   *string      `parquet:"short,optional"`
	Fixed   [5]byte      `parquet:"fixed,plain"`
	FixedD  [5]byte      `parquet:"fixedd,delta"`
	FixedC  [16]byte     `parquet:"fixedc,uuid,dict"`
	Yes     *bool        `parquet:"yes,optional"`
	List    []string     `parquet:"list"`
	Pairs   []encodedTwo `parquet:"pairs"`
}

type encodedTwo struct {
	A *string `parquet:"a,optional,dict"`
	B []int32 `parquet:"b"`
}

func maybe[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

var encodedRows = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) encoded {
	word, number := rapid.StringMatching(`[a-c]{0,3}`), rapid.Int64()
	var e encoded
	e.Plain, e.Delta, e.Delta32 = maybe(number).Draw(t, "plain"), maybe(number).Draw(t, "delta"), rapid.Int32().Draw(t, "delta32")
	e.Split, e.Split32 = maybe(rapid.Float64Range(-9, 9)).Draw(t, "split"), rapid.Float32Range(-9, 9).Draw(t, "split32")
	e.Dict, e.Word = maybe(rapid.Int64Range(0, 3)).Draw(t, "dict"), maybe(word).Draw(t, "word")
	e.Text, e.Short = maybe(word).Draw(t, "text"), maybe(word).Draw(t, "short")
	copy(e.Fixed[:], word.Draw(t, "fixed"))
	copy(e.FixedD[:], word.Draw(t, "fixedd"))
	e.FixedC[0] = byte(rapid.IntRange(0, 2).Draw(t, "fixedc"))
	e.Yes, e.List = maybe(rapid.Bool()).Draw(t, "yes"), rapid.SliceOfN(word, 0, 3).Draw(t, "list")
	for range rapid.IntRange(0, 2).Draw(t, "pairs") {
		e.Pairs = append(e.Pairs, encodedTwo{maybe(word).Draw(t, "a"), rapid.SliceOfN(rapid.Int32(), 0, 3).Draw(t, "b")})
	}
	return e
}), 1, 60)

// encodedSchema has encodings that no tag of a field can name.
var encodedSchema = func() *parquet.Schema {
	group := parquet.Group{}
	for _, f := range parquet.SchemaOf(encoded{}).Fields() {
		group[f.Name()] = f
	}
	text := parquet.String()
	for name, node := range map[string]parquet.Node{
		"delta": parquet.Optional(parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)),
		"split": parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.ByteStreamSplit)),
		"text":  parquet.Optional(parquet.Encoded(text, &parquet.DeltaLengthByteArray)),
		"short": parquet.Optional(parquet.Encoded(text, &parquet.DeltaByteArray)),
		"list":  parquet.Repeated(parquet.Encoded(text, &parquet.DeltaByteArray)),
		"pairs": parquet.Repeated(parquet.Group{
			"a": parquet.Optional(parquet.Encoded(text, &parquet.RLEDictionary)),
			"b": parquet.Repeated(parquet.Encoded(parquet.Int(32), &parquet.DeltaBinaryPacked)),
		}),
	} {
		group[name] = node
	}
	return parquet.NewSchema("encoded", group)
}()

// TestEncodings reads what the library has written in all encodings, in pages and row groups of few rows.
func TestEncodings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := encodedRows.Draw(t, "rows")
		codec := rapid.SampledFrom([]string{"none", "snappy", "zstd"}).Draw(t, "codec")
		var out bytes.Buffer
		w := parquet.NewGenericWriter[encoded](&out, encodedSchema, parquet.DataPageVersion(rapid.IntRange(1, 2).Draw(t, "version")),
			parquet.PageBufferSize(rapid.SampledFrom([]int{60, 400, 1 << 20}).Draw(t, "page")),
			parquet.MaxRowsPerRowGroup(rapid.SampledFrom([]int64{7, 1000}).Draw(t, "group")))
		if codec == "zstd" {
			w = parquet.NewGenericWriter[encoded](&out, encodedSchema, parquet.Compression(&parquet.Zstd))
		}
		_, err := w.Write(rows)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		got := textsOf(t, open2(NewReader(out.Bytes(), nil)))
		require.Equal(t, got, textsOf(t, open2(NewFileReader(bytes.NewReader(out.Bytes()), int64(out.Len()), nil))))
		require.Len(t, got, len(rows))
		for i, row := range rows {
			require.JSONEq(t, row.json(t), got[i], "row %d", i)
		}
	})
}

// json is a row as it is to be read.
func (e *encoded) json(t require.TestingT) string {
	want := map[string]any{"delta32": e.Delta32, "split32": e.Split32, "fixed": e.Fixed[:], "fixedd": e.FixedD[:], "list": append([]string{}, e.List...)}
	set := func(name string, v any, known bool) {
		if known {
			want[name] = v
		}
	}
	set("plain", e.Plain, e.Plain != nil)
	set("delta", e.Delta, e.Delta != nil)
	set("split", e.Split, e.Split != nil)
	set("dict", e.Dict, e.Dict != nil)
	set("word", e.Word, e.Word != nil)
	set("text", e.Text, e.Text != nil)
	set("short", e.Short, e.Short != nil)
	set("yes", e.Yes, e.Yes != nil)
	want["fixedc"] = fmt.Sprintf("%x-%x-%x-%x-%x", e.FixedC[:4], e.FixedC[4:6], e.FixedC[6:8], e.FixedC[8:10], e.FixedC[10:])
	pairs := []any{}
	for _, p := range e.Pairs {
		pairs = append(pairs, map[string]any{"a": p.A, "b": append([]int32{}, p.B...)})
	}
	want["pairs"] = pairs
	text, err := json.Marshal(want)
	require.NoError(t, err)
	return string(text)
}

func open2(r *Reader, err error) func() (*Reader, error) {
	return func() (*Reader, error) { return r, err }
}

func textsOf(t require.TestingT, opened func() (*Reader, error)) (texts []string) {
	r, err := opened()
	require.NoError(t, err)
	for {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		for _, text := range chunk.RowTexts() {
			texts = append(texts, string(text))
		}
	}
}

// TestExpansion holds what is made of small files that stand for much to a bound.
func TestExpansion(t *testing.T) {
	t.Parallel()
	type row struct {
		Long string `parquet:"long,dict"`
		Same int64  `parquet:"same,dict"`
	}
	long := strings.Repeat("x", 500_000)
	rows := make([]row, 5000) // 2.5 GB in a file of some MB
	for i := range rows {
		rows[i].Long = long
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out, parquet.Compression(&parquet.Zstd))
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, out.Len(), 4<<20) // the values of the pages' bounds
	held, most := int64(0), int64(0)
	r, err := NewFileReader(bytes.NewReader(out.Bytes()), int64(out.Len()), func(bytes int64) error {
		held += bytes
		most = max(most, held)
		return nil
	})
	require.NoError(t, err)
	read, longest := 0, 0
	for err == nil {
		chunk, next := r.Next()
		if err = next; err == nil {
			read += chunk.Rows + len(chunk.Refused)
			longest = max(longest, chunk.Bytes())
		}
	}
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeTooLarge, fault.Code) // it stands for out of all proportion more than it is
	require.Positive(t, read)
	require.Less(t, longest, 2*batchBytes)
	require.Less(t, most, int64(8<<20))
}

// TestHeldMemory refuses a file where the memory for its pages is refused, and more than all pages may take.
func TestHeldMemory(t *testing.T) {
	t.Parallel()
	body := fileOf(t, samples(2000))
	refusal := event.Errorf(event.CodeTooBusy, "no")
	for _, limit := range []int64{0, 2_000, 20_000} {
		held := int64(0)
		r, err := NewFileReader(bytes.NewReader(body), int64(len(body)), func(bytes int64) error {
			if held += bytes; held > limit {
				return refusal
			}
			return nil
		})
		for err == nil {
			_, err = r.Next()
		}
		require.ErrorIs(t, err, refusal)
	}
}

func TestIntervals(t *testing.T) {
	t.Parallel()
	type row struct {
		Wait [12]byte  `parquet:"wait"`
		Else *[12]byte `parquet:"else,optional"`
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out, parquet.NewSchema("row", parquet.Group{
		"wait": parquet.IntervalNode(), "else": parquet.Optional(parquet.IntervalNode()),
	}))
	_, err := w.Write([]row{{Wait: [12]byte{0: 14, 4: 3, 8: 0xdc, 9: 5}}, {Else: &[12]byte{4: 1}}}) // 14 months, 3 days, 1500 ms; a day
	require.NoError(t, err)
	require.NoError(t, w.Close())
	texts, types, err := read(t, out.Bytes())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"wait": "INTERVAL", "else": "INTERVAL"}, types)
	require.Equal(t, []string{`{"wait":"1 year 2 mons 3 days 00:00:01.5"}`, `{"else":"1 day","wait":"00:00:00"}`}, texts)
}
