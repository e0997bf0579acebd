package arrowbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// column is a column of a test's batch, with its values as arrow reads them from JSON.
type column struct {
	name, extension string
	typ             arrow.DataType
	values          string
}

// extended is a field of an extension type, such as may lie inside of others.
func extended(name string, t arrow.DataType, extension string) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true, Metadata: arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{extension})}
}

func batchOf(t testing.TB, columns ...column) arrow.RecordBatch {
	t.Helper()
	fields := make([]arrow.Field, len(columns))
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.typ, Nullable: true}
		if c.extension != "" {
			fields[i].Metadata = arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{c.extension})
		}
		values, _, err := array.FromJSON(memory.DefaultAllocator, c.typ, bytes.NewReader([]byte(c.values)))
		require.NoError(t, err, c.name)
		arrays[i] = values
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(arrays[0].Len()))
}

func streamOf(t testing.TB, batch arrow.RecordBatch, options ...ipc.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(batch.Schema()))...)
	require.NoError(t, w.Write(batch))
	require.NoError(t, w.Close())
	return out.Bytes()
}

// read gives all rows as text, and the types of the columns, and holds columns to texts. It reads the body twice, as the second time its schema may be
// known.
func read(t testing.TB, body []byte) (texts []string, types map[string]string, refused []decode.Rejected, err error) {
	t.Helper()
	texts, types, refused, err = readOnce(t, body)
	again, typesAgain, refusedAgain, errAgain := readOnce(t, body)
	require.Equal(t, err, errAgain)
	require.Equal(t, texts, again)
	require.Equal(t, types, typesAgain)
	require.Equal(t, refused, refusedAgain)
	return texts, types, refused, err
}

func readOnce(t testing.TB, body []byte) (texts []string, types map[string]string, refused []decode.Rejected, err error) {
	t.Helper()
	reader, err := NewReader(bytes.NewReader(body), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	types = map[string]string{}
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return texts, types, refused, nil
		}
		if err != nil {
			return texts, types, refused, err
		}
		for _, text := range chunk.RowTexts() {
			texts = append(texts, string(text))
		}
		for _, f := range chunk.Fields {
			types[f.Name] = f.Type.String()
		}
		refused = append(refused, chunk.Refused...)
		checkColumns(t, chunk)
	}
}

