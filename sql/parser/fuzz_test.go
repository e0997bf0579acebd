package parser

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// FuzzParse holds that any text gives statements or an *event.Error, and that statements print as SQL that parses to the same.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the directory of fuzzing finds
		}
		for _, c := range strings.Split(string(text), "parse\n") {
			sql, _, _ := strings.Cut(c, "\n----")
			f.Add(sql)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := Parse(text)
		if err != nil {
			var coded *event.Error
			require.ErrorAs(t, err, &coded)
			require.NotEqual(t, event.CodeInternal, coded.Code, coded.Detail)
			return
		}
		for _, s := range statements {
			requireSameAgain(t, s.String())
		}
	})
}

// requireSameAgain parses a printed statement. Printing adds parentheses, so it may nest deeper than the parser takes.
func requireSameAgain(t *testing.T, printed string) {
	t.Helper()
	again, err := Parse(printed)
	var coded *event.Error
	if errors.As(err, &coded) && strings.Contains(coded.Detail, "nests deeper") {
		return
	}
	require.NoError(t, err, printed)
	require.Len(t, again, 1)
	require.Equal(t, printed, again[0].String())
}

func TestParseBounds(t *testing.T) {
	t.Parallel()
	deep := func(open, shut string, n int) string {
		return "SELECT " + strings.Repeat(open, n) + "1" + strings.Repeat(shut, n)
	}
	for _, c := range []struct{ name, sql, want string }{
		{"parentheses", deep("(", ")", 150), ""},
		{"parentheses too deep", deep("(", ")", 1000), "nests deeper"},
		{"many open parentheses", deep("(", "", 500_000), "nests deeper"},
		{"NOT", deep("NOT ", "", 200_000), "nests deeper"},
		{"signs", deep("- ", "", 200_000), "nests deeper"},
		{"CASE", deep("CASE WHEN ", "", 50_000), "nests deeper"},
		{"calls", deep("f(", ")", 50_000), "nests deeper"},
		{"FROM", "SELECT 1" + strings.Repeat(" FROM (SELECT 1", 30_000), "nests deeper"},
		{"WITH", strings.Repeat("WITH a AS (", 30_000) + "SELECT 1", "nests deeper"},
		{"chain", deep("", " + 1", 5_000), ""},
		{"chain too long", deep("", " + 1", 100_000), "more than 10000 operators"},
		{"casts", deep("", "::text", 100_000), "more than 10000 operators"},
		{"AND", deep("", " AND a", 5_000), ""},
		{"IN", "SELECT a IN (" + strings.Repeat("1, ", 20_000) + "2)", ""},
		{"rows", "INSERT INTO s VALUES (1)" + strings.Repeat(", (1)", 5_000), ""},
		{"select list", "SELECT 1" + strings.Repeat(", 1", 10_000), ""},
		{"text", "SELECT '" + strings.Repeat("x", 1<<20) + "'", "longer than"},
		{"statements", strings.Repeat("SELECT 1;", 5_000), ""},
		{"encoding", "SELECT '\xff'", "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(c.sql)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
