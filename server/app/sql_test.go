package app

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// masked and workers find what differs from run to run.
var (
	masked  = regexp.MustCompile(`[0-9.]+ (?:(ms)|[KM]i(B)|(B))\b`)
	workers = regexp.MustCompile(`, [0-9]+ workers`)
)

// TestSQL runs the files of testdata/sql against a server each. The directives are
//
//	setup            statements that must succeed
//	seal stream=s    seals what the stream holds
//	query            a statement, and below it the names of its columns and its rows, or the error
//	query sorted     the same, for a query that promises no order
//	query masked     the same, with times, sizes in memory and numbers of workers made alike
func TestSQL(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/sql/*")
	require.NoError(t, err)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			i := start(t, t.TempDir())
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				switch d.Cmd {
				case "setup":
					answer := i.do("POST", "/v1/sql", d.Input)
					require.Equal(t, http.StatusOK, answer.status, "%s", answer.body)
					return ""
				case "seal":
					i.seal(d.CmdArgs[0].Vals[0])
					return ""
				case "query":
					out := i.rendered(d.Input, d.HasArg("sorted"))
					if d.HasArg("masked") {
						out = masked.ReplaceAllString(workers.ReplaceAllString(out, ""), "N $1$2$3")
					}
					return out
				default:
					d.Fatalf(t, "unknown directive %s", d.Cmd)
					return ""
				}
			})
		})
	}
}

// rendered is the answer to a query as text: a line of names and a line for each row, or the error.
func (i *instance) rendered(sql string, sorted bool) string {
	answer := i.do("POST", "/v1/sql", sql)
	if answer.status != http.StatusOK {
		return i.fault(answer)
	}
	var out table
	answer.decode(i.t, &out)
	names := make([]string, len(out.Columns))
	for c, column := range out.Columns {
		names[c] = column.Name
	}
	lines := make([]string, len(out.Rows))
	for r, row := range out.Rows {
		cells := make([]string, len(row))
		for c, cell := range row {
			text, plain := cell.(string)
			if !plain {
				rendered, err := json.Marshal(cell)
				require.NoError(i.t, err)
				text = string(rendered)
			}
			cells[c] = text
		}
		lines[r] = strings.Join(cells, " ")
	}
	if sorted {
		slices.Sort(lines)
	}
	return strings.Join(append([]string{strings.Join(names, " ")}, lines...), "\n") + "\n"
}

func (i *instance) fault(answer response) string {
	var problem struct{ Code, Detail, Hint string }
	answer.decode(i.t, &problem)
	out := problem.Code + ": " + problem.Detail
	if problem.Hint != "" {
		out += " (" + problem.Hint + ")"
	}
	return out + "\n"
}

// TestSQLFilesExist keeps the glob above from matching nothing.
func TestSQLFilesExist(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("testdata/sql")
	require.NoError(t, err)
	require.NotEmpty(t, entries)
}
