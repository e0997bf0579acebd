package csvbody

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// read gives all rows as lines of JSON, and those that were refused as lines "number: reason", in order.
func read(src io.Reader, options Options) (string, error) {
	var out strings.Builder
	reader := NewReader(src, options)
	for base := 0; ; {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		refused, place := chunk.Refused, 0
		for _, text := range chunk.RowTexts() {
			for ; len(refused) > 0 && refused[0].Line == place; place++ {
				fmt.Fprintf(&out, "%d: %s\n", base+place, refused[0].Reason)
				refused = refused[1:]
			}
			fmt.Fprintf(&out, "%s\n", text)
			place++
		}
		for _, r := range refused {
			fmt.Fprintf(&out, "%d: %s\n", base+r.Line, r.Reason)
			place++
		}
		base += place
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	wide := &event.Schema{TimeColumn: 1, Columns: []event.Column{
		{ID: 1, Name: "at", Type: event.Type{Kind: event.TimestampTZ}},
		{ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}},
		{ID: 3, Name: "b", Type: event.Type{Kind: event.Boolean}},
		{ID: 4, Name: "j", Type: event.Type{Kind: event.JSONB}},
		{ID: 5, Name: "t", Type: event.Type{Kind: event.Text}},
		{ID: 6, Name: "d", Type: event.Type{Kind: event.Numeric, Precision: 5, Scale: 2}},
	}}
	known := Options{Schema: func() *event.Schema { return wide }}
	for _, c := range []struct {
		name, body string
		options    Options
		want       string
	}{
		{"types are those of all cells", "a,b,c,d\n1,1,true,x\n-5,2.5,false,1\n", Options{},
			`{"a":1,"b":1,"c":true,"d":"x"}` + "\n" + `{"a":-5,"b":2.5,"c":false,"d":"1"}`},
		{"what JSON does not write as a number is text", "a,b,c,d,e\n007,+1,5.,0x1,1_000\n", Options{}, `{"a":"007","b":"+1","c":"5.","d":"0x1","e":"1_000"}`},
		{"a point without a digit before it", "a,b,c\n.5,-.25e1,.\n1,2,-.\n", Options{}, `{"a":0.5,"b":-0.25e1,"c":"."}` + "\n" + `{"a":1,"b":2,"c":"-."}`},
		{
			"times of day on a day, if nothing is lost",
			"a,b,c,d,e\n2026-03-01 09:00,01/Mar/2026:10:00:00 +0100,09:00,2026-03-01,2026-03-01 09:00:00.1234567\n", Options{},
			`{"a":"2026-03-01T09:00:00.000000Z","b":"2026-03-01T09:00:00.000000Z","c":"09:00","d":"2026-03-01","e":"2026-03-01 09:00:00.1234567"}`,
		},
		{
			"times that others are not", "a,b\n2026-03-01 09:00,2026-03-01 09:00\nnone,2026-03-01\n", Options{},
			`{"a":"2026-03-01 09:00","b":"2026-03-01 09:00"}` + "\n" + `{"a":"none","b":"2026-03-01"}`,
		},
		{"odd numbers", "a,b,c,d\n-0,1e400,12345678901234567890,NaN\n", Options{}, `{"a":-0,"b":"1e400","c":"12345678901234567890","d":"NaN"}`},
		{"NULL is empty without quotes", "a,b\n,1\n\"\",2\n", Options{}, `{"b":1}` + "\n" + `{"a":"","b":2}`},
		{"other NULLs", "a,b\nNA,-\n,\"NA\"\n", Options{Nulls: []string{"NA", "-"}}, "{}\n" + `{"a":"","b":"NA"}`},
		{"quotes", "a,b\n\"x,\"\"y\"\"\n z\",w\"v\n", Options{}, `{"a":"x,\"y\"\n z","b":"w\"v"}`},
		{"carriage returns, a mark and blank lines", "\ufeffa,b\r\n\r\n1,x\r\n2,y", Options{}, `{"a":1,"b":"x"}` + "\n" + `{"a":2,"b":"y"}`},
		{"other delimiters", "a;b\n1,5;x\n", Options{Delimiter: ';'}, `{"a":"1,5","b":"x"}`},
		{"spaces belong to the cell", "a,b\n 1,x \n", Options{}, `{"a":" 1","b":"x "}`},
		{"delimiters that the header tells", "\"a,b\"\tc;d\te\n1\t2,5\t\"x\ty\"\n", Options{}, `{"a,b":1,"c;d":"2,5","e":"x\ty"}`},
		{"semicolons", "a;b\n1,5;x\n", Options{}, `{"a":"1,5","b":"x"}`},
		{"bars", "a|b\n1|x\n", Options{}, `{"a":1,"b":"x"}`},
		{"a comma in the header wins", "a;b;c,d\n1,2\n", Options{}, `{"a;b;c":1,"d":2}`},
		{"columns without a name and with the same", ",a,a,a_2,\n0,1,2,3,4\n", Options{}, `{"column_1":0,"a":1,"a_2":2,"a_2_2":3,"column_5":4}`},
		{"a quote that is never closed", "a,b\n1,\"x\n2,y\n3,\"z\"\n", Options{}, "0: cell 2: text after the end of a quoted cell\n" + `{"a":2,"b":"y"}` + "\n" + `{"a":3,"b":"z"}`},
		{"a quote at the end", "a,b\n1,\"x\r\n2,y", Options{}, "0: cell 2: the closing quote is missing\n" + `{"a":2,"b":"y"}`},
		{"ragged rows", "a,b\n1\n1,2\n1,2,3\n", Options{},
			"0: the row has 1 cells, the header 2\n" + `{"a":1,"b":2}` + "\n2: the row has 3 cells, the header 2"},
		{"bad quotes", "a,b\n\"x\"y,1\n2,3\n\"z,1\n", Options{},
			"0: cell 1: text after the end of a quoted cell\n" + `{"a":2,"b":3}` + "\n2: cell 1: the closing quote is missing"},
		{"bad bytes", "a\n\xff\n\x00\n", Options{}, "0: field \"a\": invalid UTF-8\n" + `{"a":"\u0000"}`},
		{"the stream's types", "at,n,b,j,t,d\n1772355600,1,TRUE,{\"a\":1},1,1.50\nnoon,x,f,x,true,2\n", known,
			`{"at":1772355600,"n":1,"b":true,"j":{"a":1},"t":"1","d":"1.50"}` + "\n" + `{"at":"noon","n":"x","b":false,"j":"x","t":"true","d":"2"}`},
		{"names are escaped", "\"a\"\"b\",é\n1,2\n", Options{}, `{"a\"b":1,"é":2}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(strings.NewReader(c.body), c.options)
			require.NoError(t, err)
			require.Equal(t, c.want+"\n", got)
			got, err = read(iotest.OneByteReader(strings.NewReader(c.body)), c.options)
			require.NoError(t, err)
			require.Equal(t, c.want+"\n", got, "read byte by byte")
		})
	}
}

func TestHeadersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                                   "the body is empty",
		"\n\n":                               "the body is empty",
		"a,_offset\n":                        `header row, cell 2: field "_offset" has the name of a hidden column`,
		"a,\"b\n":                            "header row: cell 2: the closing quote is missing",
		"a,\xff\n":                           "header row, cell 2: invalid UTF-8",
		strings.Repeat("a,", 70_000) + "b\n": "header row: the row has more than 65536 cells",
		strings.Repeat("a", 2<<20) + "\n1\n": "header row: the row has more than the 1048576 bytes allowed",
	} {
		_, err := read(strings.NewReader(body), Options{})
		var fault *event.Error
		require.ErrorAs(t, err, &fault)
		require.Equal(t, want, fault.Detail)
	}
	require.Error(t, Options{Delimiter: '"'}.Validate())
	require.Error(t, Options{Delimiter: '\n'}.Validate())
	require.NoError(t, Options{Delimiter: '\t'}.Validate())
}

func TestLongRowsAreCutAndBodiesBreakOff(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	for _, cell := range []string{long, `"` + strings.Repeat("x\n,\"\"", 1<<20) + `"`} {
		got, err := read(strings.NewReader("a\n1\n"+cell+"\n2\n"), Options{})
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`+"\n1: the row has more than the 1048576 bytes allowed\n"+`{"a":2}`+"\n", got)
	}
	got, err := read(io.MultiReader(strings.NewReader("a,b\n1,2\n3,"), iotest.ErrReader(io.ErrUnexpectedEOF)), Options{})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, `{"a":1,"b":2}`+"\n", got, "the last line is not whole")
	got, err = read(strings.NewReader("a,b\n1,2\n3,\""+long), Options{})
	require.ErrorContains(t, err, "a quote is never closed")
	require.Equal(t, `{"a":1,"b":2}`+"\n1: the row has more than the 1048576 bytes allowed\n", got)
}

// TestAgainstTheStandardLibrary writes generated cells with encoding/csv and compares what comes out.
func TestAgainstTheStandardLibrary(t *testing.T) {
	t.Parallel()
	cells := rapid.StringMatching(`[a-c",; \n]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 4).Draw(t, "width")
		rows := rapid.SliceOfN(rapid.SliceOfN(cells, width, width), 1, 20).Draw(t, "rows")
		var body bytes.Buffer
		w := csv.NewWriter(&body)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		header := []string{"a", "b", "c", "d"}[:width]
		if err := errors.Join(w.Write(header), w.WriteAll(rows)); err != nil {
			t.Fatal(err)
		}
		reader := NewReader(&body, Options{Nulls: []string{"no such cell"}})
		for _, text := range texts(t, reader) {
			var got map[string]string
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for i, name := range header {
				want := rows[0][i]
				if w.UseCRLF {
					want = strings.ReplaceAll(want, "\n", "\r\n")
				}
				if got[name] != want {
					t.Fatalf("%q, not %q", got[name], want)
				}
			}
			rows = rows[1:]
		}
		if len(rows) > 0 {
			t.Fatalf("%d rows are missing", len(rows))
		}
	})
}

