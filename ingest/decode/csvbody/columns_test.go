package csvbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// allTypes has a column of every type that a stream can have, and one whose values are checked one by one.
func allTypes() *event.Schema {
	schema := &event.Schema{Version: 1, TimeColumn: 1}
	time := event.Type{Kind: event.Time}
	for i, c := range []event.Column{
		{Name: "at", Type: event.Type{Kind: event.TimestampTZ}},
		{Name: "b", Type: event.Type{Kind: event.Boolean}},
		{Name: "small", Type: event.Type{Kind: event.SmallInt}},
		{Name: "int", Type: event.Type{Kind: event.Integer}},
		{Name: "big", Type: event.Type{Kind: event.BigInt}},
		{Name: "real", Type: event.Type{Kind: event.Real}},
		{Name: "double", Type: event.Type{Kind: event.Double}},
		{Name: "exact", Type: event.Type{Kind: event.Numeric, Precision: 9, Scale: 2}},
		{Name: "text", Type: event.Type{Kind: event.Text}},
		{Name: "bytes", Type: event.Type{Kind: event.Bytea}},
		{Name: "seen", Type: event.Type{Kind: event.TimestampTZ}},
		{Name: "day", Type: event.Type{Kind: event.Date}},
		{Name: "json", Type: event.Type{Kind: event.JSONB}},
		{Name: "id", Type: event.Type{Kind: event.UUID}},
		{Name: "found", Type: event.Type{Kind: event.UUID}, Inferred: true},
		{Name: "needed", Type: event.Type{Kind: event.Text}, NotNull: true},
		{Name: "clock", Type: event.Type{Kind: event.Text}, As: &time},
	} {
		c.ID, c.Since = event.FieldID(i+1), 1
		schema.Columns = append(schema.Columns, c)
	}
	schema.NextID = event.FieldID(len(schema.Columns) + 1)
	return schema
}

// fitting has cells for the columns of allTypes that are values of them as they stand; odd has cells for any.
var (
	fitting = map[string][]string{
		"at":    {"1772355600", "1772355600.5", "2026-03-01T09:00:00Z", `"2026-03-01 09:00"`, ""},
		"b":     {"true", "F", "TRUE", "f", ""},
		"small": {"1", "-32768", "0", ""}, "int": {"2147483647", "-1", ""}, "big": {"9223372036854775807", "-0", "12", ""},
		"real": {"1.5", "1e10", "-0", ""}, "double": {"1.50", "1e300", "-0", "NaN", "9007199254740992", ""},
		"exact": {"1.5", "1234567.89", "-0.01", ""}, "text": {"x", `"a ""b"", c"`, `""`, "null", "12", ""},
		"bytes": {"AP8=", ""}, "seen": {"2026-03-01T09:00:00.000000Z", ""}, "day": {"2026-03-01", ""},
		"json": {`{}`, `"{""a"": [1, 2]}"`, "null", "1.50", "word", ""}, "id": {"00112233-4455-6677-8899-AABBCCDDEEFF", ""},
		"found": {"00112233-4455-6677-8899-aabbccddeeff", ""}, "needed": {"x", "y"}, "clock": {"09:00", ""}, "new": {"", "", "", "3"},
	}
	odd = []string{"", "x", "-", "1", "1.5", "70000", "1e400", "12345678901234567890", "null", "[1", "2026-03-01T09:00:00Z", `"line` + "\n" + `break"`, "\x01"}
)

