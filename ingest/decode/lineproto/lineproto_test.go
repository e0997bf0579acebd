package lineproto

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// read gives all rows as lines "stream: JSON", and the refused lines as "!number: reason", each stream's rows in order.
func read(t testing.TB, src io.Reader, options Options) (string, error) {
	t.Helper()
	var out strings.Builder
	reader := NewReader(src, options)
	for {
		rows, refused, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		for _, part := range rows {
			checkColumns(t, part.Chunk)
			for _, text := range part.Chunk.RowTexts() {
				fmt.Fprintf(&out, "%s: %s\n", part.Stream, text)
			}
			for _, r := range part.Chunk.Refused {
				fmt.Fprintf(&out, "%s !%d: %s\n", part.Stream, r.Line, r.Reason)
			}
			part.Chunk.Free()
		}
		for _, r := range refused {
			fmt.Fprintf(&out, "!%d: %s\n", r.Line, r.Reason)
		}
	}
}

// checkColumns holds a chunk's columns to what its texts say.
func checkColumns(t testing.TB, chunk *decode.Chunk) {
	t.Helper()
	if chunk.Columns == nil {
		return
	}
	schema, err := chunk.Infer("time")
	require.NoError(t, err)
	options := decode.Options{Arrival: 77, Mode: catalog.Strict}
	byColumns, err := chunk.Decode(schema, options, 0)
	require.NoError(t, err)
	byText, err := (&decode.Chunk{Texts: chunk.RowTexts(), Numbers: chunk.Numbers, Refused: chunk.Refused}).Decode(schema, options, 0)
	require.NoError(t, err)
	require.Equal(t, byText.Count, byColumns.Count)
	require.Equal(t, append([]int64{}, byText.Times...), append([]int64{}, byColumns.Times...))
	require.Equal(t, byText.Rejected, byColumns.Rejected)
	for i := range byText.Columns {
		require.True(t, array.Equal(byText.Columns[i], byColumns.Columns[i]), "column %s:\n%v\n%v",
			schema.Columns[i].Name, byText.Columns[i], byColumns.Columns[i])
	}
}

func TestPoints(t *testing.T) {
	t.Parallel()
	const at = `"time":"2026-03-01T09:00:00.000000Z"`
	for _, c := range []struct{ name, body, want string }{
		{"all types", `cpu,host=a,dc=x\ y f=1.5,i=-3i,u=7u,t=true,s="a \"b\" \\ c" 1772355600000000000`,
			`cpu: {` + at + `,"host":"a","dc":"x y","f":1.5,"i":-3,"u":7,"t":true,"s":"a \"b\" \\ c"}`},
		{"no tags and no time", `m v=1`, `m: {"v":1}`},
		{"spellings of booleans", `m a=t,b=T,c=True,d=TRUE,e=f,g=F,h=False,i=FALSE,j=false`,
			`m: {"a":true,"b":true,"c":true,"d":true,"e":false,"g":false,"h":false,"i":false,"j":false}`},
		{"spellings of numbers", `m a=+1,b=.5,c=1.,d=007,e=1e3,f=-0,g=+5i,h=007i,i=1E+2`, `m: {"a":1,"b":0.5,"c":1,"d":7,"e":1e3,"f":-0,"g":5,"h":7,"i":1E+2}`},
		{"large numbers", `m a=12345678901234567890,b=9223372036854775807i,c=18446744073709551615u,d=9007199254740993`,
			`m: {"a":1.2345678901234567e+19,"b":9223372036854775807,"c":18446744073709551615,"d":9.007199254740992e+15}`},
		{"escapes", `my\,m\ x,k\=1\,\ =v\=\,\ \y f\=1\,\ =2`, `my_m_x: {"k=1, ":"v=, \\y","f=1, ":2}`},
		{"line breaks in strings", "m s=\"a\nb\" 1772355600000000000\nm v=2", `m: {` + at + `,"s":"a\nb"}` + "\n" + `m: {"v":2}`},
		{"carriage returns, blank lines, comments, a mark", "\ufeff# one\r\n\r\n  m v=1i 1772355600000000000\r\nm v=2i\r\n#",
			`m: {` + at + `,"v":1}` + "\n" + `m: {"v":2}`},
		{"times before 1970", "m v=1i -1", `m: {"time":"1969-12-31T23:59:59.999999Z","v":1}`},
		{"spaces", "m   v=1i   1772355600000000000  ", `m: {` + at + `,"v":1}`},
		{"names of streams", "Disk\\ I/O v=1\n42 v=2\né v=3\n" + strings.Repeat("x", 70) + " v=4", `disk_i_o: {"v":1}` + "\n" + `m_42: {"v":2}` +
			"\n" + `m__: {"v":3}` + "\n" + strings.Repeat("x", 63) + `: {"v":4}`},
		{"types that change", "m v=1,w=1i\nm v=2i,w=2i\nm v=\"x\"", `m: {"v":1,"w":1}` + "\n" + `m: {"v":2,"w":2}` + "\n" + `m: {"v":"x"}`},
		{"fields that come and go", "m,a=1 v=1\nm,b=2 w=\"x\",v=2\nm w=\"y\"\nm,b=3,a=2 b2=t",
			`m: {"a":"1","v":1}` + "\n" + `m: {"b":"2","w":"x","v":2}` + "\n" + `m: {"w":"y"}` + "\n" + `m: {"b":"3","a":"2","b2":true}`},
		{"a tag that is a field too", "m,a=1 b=2\nm,b=1 b=2\nm,b=1 a=2", `m: {"a":"1","b":2}` + "\n" + `m: {"b":"1","a":2}` + "\n" +
			`m !1: the name "b" occurs twice, or is that of the time`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t, strings.NewReader(c.body), Options{})
			require.NoError(t, err)
			require.Equal(t, c.want+"\n", got)
			got, err = read(t, iotest.OneByteReader(strings.NewReader(c.body)), Options{})
			require.NoError(t, err)
			require.Equal(t, c.want+"\n", got, "read byte by byte")
		})
	}
}