// checkColumns holds a chunk's columns to what its texts say.
func checkColumns(t testing.TB, chunk *decode.Chunk) {
	t.Helper()
	if chunk.Columns == nil {
		return
	}
	schema, err := chunk.Infer("")
	require.NoError(t, err)
	options := decode.Options{Arrival: 77, Mode: catalog.Strict}
	byColumns, err := chunk.Decode(schema, options, 0)
	require.NoError(t, err)
	byText, err := (&decode.Chunk{Texts: chunk.RowTexts()}).Decode(schema, options, 0)
	require.NoError(t, err)
	require.Empty(t, byText.Rejected)
	require.Equal(t, byText.Times, byColumns.Times)
	for i := range byText.Columns {
		equal := array.ApproxEqual(event.PlainText(byText.Columns[i]), byColumns.Columns[i], array.WithNaNsEqual(true), array.WithAbsTolerance(0))
		require.True(t, equal, "column %s:\n%v\n%v", schema.Columns[i].Name, byText.Columns[i], byColumns.Columns[i])
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	utc := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	columns := []struct {
		column
		sql, want string
	}{
		{column{typ: arrow.FixedWidthTypes.Boolean, values: `[true,null,false]`}, "BOOLEAN", `true||false`},
		{column{typ: arrow.PrimitiveTypes.Int8, values: `[-128,null,127]`}, "BIGINT", `-128||127`},
		{column{typ: arrow.PrimitiveTypes.Uint8, values: `[0,null,255]`}, "BIGINT", `0||255`},
		{column{typ: arrow.PrimitiveTypes.Int16, values: `[-32768,null,1]`}, "BIGINT", `-32768||1`},
		{column{typ: arrow.PrimitiveTypes.Uint16, values: `[65535,null,1]`}, "BIGINT", `65535||1`},
		{column{typ: arrow.PrimitiveTypes.Int32, values: `[-2147483648,null,1]`}, "BIGINT", `-2147483648||1`},
		{column{typ: arrow.PrimitiveTypes.Uint32, values: `[4294967295,null,1]`}, "BIGINT", `4294967295||1`},
		{column{typ: arrow.PrimitiveTypes.Int64, values: `[-9223372036854775808,null,1]`}, "BIGINT", `-9223372036854775808||1`},
		{column{typ: arrow.PrimitiveTypes.Uint64, values: `[18446744073709551615,null,0]`}, "NUMERIC(20,0)", `"18446744073709551615"||"0"`},
		{column{typ: arrow.FixedWidthTypes.Float16, values: `[1.5,null,-2]`}, "REAL", `1.5||-2`},
		{column{typ: arrow.PrimitiveTypes.Float32, values: `[0.1,null,123456790000]`}, "REAL", `0.1||1.2345679e+11`},
		{column{typ: arrow.PrimitiveTypes.Float64, values: `[0.1,null,12345678901234567890]`}, "DOUBLE PRECISION", `0.1||1.2345678901234567e+19`},
		{column{typ: &arrow.Decimal128Type{Precision: 6, Scale: 2}, values: `["12.50",null,"-0.01"]`}, "NUMERIC(6,2)", `"12.50"||"-0.01"`},
		{column{typ: &arrow.Decimal256Type{Precision: 38, Scale: 1}, values: `["-12.5",null,"1.0"]`}, "NUMERIC(38,1)", `"-12.5"||"1.0"`},
		{column{typ: &arrow.Decimal256Type{Precision: 50, Scale: 1}, values: `["12.5",null,"1.0"]`}, "TEXT", `"12.5"||"1.0"`},
		{column{typ: &arrow.Decimal32Type{Precision: 5, Scale: 2}, values: `["1.25",null,"-1.00"]`}, "NUMERIC(5,2)", `"1.25"||"-1.00"`},
		{column{typ: arrow.BinaryTypes.String, values: `["a\"b",null,""]`}, "TEXT", `"a\"b"||""`},
		{column{typ: arrow.BinaryTypes.LargeString, values: `["é",null,"x"]`}, "TEXT", `"é"||"x"`},
		{column{typ: arrow.BinaryTypes.StringView, values: `["a text that is longer than a view",null,"x"]`}, "TEXT", `"a text that is longer than a view"||"x"`},
		{column{typ: arrow.BinaryTypes.String, extension: "arrow.json", values: `["{\"a\": 1}",null,"[1]"]`}, "JSONB", `{"a":1}||[1]`},
		{column{typ: arrow.BinaryTypes.Binary, values: `["AAE=",null,""]`}, "BYTEA", `"AAE="||""`},
		{column{typ: arrow.BinaryTypes.LargeBinary, values: `["AAE=",null,""]`}, "BYTEA", `"AAE="||""`},
		{column{typ: &arrow.FixedSizeBinaryType{ByteWidth: 2}, values: `["AAE=",null,"AAE="]`}, "BYTEA", `"AAE="||"AAE="`},
		{
			column{typ: &arrow.FixedSizeBinaryType{ByteWidth: 16}, extension: "arrow.uuid", values: `["AAECAwQFBgcICQoLDA0ODw==",null,"AAECAwQFBgcICQoLDA0ODw=="]`},
			"UUID", `"00010203-0405-0607-0809-0a0b0c0d0e0f"||"00010203-0405-0607-0809-0a0b0c0d0e0f"`,
		},
		{column{typ: arrow.FixedWidthTypes.Date32, values: `["2026-03-01",null,"1969-12-31"]`}, "DATE", `"2026-03-01"||"1969-12-31"`},
		{column{typ: arrow.FixedWidthTypes.Date64, values: `["2026-03-01",null,"1969-12-31"]`}, "DATE", `"2026-03-01"||"1969-12-31"`},
		{column{typ: &arrow.TimestampType{Unit: arrow.Second}, values: `[1772355600,null,-1]`}, "TIMESTAMPTZ", `"2026-03-01T09:00:00.000000Z"||"1969-12-31T23:59:59.000000Z"`},
		{column{typ: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Berlin"}, values: `[1772355600123,null,-1]`}, "TIMESTAMPTZ", `"2026-03-01T09:00:00.123000Z"||"1969-12-31T23:59:59.999000Z"`},
		{column{typ: utc, values: `[1772355600123456,null,-1]`}, "TIMESTAMPTZ", `"2026-03-01T09:00:00.123456Z"||"1969-12-31T23:59:59.999999Z"`},
		{column{typ: &arrow.TimestampType{Unit: arrow.Nanosecond}, values: `[1772355600123456789,null,-1]`}, "TIMESTAMPTZ", `"2026-03-01T09:00:00.123456Z"||"1969-12-31T23:59:59.999999Z"`},
		{column{typ: arrow.FixedWidthTypes.Time32s, values: `["09:00:01",null,"00:00:00"]`}, "TIME", `"09:00:01"||"00:00:00"`},
		{column{typ: arrow.FixedWidthTypes.Time64ns, values: `["09:00:01.5",null,"00:00:00"]`}, "TIME", `"09:00:01.5"||"00:00:00"`},
		{column{typ: arrow.FixedWidthTypes.Duration_ms, values: `[1500,null,-1]`}, "BIGINT", `1500||-1`},
		{column{typ: arrow.FixedWidthTypes.MonthInterval, values: `[{"months":14},null,{"months":1}]`}, "INTERVAL", `"1 year 2 mons"||"1 mon"`},
		{column{typ: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, values: `["x",null,"x"]`}, "TEXT", `"x"||"x"`},
		{column{typ: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint16, ValueType: arrow.PrimitiveTypes.Int32}, values: `[7,null,-7]`}, "BIGINT", `7||-7`},
		{column{typ: arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String), values: `["x",null,"y"]`}, "TEXT", `"x"||"y"`},
		{column{typ: arrow.ListOf(arrow.PrimitiveTypes.Int64), values: `[[1,null],null,[]]`}, "JSONB", `[1,null]||[]`},
		{column{typ: arrow.FixedSizeListOf(2, arrow.FixedWidthTypes.Date32), values: `[["2026-03-01",null],null,["1970-01-01","1970-01-02"]]`}, "JSONB", `["2026-03-01",null]||["1970-01-01","1970-01-02"]`},
		{
			column{typ: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
				arrow.Field{Name: "b", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}), values: `[{"a":1.5,"b":["x"]},null,{"a":null,"b":null}]`},
			"JSONB", `{"a":1.5,"b":["x"]}||{"a":null,"b":null}`,
		},
		{
			column{typ: arrow.StructOf(arrow.Field{Name: "n", Type: arrow.Null, Nullable: true}, arrow.Field{Name: "l", Type: arrow.ListOf(arrow.Null), Nullable: true}),
				values: `[{"n":null,"l":[null]},null,{"n":null,"l":null}]`},
			"JSONB", `{"n":null,"l":[null]}||{"n":null,"l":null}`,
		},
		{
			column{typ: arrow.StructOf(extended("j", arrow.BinaryTypes.String, "arrow.json"), extended("u", &arrow.FixedSizeBinaryType{ByteWidth: 16}, "arrow.uuid")),
				values: `[{"j":"{\"a\": [1]}","u":"AAECAwQFBgcICQoLDA0ODw=="},null,{"j":"7","u":null}]`},
			"JSONB", `{"j":{"a":[1]},"u":"00010203-0405-0607-0809-0a0b0c0d0e0f"}||{"j":7,"u":null}`,
		},
		{
			column{typ: arrow.ListOfField(extended("item",
				&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, "arrow.json")),
				values: `[["[ ]","[ ]"],null,[null]]`},
			"JSONB", `[[],[]]||[null]`,
		},
		{
			column{typ: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64), values: `[[{"key":"k","value":1}],null,[]]`},
			"JSONB", `{"k":1}||{}`,
		},
		{
			column{typ: arrow.MapOf(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String), values: `[[{"key":1,"value":"x"}],null,[]]`},
			"JSONB", `[{"key":1,"value":"x"}]||[]`,
		},
	}
	for i, c := range columns {
		t.Run(fmt.Sprint(i, " ", c.typ), func(t *testing.T) {
			t.Parallel()
			c.name = "c"
			batch := batchOf(t, c.column, column{name: "n", typ: arrow.PrimitiveTypes.Int32, values: "[1,2,3]"})
			for _, options := range [][]ipc.Option{nil, {ipc.WithZstd()}, {ipc.WithLZ4()}} {
				texts, types, refused, err := read(t, streamOf(t, batch, options...))
				require.NoError(t, err)
				require.Empty(t, refused)
				require.Equal(t, c.sql, types["c"])
				require.Len(t, texts, 3)
				require.Equal(t, `{"n":2}`, texts[1])
				first, last, _ := cut(c.want)
				require.Equal(t, []string{`{"c":` + first + `,"n":1}`, `{"c":` + last + `,"n":3}`}, []string{texts[0], texts[2]})
			}
		})
	}
}

