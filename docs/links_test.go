package docs_test

import (
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