func TestLinesThatAreNoPoints(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`m`:                                 `!1: the line is incomplete`,
		`m `:                                `m !1: the line is incomplete`,
		`m,a=1`:                             `!1: the line is incomplete`,
		`,a=1 v=1`:                          `!1: the measurement is missing`,
		`m,a v=1`:                           `!1: tag "a" is not a key and a value`,
		`m,a= v=1`:                          `!1: tag "a=" is not a key and a value`,
		`m,=1 v=1`:                          `!1: tag "=1" is not a key and a value`,
		`m,a=1,a=2 v=1`:                     `!1: tag "a" occurs twice`,
		`m,_offset=1 v=1`:                   `!1: field "_offset" has the name of a hidden column`,
		`m,time=1 v=1`:                      `m !1: a tag cannot have the name "time"`,
		`m v`:                               `m !1: the line is incomplete`,
		`m v=`:                              `m !1: the line is incomplete`,
		`m v=,w=1`:                          `m !1: field "v" has no value`,
		`m =1`:                              `m !1: a field has an empty name`,
		`m v=1,`:                            `m !1: the line is incomplete`,
		`m v=1 w=2`:                         `m !1: "w=2" is not a timestamp`,
		`m v=1 1.5`:                         `m !1: "1.5" is not a timestamp`,
		`m v=1 99999999999999999999`:        `m !1: "99999999999999999999" is not a timestamp`,
		`m v="x`:                            `m !1: the line is incomplete`,
		`m v="x"y`:                          `m !1: field "v": text after the end of a string`,
		`m v=x`:                             `m !1: field "v": "x" is not a number, a boolean or a string in quotes`,
		`m v=NaN`:                           `m !1: field "v": "NaN" is not a number, a boolean or a string in quotes`,
		`m v=1e400`:                         `m !1: field "v": "1e400" is not a number, a boolean or a string in quotes`,
		`m v=0x1`:                           `m !1: field "v": "0x1" is not a number, a boolean or a string in quotes`,
		`m v=1.5i`:                          `m !1: field "v": "1.5i" is not an integer of 64 bits`,
		`m v=-1u`:                           `m !1: field "v": "-1u" is not an integer of 64 bits`,
		`m v=12345678901234567890i`:         `m !1: field "v": "12345678901234567890i" is not an integer of 64 bits`,
		`m v=1,v=2`:                         `m !1: the name "v" occurs twice, or is that of the time`,
		`m time=1`:                          `m !1: the name "time" occurs twice, or is that of the time`,
		`m v=1,_offset=2`:                   `m !1: field "_offset" has the name of a hidden column`,
		"m v=\"\xff\"":                      `m !1: field "v": invalid UTF-8`,
		"m,a=\xff v=1":                      `!1: invalid UTF-8`,
		`{"not":"line protocol"}`:           `m___not___line !1: the line is incomplete`,
		"m v=" + strings.Repeat("1", 2<<20): `m !1: the line has more than the 1048576 bytes allowed`,
	} {
		for name, src := range map[string]io.Reader{
			"last":   strings.NewReader("ok v=1i\n" + line),
			"halves": iotest.HalfReader(strings.NewReader("ok v=1i\n" + line)),
		} {
			got, err := read(t, src, Options{})
			require.NoError(t, err)
			require.Equal(t, "ok: {\"v\":1}\n"+want+"\n", got, "%s: %.60s", name, line)
		}
		if strings.HasSuffix(want, "incomplete") || strings.Contains(line, `"x"`) {
			continue // with a line break behind it, the fault is another one
		}
		got, err := read(t, strings.NewReader("ok v=1i\n"+line+"\nok v=2i"), Options{})
		require.NoError(t, err)
		require.ElementsMatch(t, []string{`ok: {"v":1}`, `ok: {"v":2}`, want, ""}, strings.Split(got, "\n"), "%.60s", line)
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for name, stamp := range map[string]string{
		"": "1772355600000000999", "ns": "1772355600000000000", "n": "1772355600000000001", "u": "1772355600000000", "us": "1772355600000000",
		"µs": "1772355600000000", "ms": "1772355600000", "s": "1772355600", "m": "29539260", "h": "492321",
	} {
		unit, err := ParseUnit(name)
		require.NoError(t, err)
		got, err := read(t, strings.NewReader("m v=1i "+stamp), Options{Unit: unit})
		require.NoError(t, err)
		require.Equal(t, `m: {"time":"2026-03-01T09:00:00.000000Z","v":1}`+"\n", got, name)
	}
	_, err := ParseUnit("days")
	require.Error(t, err)
	got, err := read(t, strings.NewReader("m v=1i 9999999999999999"), Options{Unit: 1e9})
	require.NoError(t, err)
	require.Equal(t, "m !0: timestamp 9999999999999999 is out of range\n", got)
}