func cut(want string) (first, last string, ok bool) {
	before, after, ok := bytes.Cut([]byte(want), []byte("||"))
	return string(before), string(after), ok
}

func TestValuesThatCannotBeStored(t *testing.T) {
	t.Parallel()
	texts, _, refused, err := read(t, streamOf(t, batchOf(t,
		column{name: "t", typ: &arrow.TimestampType{Unit: arrow.Second}, values: `[1,9000000000000000000,3,4]`},
		column{name: "j", extension: "arrow.json", typ: arrow.BinaryTypes.String, values: `["{}","1","{","[]"]`},
	)))
	require.NoError(t, err)
	require.Len(t, texts, 2)
	require.Equal(t, `field "t": the time 9000000000000000000 is out of range`, refused[0].Reason)
	require.Equal(t, 1, refused[0].Line)
	require.Equal(t, `field "j": not valid JSON`, refused[1].Reason)
	require.Equal(t, 2, refused[1].Line)

	deep := strings.Repeat("[", 63) + strings.Repeat("]", 63)
	texts, _, refused, err = read(t, streamOf(t, batchOf(t, column{name: "s", typ: arrow.StructOf(extended("j", arrow.BinaryTypes.String, "arrow.json")),
		values: `[{"j":"{"},{"j":"` + deep[1:125] + `"},{"j":"` + deep + `"}]`})))
	require.NoError(t, err)
	require.Len(t, texts, 1)
	require.Equal(t, []decode.Rejected{{Line: 0, Reason: `field "s": not valid JSON`, Raw: refused[0].Raw}, {Line: 2, Reason: `field "s": nested too deep`, Raw: refused[1].Raw}}, refused)

	floats := array.NewFloat64Builder(memory.DefaultAllocator)
	floats.AppendValues([]float64{math.NaN(), math.Inf(-1), math.Copysign(0, -1)}, nil)
	schema := arrow.NewSchema([]arrow.Field{{Name: "f", Type: arrow.PrimitiveTypes.Float64}}, nil)
	texts, _, _, err = read(t, streamOf(t, array.NewRecordBatch(schema, []arrow.Array{floats.NewArray()}, 3)))
	require.NoError(t, err)
	require.Equal(t, []string{`{"f":"NaN"}`, `{"f":"-Infinity"}`, `{"f":-0}`}, texts)
}

func TestSchemasThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	ints := func(name string) column { return column{name: name, typ: arrow.PrimitiveTypes.Int64, values: "[1]"} }
	deep, values := arrow.ListOf(arrow.PrimitiveTypes.Int64), "[1]"
	for range 40 {
		deep, values = arrow.ListOf(deep), "["+values+"]"
	}
	for want, columns := range map[string][]column{
		`column 2: the name "a" occurs twice`:                       {ints("a"), ints("a")},
		`column 1: a field has an empty name`:                       {ints("")},
		`column 1: field "_offset" has the name of a hidden column`: {ints("_offset")},
		`column "d": types nested more than 30 deep`:                {{name: "d", typ: deep, values: "[" + values + "]"}},
	} {
		_, _, _, err := read(t, streamOf(t, batchOf(t, columns...)))
		var fault *event.Error
		require.ErrorAs(t, err, &fault)
		require.Equal(t, want, fault.Detail)
	}
	for _, body := range []string{"", "{\"json\":1}", "ARROW1\x00\x00", "\xff\xff\xff\xff\xff\xff\xff\x7f", "\xff\xff\xff\xff\x00\x00\x00\x00", "PAR1"} {
		_, _, _, err := read(t, []byte(body))
		var fault *event.Error
		require.ErrorAs(t, err, &fault, "%q", body)
		require.Equal(t, event.CodeBadRequest, fault.Code)
	}
}

