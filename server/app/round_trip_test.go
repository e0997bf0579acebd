package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tripColumns are columns of every type, with what values of them are in JSON, and what the column becomes when it comes back as Arrow and as
// Parquet; empty is the same type.
var tripColumns = []struct {
	name, sql      string
	values         []string
	arrow, parquet string
}{
	{"ts", "TIMESTAMPTZ", []string{`"2026-03-01T09:00:00.123456Z"`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.999999Z"`, `"1969-12-31T23:59:59.999999Z"`}, "", ""},
	{"b", "BOOLEAN", []string{"true", "false"}, "", ""},
	{"s", "SMALLINT", []string{"-32768", "32767", "0"}, "BIGINT", "BIGINT"},
	{"i", "INTEGER", []string{"-2147483648", "2147483647"}, "BIGINT", "BIGINT"},
	{"l", "BIGINT", []string{"-9223372036854775808", "9223372036854775807", "9007199254740993"}, "", ""},
	{"r", "REAL", []string{"1.5", `"NaN"`, `"-Infinity"`, "1e-45", "0.1"}, "", ""},
	{"d", "DOUBLE PRECISION", []string{"5e-324", "1.7976931348623157e308", `"NaN"`, `"Infinity"`, "0.1"}, "", ""},
	{"n", "NUMERIC(38,10)", []string{`"1234567890123456789012345678.0123456789"`, `"-0.0000000001"`, "0"}, "", ""},
	{"t", "TEXT", []string{`""`, `"\u0000"`, `"é\"\\\n"`, `"😀"`, `"null"`, `"2026-03-01"`}, "", ""},
	{"y", "BYTEA", []string{`""`, `"AP8="`, `"/w=="`}, "", ""},
	{"day", "DATE", []string{`"0001-01-01"`, `"9999-12-31"`, `"2026-02-28"`}, "", ""},
	{"u", "UUID", []string{`"00112233-4455-6677-8899-aabbccddeeff"`, `"00000000-0000-0000-0000-000000000000"`}, "", ""},
	{"iv", "INTERVAL", []string{`"1 mon 2 days 00:00:03.000004"`, `"-1 year"`, `"00:00:00"`}, "", "TEXT"},
	{"tm", "TIME", []string{`"00:00:00"`, `"23:59:59.999999"`, `"24:00:00"`}, "", "TEXT"},
	{"j", "JSONB", []string{`{"a":[1.50,1e400,null,{"b":""}]}`, `[]`, `"text"`, `1`, `true`}, "", ""},
	{"al", "BIGINT[]", []string{`[]`, `[1,null,-9223372036854775808]`}, "JSONB", "JSONB"},
	{"an", "NUMERIC(9,2)[]", []string{`["1.50",null]`, `[]`}, "JSONB", "JSONB"},
	{"at", "TEXT[]", []string{`["",null,"a\"b"]`}, "JSONB", "JSONB"},
}

// tripRow draws a row: of each column a value, NULL, or nothing.
var tripRow = rapid.Custom(func(t *rapid.T) string {
	var members []string
	for _, c := range tripColumns {
		if at := rapid.IntRange(-2, len(c.values)-1).Draw(t, c.name); at >= 0 {
			members = append(members, fmt.Sprintf("%q:%s", c.name, c.values[at]))
		} else if at == -1 {
			members = append(members, fmt.Sprintf("%q:null", c.name))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
})

// TestWhatIsExportedCanBeTakenIn exports drawn rows of every type as Arrow and as Parquet, and takes them into a new stream, and into one that has
// their types: the values are the same, and the types those that the documentation names.
func TestWhatIsExportedCanBeTakenIn(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	var declared, names []string
	for _, c := range tripColumns {
		declared, names = append(declared, c.name+" "+c.sql), append(names, c.name)
	}
	all := "SELECT " + strings.Join(names, ", ") + " FROM "
	create := func(stream string) {
		s.query("CREATE STREAM " + stream + " (" + strings.Join(declared, ", ") + ", WATERMARK FOR ts AS ts)")
	}
	for seed := range 4 {
		from := fmt.Sprintf("from_%d", seed)
		create(from)
		rows := rapid.SliceOfN(tripRow, 150, 300).Example(seed)
		require.EqualValues(t, len(rows), s.ingest(from, strings.Join(rows, "\n")).Accepted)
		if seed%2 == 1 {
			s.seal(from)
		}
		want := s.query(all + from + " ORDER BY _offset").text()
		for _, format := range []string{"arrow", "parquet"} {
			exported := s.do("POST", "/v1/sql?format="+format, all+from+" ORDER BY _offset")
			require.Equal(t, http.StatusOK, exported.status, string(exported.body))
			typed := fmt.Sprintf("typed_%s_%d", format, seed)
			create(typed)
			for _, stream := range []string{typed, fmt.Sprintf("new_%s_%d", format, seed)} {
				answer := s.do("POST", "/v1/streams/"+stream+"/events?format="+format, string(exported.body))
				require.Equal(t, http.StatusOK, answer.status, "%.500s", answer.body)
				require.Equal(t, withoutArrayNumbers(want), withoutArrayNumbers(s.query(all+stream+" ORDER BY _offset").text()), stream)
			}
			for i, row := range s.query(fmt.Sprintf("DESCRIBE new_%s_%d", format, seed)).Rows {
				if i == len(tripColumns) {
					break
				}
				c := tripColumns[i]
				become := map[string]string{"arrow": c.arrow, "parquet": c.parquet}[format]
				if become == "" {
					become = c.sql
				}
				require.Equal(t, []any{c.name, become}, row[:2], format)
			}
		}
	}
}

// withoutArrayNumbers lets numbers in arrays of NUMERIC be numbers or texts, as JSON has them.
func withoutArrayNumbers(text string) string { return strings.ReplaceAll(text, `"1.50"`, "1.50") }