// TestCellsThatFitBecomeColumns takes every fitting cell of every column.
func TestCellsThatFitBecomeColumns(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	for _, c := range schema.Columns {
		for _, cell := range fitting[c.Name] {
			reader := NewReader(strings.NewReader(c.Name+",text\n"+cell+",x\n"), Options{Schema: func() *event.Schema { return schema }})
			if c.Name == "text" {
				reader = NewReader(strings.NewReader("text,big\n"+cell+",1\n"), Options{Schema: func() *event.Schema { return schema }})
			}
			chunk, err := reader.Next()
			require.NoError(t, err)
			rows, err := chunk.Decode(schema, decode.Options{Mode: catalog.Evolve}, 0)
			require.NoError(t, err)
			fits := c.As == nil && cell != "-0" || c.Name != "big" && c.As == nil // no BIGINT is -0
			require.Equal(t, fits, chunk.Columns != nil, "%s: %s", c.Name, cell)
			require.False(t, fits && rows.Drift)
		}
	}
}

// TestColumnsAreWhatTheTextsSay reads the same bodies by way of columns and of texts: whatever the cells are, rows, times, reasons and the need for
// another schema are the same.
func TestColumnsAreWhatTheTextsSay(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	names := []string{"new"}
	for _, c := range schema.Columns {
		names = append(names, c.Name)
	}
	columnar := 0
	rapid.Check(t, func(t *rapid.T) {
		delimiter := rapid.SampledFrom([]string{",", ",", ";", "\t", "|", " ", ".", "1", "t", ":"}).Draw(t, "delimiter")
		end := rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "end")
		nulls := rapid.SampledFrom([][]string{nil, {""}, {"x", ""}, {"12"}, {"-1", "true"}, {}}).Draw(t, "nulls")
		header := rapid.Permutation(names).Draw(t, "header")[:rapid.IntRange(1, len(names)).Draw(t, "width")]
		var body strings.Builder
		body.WriteString(strings.Join(header, delimiter) + end)
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			isOdd := rapid.IntRange(0, 25).Draw(t, "odd") == 0
			row := make([]string, len(header))
			for i, name := range header {
				if row[i] = rapid.SampledFrom(fitting[name]).Draw(t, name); isOdd {
					row[i] = rapid.SampledFrom(odd).Draw(t, name)
				}
			}
			body.WriteString(strings.Join(row, delimiter) + end)
		}
		options := Options{Delimiter: delimiter[0], Nulls: nulls, Schema: func() *event.Schema { return schema }}
		requireHoweverItComes(t, body.String(), options)
		reader := NewReader(strings.NewReader(body.String()), options)
		chunk, err := reader.Next()
		if err != nil { // one column, and nothing in it
			return
		}
		if chunk.Columns != nil {
			columnar++
		}
		texts := &decode.Chunk{Fields: chunk.Fields, Texts: chunk.RowTexts(), Refused: chunk.Refused}
		for _, mode := range []catalog.SchemaMode{catalog.Strict, catalog.Evolve, catalog.Ignore} {
			requireSame(t, chunk, texts, schema, decode.Options{Arrival: 77, Mode: mode})
		}
	})
	require.NotZero(t, columnar)
}

// requireHoweverItComes holds lines that are read as a whole to the same, read cell by cell as none is at hand before its end: chunks, columns and all that
// is refused.
func requireHoweverItComes(t require.TestingT, body string, options Options) {
	whole, bit := NewReader(strings.NewReader(body), options), NewReader(iotest.OneByteReader(strings.NewReader(body)), options)
	for {
		got, err := whole.Next()
		want, err2 := bit.Next()
		require.Equal(t, err2, err)
		if err != nil {
			return
		}
		require.Equal(t, want.Sum(), got.Sum())
		require.Equal(t, want.Refused, got.Refused)
		require.Equal(t, want.Rows, got.Rows)
		require.Equal(t, want.Types, got.Types)
		require.Len(t, got.Columns, len(want.Columns))
		for i, values := range want.Columns {
			equal := array.ApproxEqual(values, got.Columns[i], array.WithNaNsEqual(true), array.WithAbsTolerance(0))
			require.True(t, equal, "column %s:\n%v\n%v", got.Fields[i].Name, values, got.Columns[i])
		}
		require.Equal(t, want.RowTexts(), got.RowTexts())
		got.Free()
	}
}