// mixed is a batch with one column of most layouts.
func mixed(t testing.TB, rows int) arrow.RecordBatch {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}},
		{Name: "host", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}},
		{Name: "path", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "status", Type: arrow.PrimitiveTypes.Int32},
		{Name: "ms", Type: arrow.PrimitiveTypes.Float64}, {Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range rows {
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(1772355600000000 + i*1234))
		require.NoError(t, b.Field(1).(*array.BinaryDictionaryBuilder).AppendString(fmt.Sprint("host-", i%50)))
		if i%7 == 0 {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.StringBuilder).Append(fmt.Sprint("/some/path/", i))
		}
		b.Field(3).(*array.Int32Builder).Append(int32(200 + i%5))
		b.Field(4).(*array.Float64Builder).Append(float64(i) / 8)
		list := b.Field(5).(*array.ListBuilder)
		list.Append(i%3 > 0)
		if i%3 > 0 {
			list.ValueBuilder().(*array.StringBuilder).Append("a")
		}
	}
	return b.NewRecordBatch()
}

func TestLargeBatchesAndFiles(t *testing.T) {
	t.Parallel()
	batch := mixed(t, 20_000)
	texts, _, _, err := read(t, streamOf(t, batch))
	require.NoError(t, err)
	require.Len(t, texts, 20_000)
	require.Equal(t, `{"ts":"2026-03-01T09:00:24.677532Z","host":"host-48","path":"/some/path/19998","status":203,"ms":2499.75}`, texts[19_998])
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(batch.Schema()))
	require.NoError(t, err)
	require.NoError(t, w.Write(batch))
	require.NoError(t, w.Close())
	fromFile, _, _, err := read(t, out.Bytes())
	require.NoError(t, err)
	require.Equal(t, texts, fromFile)
}

// TestStreamsOfAnyLength reads far more than is held at a time, however its bytes come, and is refused memory like any other.
func TestStreamsOfAnyLength(t *testing.T) {
	t.Parallel()
	batch := mixed(t, 5_000)
	var body bytes.Buffer
	w := ipc.NewWriter(&body, ipc.WithSchema(batch.Schema()))
	const batches = 60
	for range batches {
		require.NoError(t, w.Write(batch))
	}
	require.NoError(t, w.Close())
	held, most := int64(0), int64(0)
	reader, err := NewReader(iotest.HalfReader(bytes.NewReader(body.Bytes())), func(bytes int64) error {
		held += bytes
		most = max(most, held)
		return nil
	})
	require.NoError(t, err)
	rows := 0
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		rows += len(chunk.RowTexts())
	}
	require.Equal(t, batches*5_000, rows)
	require.Less(t, most, int64(body.Len()/batches*4), "about one message is held at a time")

	refuse := errors.New("no memory")
	_, err = NewReader(bytes.NewReader(body.Bytes()), func(int64) error { return refuse })
	require.ErrorContains(t, err, "no memory")
}

