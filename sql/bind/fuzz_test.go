package bind

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// FuzzBind holds that whatever parses binds to a well-typed plan or to an *event.Error with a position.
func FuzzBind(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the directory of fuzzing finds
		}
		for _, c := range strings.Split(string(text), "bind\n") {
			sql, _, _ := strings.Cut(c, "\n----")
			f.Add(sql)
		}
	}
	known := testStreams(f)
	params := Params{Positional: []Param{String("2026-01-01"), Bool(true), Null()}}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := parser.Parse(text)
		if err != nil {
			return
		}
		for _, s := range statements {
			bound, err := Bind(s, known, params)
			if err != nil {
				var coded *event.Error
				require.ErrorAs(t, err, &coded)
				require.NotEqual(t, event.CodeInternal, coded.Code, coded.Detail)
				require.NotNil(t, coded.Position, coded.Detail)
				continue
			}
			if q, ok := bound.(Query); ok {
				requireTyped(t, q.Plan)
			}
		}
	})
}

// TestBindBounds holds that operands which are written out several times do not blow up when they nest.
func TestBindBounds(t *testing.T) {
	t.Parallel()
	nest := func(open, shut string, n int) string {
		return "SELECT " + strings.Repeat(open, n) + "paid" + strings.Repeat(shut, n) + " FROM orders"
	}
	for _, c := range []struct{ name, sql, want string }{
		{"BETWEEN", nest("(", " BETWEEN false AND true)", 100), "too complex"},
		{"IN", nest("(", " IN (true, false))", 100), "too complex"},
		{"CASE", nest("CASE ", " WHEN true THEN true WHEN false THEN false END", 100), "too complex"},
		{"IS", nest("(", " IS TRUE)", 150), ""},
		{"long IN", "SELECT lower(attrs->'a'->>'b') IN (" + strings.Repeat("'x', ", 50_000) + "'y') FROM orders", ""},
		{"long chain", "SELECT quantity" + strings.Repeat(" + 1", 9_000) + " FROM orders", ""},
		{"long AND", "SELECT 1 FROM orders WHERE paid" + strings.Repeat(" AND paid", 4_000), ""},
		{"queries", strings.Repeat("SELECT * FROM (", 150) + "SELECT * FROM orders" + strings.Repeat(")", 150), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			statements, err := parser.Parse(c.sql)
			require.NoError(t, err)
			_, err = Bind(statements[0], testStreams(t), Params{})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestParams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want string
		ok   bool
	}{
		{"5", "BIGINT 5", true}, {"-9223372036854775808", "BIGINT -9223372036854775808", true},
		{"9223372036854775808", "NUMERIC(19,0) 9223372036854775808", true}, {"1.5", "NUMERIC(2,1) 1.5", true},
		{"1e3", "DOUBLE PRECISION 1000", true}, {"", "", false}, {"x", "", false}, {"NaN", "", false}, {"inf", "", false},
		{"1e999", "", false}, {"0x10", "", false}, {"1_000", "", false},
	} {
		p, ok := Number(c.text)
		require.Equal(t, c.ok, ok, c.text)
		if ok {
			require.Equal(t, c.want, p.literal.Typ.String()+" "+p.literal.String(), c.text)
		}
	}
	micros, ok := event.ParseTimestamp("2026-01-01")
	require.True(t, ok)
	require.Equal(t, "TIMESTAMPTZ '2026-01-01T00:00:00.000000Z'", Timestamp(micros).literal.String())
	hour, err := event.ParseInterval("1h")
	require.NoError(t, err)
	require.Equal(t, "INTERVAL '01:00:00'", Interval(hour).literal.String())
}
