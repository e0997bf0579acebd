package csvbody

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestFirstLines holds which first lines are names, and which are rows by what stands below them.
func TestFirstLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body, row string // what of the first line shows that it is a row; "" for names
	}{
		{"texts", "name,city\nada,london\nbob,paris\n", ""},
		{"texts above typed cells", "name,n,at,ok\nada,1,2026-03-01 09:00:00,true\n", ""},
		{"a number above numbers", "ada,5\nbob,6\n", `its cell 2, "5", is a number`},
		{"a fraction above numbers", "ada,1.5\nbob,6\n", `its cell 2, "1.5", is a number`},
		{"a quoted number", "\"ada\",\"5\"\n\"bob\",\"6\"\n", `its cell 2, "5", is a number`},
		{"a time above times", "2026-03-01 09:00:00Z;ada\n2026-03-01 09:00:01Z;bob\n", `its cell 1, "2026-03-01 09:00:00Z", is a time`},
		{"a date above dates", "ada,03/01/2026\nbob,31/12/2026\n", `its cell 2, "03/01/2026", is a time`},
		{"a boolean above booleans", "ada,true\nbob,FALSE\n", `its cell 2, "true", is a boolean`},
		{"NULL below", "ada,5\nbob,\ncy,7\n", `its cell 2, "5", is a number`},
		{"NULL above", ",5\nbob,6\n", `its cell 2, "5", is a number`},
		{"refused rows say nothing", "ada,5\nbob\ncy,7\n", `its cell 2, "5", is a number`},
		{"a number above texts", "ada,5\nbob,x\n", ""},
		{"one name above numbers", "ada,5,n\nbob,6,1\n", ""},
		{"a number above times", "ada,5\nbob,2026-03-01\n", ""},
		{"no rows and a number", "ada,5\n", `its cell 2, "5", is a number`},
		{"no rows and texts", "ada,bob\n", ""},
		{"no rows and words for truth", "name,true,false\n", ""},
		{"years above numbers", "country,2024,2025\nGB,1,2\nFR,3,4\n", ""},
		{"years above years", "ada,1987\nbob,1990\n", `its cell 2, "1987", is a number`},
		{"years that fall", "country,2025,2020\nGB,1,2\n", ""},
		{"a year above numbers", "country,2024\nGB,1\n", ""},
		{"years in no order", "ada,2024,2024,1999\nbob,1,2,3\n", `its cell 2, "2024", is a number`},
		{"hours", "day,0,1,2,3,4\nmon,7,7,7,7,7\n", ""},
		{"names of a data frame", ",0,1\n0,1.5,2\n1,2.5,3\n", ""},
		{"names of a series", ",0\n0,1.5\n1,2.5\n", ""},
		{"index of a data frame", ",a,b\n0,1.5,2\n", ""},
		{"words for truth above counts", "region,False,True\nEU,5,6\n", ""},
		{"days above numbers", "country,2026-03-01,2026-03-02\nGB,5,6\n", ""},
		{"a name twice", "id,name,name\n1,x,name\n", ""},
		{"a name twice, texts", "id,name,name\na,x,y\n", ""},
		{"a missing name", "id,,name\na,x,y\n", ""},
		{"a value twice that comes again", "a,x,x\nb,x,y\n", `its cell 2, "x", is a text`},
		{"a missing value and one that comes again", "ada,,paris\nbob,x,paris\n", `its cell 3, "paris", is a text`},
		{"joined files", "id,name,name\na,x,y\nid,name,name\nb,x,z\n", ""},
		{"a delimiter behind the last", "id,name,\na,x,\n", ""},
		{"not a number", "ada,NaN,inf\nbob,1,2\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(strings.NewReader(c.body), Options{})
			if c.row == "" {
				require.NoError(t, err)
				return
			}
			var fault *event.Error
			require.ErrorAs(t, err, &fault)
			require.Empty(t, got)
			require.Contains(t, fault.Detail, c.row)
			require.Contains(t, fault.Hint, "header=false")
			_, err = read(strings.NewReader(c.body), Options{Header: WithHeader})
			require.NoError(t, err, "they are names where that is said")
		})
	}
}

func TestNamesFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		options    Options
		want       string
	}{
		{"a row, without names", "ada,5\nbob,6\n", Options{Header: WithoutHeader}, `{"column_1":"ada","column_2":5}` + "\n" + `{"column_1":"bob","column_2":6}` + "\n"},
		{"names", "ada,5\nbob,6\n", Options{Columns: []string{"who", "n"}}, `{"who":"ada","n":5}` + "\n" + `{"who":"bob","n":6}` + "\n"},
		{"names in place of others", "a,b\nbob,6\n", Options{Header: WithHeader, Columns: []string{"who", "n"}}, `{"who":"bob","n":6}` + "\n"},
		{"a row that begins with #", "\n#ada;5\nbob;6", Options{Header: WithoutHeader}, `{"column_1":"#ada","column_2":5}` + "\n" + `{"column_1":"bob","column_2":6}` + "\n"},
		{"behind a separator", "sep=|\nada|5\n", Options{Header: WithoutHeader}, `{"column_1":"ada","column_2":5}` + "\n"},
		{"a log's line", "2026-03-01 09:00:00 x,5\n", Options{Header: WithoutHeader}, `{"column_1":"2026-03-01 09:00:00 x","column_2":5}` + "\n"},
		{"a row that is longer", "ada,5\nbob,6,7\n", Options{Columns: []string{"who", "n"}},
			`{"who":"ada","n":5}` + "\n1: the row has 3 cells, columns= 2\n"},
		{"a first row that is longer", "ada,5,6\nbob,6\n", Options{Header: WithoutHeader},
			`{"column_1":"ada","column_2":5,"column_3":6}` + "\n1: the row has 2 cells, the first row 3\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(strings.NewReader(c.body), c.options)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := read(strings.NewReader("a,b\n"), Options{Header: WithHeader, Columns: []string{"x"}})
	require.ErrorContains(t, err, "columns names 1, the first line has 2")
	_, err = read(strings.NewReader("\"a,b\n"), Options{Header: WithoutHeader})
	require.ErrorContains(t, err, "first row: cell 1: the closing quote is missing")
	_, err = read(strings.NewReader(""), Options{Header: WithoutHeader})
	require.ErrorContains(t, err, "the body is empty")
	_, err = ParseColumns(`a,"b`)
	require.ErrorContains(t, err, "columns: cell 2: the closing quote is missing")
	_, err = ParseColumns("a,,b")
	require.ErrorContains(t, err, "columns: name 2 is")
	_, err = ParseColumns("a,a")
	require.ErrorContains(t, err, "columns: name 2 is")
	names, err := ParseColumns(`a,"b,c"`)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b,c"}, names)
	_, err = ParseHeader("maybe")
	require.ErrorContains(t, err, `header is "maybe"`)
}

// TestNumbersWithAComma holds that numbers are known by a comma in the place of a point, where that does not stand between cells.
func TestNumbersWithAComma(t *testing.T) {
	t.Parallel()
	_, err := read(strings.NewReader("ada;1,5\nbob;6,25\n"), Options{Delimiter: ';'})
	require.ErrorContains(t, err, `its cell 2, "1,5", is a number`)
}

// TestAKnownHeaderIsNoRow holds that names of columns that the stream has are never in doubt.
func TestAKnownHeaderIsNoRow(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Columns: []event.Column{
		{ID: 1, Name: "name", Type: event.Type{Kind: event.Text}}, {ID: 2, Name: "7", Type: event.Type{Kind: event.BigInt}},
	}}
	got, err := read(strings.NewReader("name,7\nada,5\n"), Options{Schema: func() *event.Schema { return schema }})
	require.NoError(t, err)
	require.Equal(t, `{"name":"ada","7":5}`+"\n", got)
	for header, want := range map[string]string{
		"7": `{"7":5}`, "7,name": `{"7":5,"name":"ada"}`, "name,name": `{"name":"5","name_2":"ada"}`, "name,other": `{"name":"5","other":"ada"}`,
	} {
		row := strings.Join([]string{"5", "ada"}[:strings.Count(header, ",")+1], ",")
		got, err := read(strings.NewReader(header+"\n"+row+"\n"), Options{Schema: func() *event.Schema { return schema }})
		require.NoError(t, err)
		require.Equal(t, want+"\n", got, header)
	}
}

// TestTablesWithAndWithoutAHeader makes tables of which some column is of one type throughout, and reads them with a header and without one.
func TestTablesWithAndWithoutAHeader(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"text", "number", "time", "boolean"}), 1, 5).Draw(t, "kinds")
		kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "typed")] = rapid.SampledFrom([]string{"number", "time", "boolean"}).Draw(t, "type")
		rows := rapid.IntRange(2, 30).Draw(t, "rows")
		var names []string
		for i := range kinds {
			names = append(names, fmt.Sprintf("c%d", i))
		}
		var body strings.Builder
		for range rows {
			var cells []string
			for _, kind := range kinds {
				cells = append(cells, drawCell(t, kind))
			}
			body.WriteString(strings.Join(cells, ",") + "\n")
		}
		header := strings.Join(names, ",") + "\n"
		got, err := read(strings.NewReader(header+body.String()), Options{})
		if err != nil || strings.Count(got, "\n") != rows {
			t.Fatalf("%v: %q of %q", err, got, header+body.String())
		}
		if _, err := read(strings.NewReader(body.String()), Options{}); err == nil {
			t.Fatalf("%q was taken for a table with names", body.String())
		}
		alone, err := read(strings.NewReader(body.String()), Options{Columns: names})
		if err != nil || alone != got {
			t.Fatalf("%v: %q, with a header %q", err, alone, got)
		}
	})
}

func drawCell(t *rapid.T, kind string) string {
	switch kind {
	case "number":
		return fmt.Sprint(rapid.Float64Range(-1000, -0.001).Draw(t, "number"))
	case "time":
		return fmt.Sprintf("2026-03-01 09:%02d:%02d", rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second"))
	case "boolean":
		return rapid.SampledFrom([]string{"true", "false", "TRUE", "False"}).Draw(t, "boolean")
	default:
		return rapid.StringMatching(`[a-z]{2,6}`).Draw(t, "text")
	}
}