// TestDamage cuts a stream at every place and flips its bytes: each is rows, or an error with a code.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, options := range [][]ipc.Option{nil, {ipc.WithLZ4()}} {
		body := streamOf(t, mixed(t, 40), options...)
		check := func(damaged []byte) {
			reader, err := NewReader(bytes.NewReader(damaged), nil)
			for err == nil {
				_, err = reader.Next()
			}
			var fault *event.Error
			if !errors.Is(err, io.EOF) {
				require.ErrorAs(t, err, &fault)
				require.Contains(t, []event.Code{event.CodeBadRequest, event.CodeTooLarge, event.CodeNotSupported}, fault.Code)
			}
		}
		for i := range body {
			check(body[:i])
			for _, mask := range []byte{0x01, 0x80, 0xff} {
				damaged := bytes.Clone(body)
				damaged[i] ^= mask
				check(damaged)
			}
		}
	}
}

// TestBodiesThatStandForTooMuch are small and say that they are large.
func TestBodiesThatStandForTooMuch(t *testing.T) {
	t.Parallel()
	values := array.NewStringBuilder(memory.DefaultAllocator)
	values.Append(string(bytes.Repeat([]byte("x"), 900<<10)))
	indices := array.NewInt8Builder(memory.DefaultAllocator)
	indices.AppendValues(make([]int8, 1<<20), nil)
	kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	dict := array.NewDictionaryArray(kind, indices.NewArray(), values.NewArray())
	schema := arrow.NewSchema([]arrow.Field{{Name: "d", Type: kind}}, nil)
	body := streamOf(t, array.NewRecordBatch(schema, []arrow.Array{dict}, 1<<20), ipc.WithZstd())
	reader, err := NewReader(bytes.NewReader(body), nil)
	for err == nil {
		var chunk *decode.Chunk
		if chunk, err = reader.Next(); err == nil {
			require.Less(t, chunk.Bytes(), 32<<20)
		}
	}
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeTooLarge, fault.Code)

	none := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.Null}}, nil)
	_, _, _, err = read(t, streamOf(t, array.NewRecordBatch(none, []arrow.Array{array.NewNull(1 << 40)}, 1<<40)))
	require.ErrorContains(t, err, "it declares")
}

// messagesOf cuts a stream into its messages.
func messagesOf(t testing.TB, stream []byte) (out [][]byte) {
	t.Helper()
	for m := (&messages{src: bytes.NewReader(stream)}); ; out = append(out, bytes.Clone(m.message)) {
		err := m.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
	}
}

// fileOf is an Arrow file of messages, with something behind them that is not read.
func fileOf(messages ...[]byte) []byte {
	out := slices.Concat(append([][]byte{fileMagic}, messages...)...)
	return append(out, "\xff\xff\xff\xff\x00\x00\x00\x00 the index"...)
}

// twice is a stream of a schema, a dictionary, and two batches.
func twice(t testing.TB) (schema, dictionary, first, second []byte) {
	t.Helper()
	var out bytes.Buffer
	batch := mixed(t, 20)
	w := ipc.NewWriter(&out, ipc.WithSchema(batch.Schema()))
	require.NoError(t, w.Write(batch))
	require.NoError(t, w.Write(batch.NewSlice(5, 9)))
	require.NoError(t, w.Close())
	all := messagesOf(t, out.Bytes())
	require.Len(t, all, 4)
	return all[0], all[1], all[2], all[3]
}