// FuzzLines is requireHoweverItComes for any body.
func FuzzLines(f *testing.F) {
	const rest = "at,b,small,int,big,real,double,exact,text\n1772355600,true,1,2,3,1.5,2.5,1.25,x\n"
	f.Add("at,b,big,double,text\n2026-03-01T09:00:00.000000Z,true,12,1.5,long enough to be read by words\n,,,,\n"+
		"2026-03-01T09:00:00Z,false,-1,-0.5,\"in quotes\"\r\n", byte(','))
	f.Add(rest+rest, byte(','))
	f.Add("text\tjson\n\xff\t{}\nä\t[1]\n\"a\"\"b\"\t1\n\"open\t2\n", byte('\t'))
	f.Add("big;seen;id;day\n1;2026-03-01T09:00:00.000000Z;00112233-4455-6677-8899-AABBCCDDEEFF;2026-03-01\n1e2;x;;\n", byte(';'))
	schema := allTypes()
	f.Fuzz(func(t *testing.T, body string, delimiter byte) {
		options := Options{Delimiter: delimiter, Schema: func() *event.Schema { return schema }}
		if options.Validate() != nil {
			t.Skip()
		}
		requireHoweverItComes(t, body, options)
		requireHoweverItComes(t, "big,double,text,b,seen,at,new\n"+body, options)
	})
}

// TestUsualLines are read as a whole, and say what they say cell by cell.
func TestUsualLines(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	names := []string{"at", "text", "big", "double", "b", "seen", "needed", "day"}
	cells := decode.NewCells(schema, names, 8, 1<<16)
	require.True(t, cells.Written(decode.CellForm{Delimiter: ',', Nulls: []string{"", "-"}, AsJSON: (&Reader{header: names}).writers(schema, nil)}))
	for _, line := range []string{
		"2026-03-01T09:00:00Z,a text,12,1.5,true,2026-03-01T09:00:00.000000Z,xyz,2026-03-01\n",
		"2026-03-01T09:00:01.123Z,\"in quotes, with a comma\",-12,-0.25,false,,,\r\n",
		"1772355600.5,\"\",9223372036854775807,1e300,T,-,\"-\",\n",
		"2026-03-01 09:00,ä,007x,NaN,f,,x,-\n",
	} {
		want := len(line)
		if strings.Contains(line, "007x") {
			want = 0
		}
		require.Equal(t, want, cells.ReadLine([]byte(line+"the next line\n")), line)
		require.Zero(t, cells.ReadLine([]byte(line[:len(line)-1])), "its end is not known: %s", line)
		require.Zero(t, cells.ReadLine([]byte("\""+line)), line)
	}
	require.Equal(t, 3, cells.Rows())
	values, _ := cells.Columns()
	require.Equal(t, `["a text" "in quotes, with a comma" ""]`, fmt.Sprint(values[1]))
	require.Equal(t, `[12 -12 9223372036854775807]`, fmt.Sprint(values[2]))
	require.Equal(t, `["xyz" (null) "-"]`, fmt.Sprint(values[6]))

	line := "2026-03-01T09:00:00Z,a text,12,1.5,true,2026-03-01T09:00:00.000000Z,\"quoted text\",2026-03-01\n" +
		"2026-03-01T09:00:00Z,a \"text\",,1.5,true,,\"quoted \"\"text\"\"\",2026-03-01\n" + "2026-03-01T09:00:00Z,two\n" + "\n"
	requireHoweverItComes(t, strings.Join(names, ",")+"\n"+strings.Repeat(line, 9_000), Options{Schema: func() *event.Schema { return schema }})
}

