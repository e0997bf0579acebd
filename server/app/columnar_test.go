package app

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// arrowStream is a body with three rows of several types.
func arrowStream(t testing.TB, options ...ipc.Option) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Millisecond}}, {Name: "host", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "n", Type: arrow.PrimitiveTypes.Int32}, {Name: "price", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String)},
	}, nil)
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[
		{"ts":1772355600000,"host":"a","n":1,"price":"1.50","tags":["x","y"]},
		{"ts":1772355601000,"host":null,"n":-2,"price":"0.05","tags":[]},
		{"ts":1772355602000,"host":"é\"","n":3,"price":"-7.00","tags":["z"]}]`))
	require.NoError(t, err)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(schema))...)
	require.NoError(t, w.Write(batch))
	require.NoError(t, w.Close())
	return out.String()
}

func TestBodiesOfArrow(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	body := arrowStream(t)
	require.EqualValues(t, 3, s.ingest("sales", body, "Content-Type", "application/vnd.apache.arrow.stream").Accepted)
	answer := s.do("POST", "/v1/streams/sales/events?format=arrow", arrowStream(t, ipc.WithLZ4()))
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	want := strings.Repeat(`["2026-03-01T09:00:00.000000Z","a",1,1.50,["x","y"]]`+"\n", 2) +
		strings.Repeat(`["2026-03-01T09:00:01.000000Z",null,-2,0.05,[]]`+"\n", 2) + strings.Repeat(`["2026-03-01T09:00:02.000000Z","é\"",3,-7.00,["z"]]`+"\n", 2)
	const sql = "SELECT ts, host, n, price, tags FROM sales ORDER BY ts"
	require.Equal(t, want, s.query(sql).text())
	s = s.restart()
	require.Equal(t, want, s.query(sql).text(), "after a restart")
	s.seal("sales")
	require.Equal(t, want, s.query(sql).text(), "sealed")
	described := s.query("DESCRIBE sales").text()
	for _, column := range []string{`["ts","TIMESTAMPTZ",true,"event time"]`, `["n","BIGINT"`, `["price","NUMERIC(9,2)"`, `["tags","JSONB"`} {
		require.Contains(t, described, column)
	}

	s.query("CREATE STREAM strict (ts TIMESTAMPTZ, host TEXT NOT NULL, n INTEGER, price NUMERIC(9,2), tags JSONB, WATERMARK FOR ts AS ts)")
	in := s.ingest("strict", body, "Content-Type", "application/vnd.apache.arrow.stream")
	require.EqualValues(t, 2, in.Accepted)
	require.EqualValues(t, 1, in.Errors[0].Row)
	require.Equal(t, `field "host" must have a value`, in.Errors[0].Reason)
	require.Equal(t, "[1,1.50]\n[3,-7.00]\n", s.query("SELECT n, price FROM strict ORDER BY ts").text())

	for _, damaged := range []string{"", body[:len(body)/2], orders, strings.Repeat("x", 65<<20)} {
		answer := s.do("POST", "/v1/streams/sales/events?format=arrow", damaged)
		require.Contains(t, string(answer.body), `"code":"bad_request"`, len(damaged))
	}
	require.Equal(t, "[6]\n", s.query("SELECT count(*) FROM sales").text())
}

// TestBodiesOfParquetFromDuckDB posts files that DuckDB wrote, in every compression that it has, and compares what it reads from them with
// our answers.
func TestBodiesOfParquetFromDuckDB(t *testing.T) {
	t.Parallel()
	const rows = `SELECT TIMESTAMP '2026-03-01 09:00:00' + INTERVAL (i) SECOND AS ts, i::INTEGER AS n, i * 1.5::DOUBLE AS f, (i / 7)::DECIMAL(9,3) AS d,
		CASE WHEN i % 5 > 0 THEN 'host ' || (i % 11) END AS host, i % 2 = 0 AS ok, DATE '2026-01-01' + (i % 40)::INTEGER AS day,
		uuid_blob AS raw, [i, NULL, i + 1] AS list, {'a': i, 'b': ['x', NULL]} AS obj, map(['k' || i], [i]) AS m, i::UBIGINT AS u, i::HUGEINT::DECIMAL(30,2) AS wide
		FROM (SELECT i, encode('raw' || i) AS uuid_blob FROM range(0, 7000) t(i))`
	s := start(t, t.TempDir())
	for _, codec := range []string{"uncompressed", "snappy", "gzip", "zstd", "lz4_raw"} {
		file := filepath.Join(t.TempDir(), codec+".parquet")
		duckDB(t, "COPY ("+rows+") TO '"+file+"' (FORMAT parquet, COMPRESSION "+codec+", ROW_GROUP_SIZE 3000)")
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		require.EqualValues(t, 7000, s.ingest(codec, string(body), "Content-Type", "application/vnd.apache.parquet").Accepted)
		for _, sql := range []string{
			"SELECT count(*), sum(n), sum(f), sum(d), count(host), min(ts)::TEXT, max(day), sum(u), sum(wide) FROM %s",
			"SELECT n, f, d, host, ok, day, u, wide FROM %s WHERE n %% 101 = 3 ORDER BY n",
		} {
			ours := strings.ReplaceAll(s.query(fmt.Sprintf(sql, codec)).text(), ".000000Z", "")
			theirs := duckDB(t, fmt.Sprintf(sql, "'"+file+"'")).text()
			require.Equal(t, plainNumbers(theirs), plainNumbers(strings.ReplaceAll(ours, "2026-03-01T", "2026-03-01 ")), sql)
		}
		require.Equal(t, `["cmF3MTIz",[123,null,124],{"a":123,"b":["x",null]},{"k123":123}]`+"\n",
			s.query("SELECT raw, list, obj, m FROM "+codec+" WHERE n = 123").text())
	}
}

// arrowTypes are the types by which a test names those of Arrow columns.
var arrowTypes = map[string]arrow.DataType{
	"int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64, "uint64": arrow.PrimitiveTypes.Uint64, "float64": arrow.PrimitiveTypes.Float64,
	"text": arrow.BinaryTypes.String, "bytes": arrow.BinaryTypes.Binary, "null": arrow.Null, "bool": arrow.FixedWidthTypes.Boolean,
	"date64": arrow.FixedWidthTypes.Date64, "seconds": &arrow.TimestampType{Unit: arrow.Second}, "millis": &arrow.TimestampType{Unit: arrow.Millisecond},
	"nanos": &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Asia/Tokyo"}, "decimal256": &arrow.Decimal256Type{Precision: 60, Scale: 2},
	"symbols": &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
	"texts":   arrow.ListOf(arrow.BinaryTypes.String), "interval": arrow.FixedWidthTypes.MonthDayNanoInterval,
	"point": arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true}),
}

// arrowOf makes a stream of a first line, which has the columns as name:type, and a JSON array of rows.
func arrowOf(t *testing.T, text string) []byte {
	t.Helper()
	first, rows, _ := strings.Cut(text, "\n")
	var fields []arrow.Field
	for _, column := range strings.Split(first, " ") {
		name, typ, _ := strings.Cut(column, ":")
		require.Contains(t, arrowTypes, typ)
		fields = append(fields, arrow.Field{Name: name, Type: arrowTypes[typ], Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if rows != "" {
		batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
		require.NoError(t, err)
		require.NoError(t, w.Write(batch))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// parquetOf lets DuckDB write what a query gives.
func parquetOf(t *testing.T, query string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "body.parquet")
	duckDB(t, "COPY ("+strings.ReplaceAll(query, "\n", " ")+") TO '"+file+"' (FORMAT parquet)")
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	return body
}

// TestDirtyColumns sends Arrow and Parquet with what is wrong, odd or merely unusual, and shows what becomes of it, as TestDirtyBodies does for
// text. The argument cut leaves that many bytes out at the end.
func TestDirtyColumns(t *testing.T) {
	t.Parallel()
	for format, encode := range map[string]func(*testing.T, string) []byte{"arrow": arrowOf, "parquet": parquetOf} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			if format == "parquet" {
				duckDB(t, "SELECT 1") // skips where there is none
			}
			s := start(t, t.TempDir())
			number := 0
			datadriven.RunTest(t, "testdata/dirty_columns/"+format, func(t *testing.T, d *datadriven.TestData) string {
				number++
				cut, query := 0, ""
				d.MaybeScanArgs(t, "cut", &cut)
				d.MaybeScanArgs(t, "query", &query)
				stream := fmt.Sprintf("s%d", number)
				body := encode(t, d.Input)
				answer := s.do("POST", "/v1/streams/"+stream+"/events?format="+format+"&"+query, string(body[:len(body)-cut]))
				return s.outcomeOf(stream, answer.status, answer.body)
			})
		})
	}
}

// TestFilesOfOtherWriters sends files that pyarrow, Polars and fastparquet have written, each with something that only some readers take.
func TestFilesOfOtherWriters(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	datadriven.RunTest(t, "testdata/dirty_columns/writers", func(t *testing.T, d *datadriven.TestData) string {
		name := strings.TrimSpace(d.Input)
		body, err := os.ReadFile(filepath.Join("testdata", "written", name+"."+d.Cmd))
		require.NoError(t, err)
		answer := s.do("POST", "/v1/streams/"+name+"_"+d.Cmd+"/events?format="+d.Cmd, string(body))
		return s.outcomeOf(name+"_"+d.Cmd, answer.status, answer.body)
	})
}

// plainNumbers takes away how the two programs show numbers: as strings, with zeros at the end, with +00 behind times.
func plainNumbers(text string) string {
	text = regexp.MustCompile(`"(-?[0-9.]+)"`).ReplaceAllString(text, "$1")
	text = regexp.MustCompile(`(\.[0-9]*?)0+([,\]])`).ReplaceAllString(text, "$1$2")
	return strings.NewReplacer(".,", ",", ".]", "]", "+00\"", "\"").Replace(text)
}