// TestBatchesWaitForTheirDictionaries reads files whose dictionaries lie before, between and behind the batches.
func TestBatchesWaitForTheirDictionaries(t *testing.T) {
	t.Parallel()
	schema, dictionary, first, second := twice(t)
	want, _, _, err := read(t, fileOf(schema, dictionary, first, second))
	require.NoError(t, err)
	require.Len(t, want, 24)
	for _, body := range [][]byte{fileOf(schema, first, second, dictionary), fileOf(schema, first, dictionary, second)} {
		got, _, _, err := read(t, body)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for name, body := range map[string][]byte{
		"missing": fileOf(schema, first, second), "cut off": append(bytes.Clone(fileMagic), slices.Concat(schema, first, dictionary[:20])...),
		"a stream": slices.Concat(schema, first, dictionary),
	} {
		_, _, _, err := read(t, body)
		var fault *event.Error
		require.ErrorAs(t, err, &fault, name)
		require.Equal(t, event.CodeBadRequest, fault.Code, name)
	}
}

// TestWaitingBatchesAreHeld asks for the memory of batches that wait, gives it back, and ends where it is refused or too much.
func TestWaitingBatchesAreHeld(t *testing.T) {
	t.Parallel()
	schema, dictionary, first, second := twice(t)
	file := fileOf(schema, first, second, dictionary)
	held, most := int64(0), int64(0)
	hold := func(bytes int64) error {
		held += bytes
		most = max(most, held)
		return nil
	}
	m := messages{src: bytes.NewReader(file), hold: hold, mostAside: asideBytes}
	for range 4 {
		require.NoError(t, m.next())
	}
	require.ErrorIs(t, m.next(), io.EOF)
	require.GreaterOrEqual(t, most, int64(len(first)+len(second)+len(dictionary)))
	require.LessOrEqual(t, held, int64(4*len(second)), "what has been given is not held")

	m = messages{src: bytes.NewReader(file), mostAside: int64(len(first))}
	require.NoError(t, m.next())
	require.ErrorContains(t, m.next(), "rows before their dictionaries")
}

func FuzzReader(f *testing.F) {
	f.Add(streamOf(f, mixed(f, 3)))
	schema, dictionary, first, second := twice(f)
	f.Add(fileOf(schema, first, dictionary, second))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _, _, err := read(t, body)
		var fault *event.Error
		if err != nil {
			require.ErrorAs(t, err, &fault)
		}
	})
}

// TestKnownSchemas holds that streams of plain columns are read without the library once their schema is known, and that any other message of such
// a stream is left to it.
func TestKnownSchemas(t *testing.T) {
	t.Parallel()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "known_n", Type: arrow.PrimitiveTypes.Int16, Nullable: true}, {Name: "known_s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "known_b", Type: arrow.FixedWidthTypes.Boolean},
	}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 300 {
		builder.Field(0).(*array.Int16Builder).AppendValues([]int16{int16(i)}, []bool{i%3 > 0})
		builder.Field(1).(*array.StringBuilder).AppendValues([]string{strings.Repeat("x", i%9)}, []bool{i%5 > 0})
		builder.Field(2).(*array.BooleanBuilder).Append(i%2 == 0)
	}
	batch := builder.NewRecordBatch()
	plainBody := streamOf(t, batch)
	want, _, _, err := read(t, plainBody)
	require.NoError(t, err)
	require.Len(t, want, 300)
	reader, err := NewReader(bytes.NewReader(plainBody), nil)
	require.NoError(t, err)
	_, err = reader.Next()
	require.NoError(t, err)
	require.NotNil(t, reader.plain)
	require.Nil(t, reader.batches)
	for _, option := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		got, _, _, err := read(t, streamOf(t, batch, option))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for i := range plainBody { // rows, or an error with a code
		damaged := bytes.Clone(plainBody)
		damaged[i] ^= 0x41
		err := tryRead(damaged)
		var fault *event.Error
		if err != nil {
			require.ErrorAs(t, err, &fault)
		}
	}
}

// tryRead reads a body to its end.
func tryRead(body []byte) error {
	reader, err := NewReader(bytes.NewReader(body), nil)
	for err == nil {
		_, err = reader.Next()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