// TestMemoryIsUsedAgain reads bodies of several chunks side by side, each of which gives its memory back as it goes on: none writes over what another holds.
func TestMemoryIsUsedAgain(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	var group errgroup.Group
	for n := range 4 {
		group.Go(func() error {
			body := bytes.NewBufferString("text,big\n")
			for i := range 200_000 {
				fmt.Fprintf(body, "%d of %d,%d\n", i, n, i)
				if i%10_000 == 0 {
					fmt.Fprintf(body, "%d of %d\n", i, n)
				}
			}
			reader := NewReader(iotest.HalfReader(body), Options{Schema: func() *event.Schema { return schema }})
			rows, refused := 0, []decode.Rejected(nil)
			for {
				chunk, err := reader.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				for row, text := range chunk.RowTexts() {
					want := fmt.Sprintf("%d of %d", rows, n)
					if got := chunk.Columns[0].(*array.String).Value(row); got != want || string(text) != `{"text":"`+want+`","big":`+strconv.Itoa(rows)+`}` {
						return fmt.Errorf("row %d is %s and %s", rows, got, text)
					}
					rows++
				}
				refused = append(refused, chunk.Refused...)
				chunk.Free()
			}
			for i, r := range refused {
				if string(r.Raw) != fmt.Sprintf("%d of %d", i*10_000, n) {
					return fmt.Errorf("a refused line is %q", r.Raw)
				}
			}
			if rows != 200_000 || len(refused) != 20 {
				return fmt.Errorf("%d rows, %d refused", rows, len(refused))
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func requireSame(t *rapid.T, chunk, texts *decode.Chunk, schema *event.Schema, options decode.Options) {
	got, err := chunk.Decode(schema, options, 100)
	require.NoError(t, err)
	want, err := texts.Decode(schema, options, 100)
	require.NoError(t, err)
	require.Equal(t, want.Drift, got.Drift)
	require.Equal(t, want.Count, got.Count)
	require.Equal(t, want.Rejected, got.Rejected)
	if want.Drift {
		next, err := chunk.Evolve(schema, nil)
		require.NoError(t, err)
		byTexts, err := texts.Evolve(schema, nil)
		require.NoError(t, err)
		require.Equal(t, byTexts, next)
		requireSame(t, chunk, texts, next, options)
		return
	}
	require.Equal(t, append([]int64{}, want.Times...), append([]int64{}, got.Times...))
	require.Equal(t, append([]int{}, want.Lines...), append([]int{}, got.Lines...))
	for i, values := range want.Columns {
		equal := array.ApproxEqual(values, got.Columns[i], array.WithNaNsEqual(true), array.WithAbsTolerance(0))
		require.True(t, equal, "column %s:\n%v\n%v", schema.Columns[i].Name, values, got.Columns[i])
	}
}

// TestDatesInOrderBecomeColumns puts the year first for columns of every type that a date may go to, and leaves off empty cells behind the last.
func TestDatesInOrderBecomeColumns(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	body := "at,seen,day,text\n03/01/2026,03/01/2026 9:00 PM,3-1-2026,03/01/2026,,\n2026-03-01T09:00:00Z,,,03/01/2026 x\n"
	reader := NewReader(strings.NewReader(body), Options{Order: event.DayFirst, Schema: func() *event.Schema { return schema }})
	chunk, err := reader.Next()
	require.NoError(t, err)
	require.Empty(t, chunk.Refused)
	require.NotNil(t, chunk.Columns, "no cell had to be looked at as JSON")
	var written []string
	for row := range chunk.Rows {
		for _, values := range chunk.Columns {
			written = append(written, values.ValueStr(row))
		}
	}
	require.Equal(t, []string{
		"2026-01-03T00:00:00Z", "2026-01-03T21:00:00Z", "2026-01-03", "2026-01-03",
		"2026-03-01T09:00:00Z", "(null)", "(null)", "03/01/2026 x",
	}, written)
	texts := chunk.Spell()
	require.JSONEq(t, `{"at":"2026-01-03","seen":"2026-01-03T21:00:00.000000Z","day":"2026-01-03","text":"2026-01-03"}`, string(texts[0]))
}