func TestOneStreamForAllMeasurements(t *testing.T) {
	t.Parallel()
	options := Options{Stream: "cpu", TimeColumn: func(string) string { return "at" }}
	got, err := read(t, strings.NewReader("CPU v=1i 1000\nmem v=2i\nmem,measurement=x v=2i\nm at=1i"), options)
	require.NoError(t, err)
	require.Equal(t, `cpu: {"at":"1970-01-01T00:00:00.000001Z","v":1}`+"\n"+`cpu: {"measurement":"mem","v":2}`+"\n"+
		`cpu !2: a tag cannot have the name "measurement"`+"\n"+`cpu !3: the name "at" occurs twice, or is that of the time`+"\n", got)
}

func TestManyMeasurementsAreBounded(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	for i := range maxStreams + 2 {
		fmt.Fprintf(&body, "m%d v=1\n", i)
	}
	got, err := read(t, strings.NewReader(body.String()), Options{})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(got, "!1000: the request has more than 1000 measurements\n!1001: the request has more than 1000 measurements\n"))
}

func TestBodiesThatBreakOff(t *testing.T) {
	t.Parallel()
	got, err := read(t, io.MultiReader(strings.NewReader("m v=1i\nm v=2"), iotest.ErrReader(io.ErrUnexpectedEOF)), Options{})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "m: {\"v\":1}\n", got, "the last line is not whole")
}

// TestAllOfDevops reads the DevOps data of the Time Series Benchmark Suite.
func TestAllOfDevops(t *testing.T) {
	t.Parallel()
	rows := map[string]int{}
	reader := NewReader(openDevops(t), Options{})
	for {
		parts, refused, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Empty(t, refused)
		for _, part := range parts {
			require.NotNil(t, part.Chunk.Columns)
			require.Empty(t, part.Chunk.Refused)
			rows[part.Stream] += len(part.Chunk.RowTexts())
			if rows[part.Stream] < 3000 {
				checkColumns(t, part.Chunk)
			}
		}
	}
	require.Equal(t, map[string]int{
		"cpu": 36000, "disk": 36000, "diskio": 36000, "kernel": 36000, "mem": 36000, "net": 36000, "nginx": 36000, "postgresl": 36000, "redis": 36000,
	}, rows)
}

func openDevops(t testing.TB) io.Reader {
	t.Helper()
	file, err := os.Open("../../../../shared/data/tsbs/devops.influx.gz")
	if err != nil {
		t.Skipf("the shared data is not here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, file.Close()) })
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	return plain
}

// FuzzReader holds that no body does worse than have lines refused, that the way in which bytes arrive makes no difference, and that columns
// and texts agree.
func FuzzReader(f *testing.F) {
	f.Add([]byte("cpu,host=a\\ b f=1.5,i=3i,s=\"x\\\"\ny\",b=t 1772355600000000000\ncpu f=2\n#x\nm,a=1 a=1"))
	f.Add([]byte("\ufeffm v=18446744073709551615u,w=.5 -1\r\nm w=1i"))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole, err := read(t, bytes.NewReader(body), Options{})
		require.NoError(t, err)
		parts, err := read(t, iotest.OneByteReader(bytes.NewReader(body)), Options{})
		require.NoError(t, err)
		require.Equal(t, whole, parts)
		_, err = read(t, bytes.NewReader(body), Options{Stream: "m", Unit: 1e9})
		require.NoError(t, err)
	})
}

// BenchmarkReader is about the cost of a point, parsed and typed: the numbers per second are of points.
func BenchmarkReader(b *testing.B) {
	body, err := io.ReadAll(io.LimitReader(openDevops(b), 8<<20))
	require.NoError(b, err)
	body = body[:bytes.LastIndexByte(body, '\n')+1]
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	points := 0
	for b.Loop() {
		reader := NewReader(bytes.NewReader(body), Options{})
		for {
			parts, _, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			for _, part := range parts {
				points += len(part.Chunk.RowTexts())
			}
		}
	}
	b.ReportMetric(float64(points)/b.Elapsed().Seconds(), "events/s")
}
