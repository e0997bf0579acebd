package docs_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "put the answers that examples have now into the pages")

// page is a Markdown file taken apart. Its blocks, put together, are the file again.
type page struct {
	path   string
	blocks []*block
}

// block is a fenced block, or the lines between two of them.
type block struct {
	// fence is what follows the opening backquotes, such as sql; plain text has none.
	fence  string
	fenced bool
	lines  []string
	// line is the number in the file of the first of lines, from 1.
	line int
}

func readPage(t testing.TB, path string) *page {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	p := &page{path: path}
	current := &block{line: 1}
	for i, line := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			p.blocks = append(p.blocks, current)
			current = &block{fence: fence, fenced: !current.fenced, line: i + 2}
			if !current.fenced {
				require.Empty(t, fence, "%s:%d: a block is opened inside of another", path, i+1)
			}
			continue
		}
		current.lines = append(current.lines, line)
	}
	require.False(t, current.fenced, "%s: the last block does not end", path)
	p.blocks = append(p.blocks, current)
	return p
}

// save writes the page back if it has changed.
func (p *page) save(t testing.TB) {
	t.Helper()
	var out strings.Builder
	for _, b := range p.blocks {
		if b.fenced {
			out.WriteString("```" + b.fence + "\n")
		}
		for _, line := range b.lines {
			out.WriteString(line + "\n")
		}
		if b.fenced {
			out.WriteString("```\n")
		}
	}
	before, err := os.ReadFile(p.path)
	require.NoError(t, err)
	if string(before) != out.String() {
		require.NoError(t, os.WriteFile(p.path, []byte(out.String()), 0o644))
	}
}

func (b *block) text() string { return strings.Join(b.lines, "\n") }

// answer is the block with the answer to example i: the next one, if nothing but blank lines stands between them.
func (p *page) answer(i int, fences ...string) *block {
	if i+2 >= len(p.blocks) || strings.TrimSpace(p.blocks[i+1].text()) != "" {
		return nil
	}
	if next := p.blocks[i+2]; slices.Contains(fences, next.fence) {
		return next
	}
	return nil
}

// check compares what an example gives with what the page says, or corrects the page. What differs from run to run is left out.
func (p *page) check(t testing.TB, example, answer *block, got string) {
	t.Helper()
	got = hide(got)
	if strings.Contains(got, "tidemark: internal: ") || strings.Contains(got, `"code":"internal"`) {
		t.Errorf("%s:%d: a fault of the program is no answer:\n%s\n%s", p.path, example.line, example.text(), got)
		return
	}
	if agrees(answer.text(), got) {
		return
	}
	if *rewrite {
		answer.lines = strings.Split(got, "\n")
		return
	}
	t.Errorf("%s:%d: this example gives another answer; `go test ./docs -rewrite` puts it into the page\n%s\n--- page\n%s\n--- now\n%s",
		p.path, example.line, example.text(), answer.text(), got)
}

// table is the rows of a Markdown table.
type table struct {
	header []string
	rows   []row
}

// row is the cells of one line of a table; in tells where the line is.
type row struct {
	cells []string
	in    *block
	at    int
}

// tables finds the tables between the fenced blocks.
func (p *page) tables() []table {
	var out []table
	for _, b := range p.blocks {
		if b.fenced {
			continue
		}
		for i := 0; i < len(b.lines); i++ {
			if !strings.HasPrefix(b.lines[i], "|") {
				continue
			}
			found := table{header: cells(b.lines[i])}
			for i += 2; i < len(b.lines) && strings.HasPrefix(b.lines[i], "|"); i++ {
				found.rows = append(found.rows, row{cells: cells(b.lines[i]), in: b, at: i})
			}
			out = append(out, found)
		}
	}
	return out
}

// generated holds the table with the header of want[0] equal to want, line by line, or puts it into the page.
func (p *page) generated(t testing.TB, want []string) {
	t.Helper()
	for _, b := range p.blocks {
		from := slices.Index(b.lines, want[0])
		if b.fenced || from < 0 {
			continue
		}
		to := from
		for to < len(b.lines) && strings.HasPrefix(b.lines[to], "|") {
			to++
		}
		if *rewrite {
			b.lines = slices.Replace(b.lines, from, to, want...)
			p.save(t)
			return
		}
		require.Equal(t, want, b.lines[from:to], "%s: `go test ./docs -rewrite` puts this table into the page", p.path)
		return
	}
	t.Errorf("%s has no table with the header %s", p.path, want[0])
}

// cells cuts a line at its bars, but not at those that a backslash escapes.
func cells(line string) []string {
	const bar = "\x00"
	line = strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, bar)
	parts := strings.Split(line, "|")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(strings.ReplaceAll(part, bar, "|"))
	}
	return parts
}

// set replaces a cell in the page.
func (r row) set(cell int, text string) {
	r.cells[cell] = text
	escaped := make([]string, len(r.cells))
	for i, c := range r.cells {
		escaped[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	r.in.lines[r.at] = "| " + strings.Join(escaped, " | ") + " |"
}

// code gives what stands between single backquotes in a cell.
func code(cell string) []string {
	var out []string
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}

// pages lists Markdown files.
func pages(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}
