package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// TestLinksLeadSomewhere follows every link from a page to another file of the project or to a heading.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	paths := slices.Concat(pages(t, "*.md"), pages(t, "*/*.md"), pages(t, "../*.md"), pages(t, "../bench/*.md"))
	for _, path := range paths {
		for _, b := range readPage(t, path).blocks {
			if b.fenced {
				continue
			}
			for _, found := range link.FindAllStringSubmatch(b.text(), -1) {
				if !strings.Contains(found[1], ":") {
					checkLink(t, path, found[1])
				}
			}
		}
	}
}

func checkLink(t *testing.T, from, link string) {
	t.Helper()
	file, anchor, _ := strings.Cut(link, "#")
	target := from
	if file != "" {
		target = filepath.Join(filepath.Dir(from), file)
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("%s links to %s, which is not there", from, link)
		return
	}
	if anchor != "" && !slices.Contains(anchors(t, target), anchor) {
		t.Errorf("%s links to %s, which has no such heading", from, link)
	}
}

// anchors are the names that the headings of a page go by.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	require.Equal(t, ".md", filepath.Ext(path))
	var out []string
	for _, b := range readPage(t, path).blocks {
		for _, line := range b.lines {
			if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") && !b.fenced {
				out = append(out, anchor(heading))
			}
		}
	}
	return out
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, heading)
}

// TestDecisionsAreListed holds the list of decisions to the records: each has a number of its own and a line that names it by its title.
func TestDecisionsAreListed(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for i, path := range pages(t, "decisions/*.md") {
		number := fmt.Sprintf("%04d", i+1)
		require.True(t, strings.HasPrefix(filepath.Base(path), number+"-"), "%s is not number %s", path, number)
		page, err := os.ReadFile(filepath.Clean(path))
		require.NoError(t, err)
		title, _, _ := strings.Cut(string(page), "\n")
		title = strings.TrimPrefix(title, "# ")
		require.True(t, strings.HasPrefix(title, number+": "), "%s is titled %q", path, title)
		require.Contains(t, string(list), "["+title+"]("+path+")")
	}
}