func texts(t *rapid.T, reader *Reader) (out [][]byte) {
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil || len(chunk.Refused) > 0 {
			t.Fatalf("%v %v", err, chunk)
		}
		out = append(out, chunk.RowTexts()...)
	}
}

// FuzzReader holds that no body can do worse than be refused: every text is a row that the decoder takes or rejects, and the way in which
// the bytes arrive makes no difference.
func FuzzReader(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\"\n"), byte(','), byte(0))
	f.Add([]byte("\ufeffa\r\n\"\"\"\"\r\n"), byte(';'), byte(0))
	f.Add([]byte("a;b,c\n1;\"x\\\"\\\\\"\n"), byte(0), byte('\\'))
	f.Fuzz(func(t *testing.T, body []byte, delimiter, escape byte) {
		options := Options{Delimiter: delimiter, Escape: escape}
		if options.Validate() != nil {
			t.Skip()
		}
		whole, err := read(bytes.NewReader(body), options)
		parts, err2 := read(iotest.OneByteReader(bytes.NewReader(body)), options)
		require.Equal(t, whole, parts)
		require.Equal(t, err, err2)
		if err != nil {
			return
		}
		reader := NewReader(bytes.NewReader(body), options)
		for {
			chunk, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			require.NoError(t, err)
			schema, err := chunk.Infer("")
			require.NoError(t, err)
			rows, err := chunk.Decode(schema, decode.Options{}, 0)
			require.NoError(t, err)
			require.Len(t, chunk.RowTexts(), rows.Count)
		}
	})
}

// TestLinesThatEndWithCR reads a body that ends its lines with CR alone as one that ends them with LF, however it comes.
func TestLinesThatEndWithCR(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"a,b\n1,2\n3,4\n", "a,b\n1,2", "\"a\",b\n\"x\ry\",\"\"\"\"\n\n5,6\n", "5\" disk,b\n1,2\n", "a\n", "\"a\nb\",c\n1,2\n"} {
		want, err := read(strings.NewReader(body), Options{})
		require.NoError(t, err)
		for _, src := range []io.Reader{
			strings.NewReader(strings.ReplaceAll(body, "\n", "\r")), iotest.OneByteReader(strings.NewReader(strings.ReplaceAll(body, "\n", "\r"))),
		} {
			got, err := read(src, Options{})
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(want, `\n`, `\r`), got, "%q", body)
		}
	}
}
