package docs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/shell"
)

// setupMark stands before the blocks of sql/README.md that make the data of all SQL examples.
const setupMark = "<!-- every page starts with this -->"

// TestSQLExamples runs the examples of every page below sql/ and streaming/ in order, each page on a server of its own that has the data of
// sql/README.md: once in memory, once sealed.
func TestSQLExamples(t *testing.T) {
	t.Parallel()
	setup := sqlSetup(t)
	for _, path := range append(pages(t, "sql/*.md"), pages(t, "streaming/*.md")...) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p := readPage(t, path)
			p.runSQL(t, setup, false)
			if *rewrite {
				p.save(t)
			}
			p.runSQL(t, setup, true)
		})
	}
}

func sqlSetup(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	p := readPage(t, "sql/README.md")
	for i, b := range p.blocks {
		if isSetup(p, i) {
			out.WriteString(b.text() + "\n")
		}
	}
	require.NotEmpty(t, out.String())
	return out.String()
}

func isSetup(p *page, i int) bool {
	return i > 0 && p.blocks[i].fence == "sql" && strings.HasSuffix(strings.TrimSpace(p.blocks[i-1].text()), setupMark)
}

// runSQL runs the blocks and the tables of examples of one page.
func (p *page) runSQL(t *testing.T, setup string, sealed bool) {
	t.Helper()
	server := startServer(t)
	db := connect(t, server)
	require.NotContains(t, runSQL(t.Context(), db, setup), "tidemark:")
	if sealed {
		seal(t, server.URL(), "orders")
	}
	for i, b := range p.blocks {
		if b.fence != "sql" || isSetup(p, i) {
			continue
		}
		got := runSQL(t.Context(), db, b.text())
		if answer := p.answer(i, "text"); answer != nil {
			p.check(t, b, answer, got)
		} else if strings.Contains(got, "tidemark: ") {
			t.Errorf("%s:%d: this example, which shows no answer, fails: %s", p.path, b.line, got)
		}
	}
	for _, found := range p.tables() {
		p.runTable(t, db, found)
	}
}

func seal(t *testing.T, url, stream string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/streams/"+stream+"/seal", http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
}

// runTable runs the rows of a table that has the columns Example and Gives: each example is an expression, and what the heading has
// behind the word Example follows it in the query.
func (p *page) runTable(t *testing.T, db *client.Client, found table) {
	t.Helper()
	example := slices.IndexFunc(found.header, func(h string) bool { return strings.HasPrefix(h, "Example") })
	gives := slices.Index(found.header, "Gives")
	if example < 0 || gives < 0 {
		return
	}
	rest := strings.Trim(strings.TrimPrefix(found.header[example], "Example"), " `")
	for _, r := range found.rows {
		require.Len(t, r.cells, len(found.header), "%s: %q: a bar inside of a cell is written \\|", p.path, r.in.lines[r.at])
		expressions := code(r.cells[example])
		require.Len(t, expressions, 1, "%s: %q: an example is one expression in backquotes", p.path, r.in.lines[r.at])
		got := "`" + value(t.Context(), db, "SELECT "+expressions[0]+" "+rest) + "`"
		switch {
		case got == r.cells[gives]:
		case *rewrite:
			r.set(gives, got)
		default:
			t.Errorf("%s:%d: %s gives %s, and the page says %s; `go test ./docs -rewrite` corrects it",
				p.path, r.in.line+r.at, expressions[0], got, r.cells[gives])
		}
	}
}

// value is the one value of a query as a table shows it, or the failure.
func value(ctx context.Context, db *client.Client, sql string) string {
	result, err := db.Query(ctx, sql, client.QueryOptions{})
	switch {
	case err != nil:
		return failure(err)
	case len(result.Rows) != 1 || len(result.Rows[0]) != 1:
		return fmt.Sprintf("%d rows", len(result.Rows))
	default:
		return shell.Cell(result.Rows[0][0])
	}
}

// runSQL gives what `tidemark sql` prints for the statements in text, up to the first that fails.
func runSQL(ctx context.Context, db *client.Client, text string) string {
	var out strings.Builder
	statements, rest := shell.Split(text)
	if rest.Text != "" {
		statements = append(statements, rest)
	}
	for _, st := range statements {
		result, err := db.Query(ctx, st.Text, client.QueryOptions{})
		if err != nil {
			return out.String() + failure(shell.Locate(st, err))
		}
		shell.WriteTable(&out, result, shell.Layout{})
	}
	return out.String()
}

func failure(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) {
		return fmt.Sprintf("tidemark: %s: %v", refused.Code, err)
	}
	return fmt.Sprintf("tidemark: %v", err)
}
