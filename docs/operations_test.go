package docs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/spill"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/scrub"
)

// These tests are not parallel: with -rewrite they must be done with the page before its examples are run.

// TestEveryOptionIsListed holds the table of options equal to what --print-config says.
func TestEveryOptionIsListed(t *testing.T) {
	defaults := config.Default()
	var printed bytes.Buffer
	require.NoError(t, defaults.Print(&printed))
	want := []string{"| Option | Default | Meaning |", "|---|---|---|"}
	options := regexp.MustCompile(`(?m)^# (.*)\n([a-z_]+):`).FindAllStringSubmatch(printed.String(), -1)
	require.Len(t, options, len(config.Keys()))
	for _, found := range options {
		value, ok := defaults.Value(found[2])
		require.True(t, ok)
		want = append(want, "| `"+found[2]+"` | `"+value+"` | "+found[1]+" |")
	}
	readPage(t, "operations.md").generated(t, want)
}

// TestEveryMetricIsListed holds the table of metrics equal to what the server registers.
func TestEveryMetricIsListed(t *testing.T) {
	want := []string{"| Metric | Meaning |", "|---|---|"}
	described := make(chan *prometheus.Desc)
	metrics := api.NewMetrics()
	metrics.Queries(exec.NewPool(1), &spill.Space{})
	metrics.WatchScrub(&scrub.Scrubber{}, func() int { return 0 })
	metrics.WatchViews(func() int64 { return 0 }, func() int64 { return 0 })
	metrics.WatchSegments(func() (held, limit int64) { return 0, 0 })
	go func() {
		metrics.Registry.Describe(described)
		close(described)
	}()
	form := regexp.MustCompile(`fqName: "(tidemark_[a-z_]+)", help: "([^"]*)".*variableLabels: \{([^}]*)\}`)
	for desc := range described {
		if found := form.FindStringSubmatch(desc.String()); found != nil {
			want = append(want, "| `"+found[1]+labels(found[3])+"` | "+found[2]+" |")
		}
	}
	require.Greater(t, len(want), 2)
	slices.Sort(want[2:])
	readPage(t, "operations.md").generated(t, want)
}

func labels(names string) string {
	if names == "" {
		return ""
	}
	return "{" + strings.ReplaceAll(names, ",", ", ") + "}"
}

// TestGuaranteesNameTheirTests checks that every sentence of guarantees.md that promises something names tests, and that these are there.
func TestGuaranteesNameTheirTests(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("guarantees.md")
	require.NoError(t, err)
	promises, _, found := strings.Cut(string(content), "## Not there yet")
	require.True(t, found)
	known := testNames(t)
	for _, promise := range strings.Split(promises, "\n- ")[1:] {
		promise, _, _ = strings.Cut(promise, "\n\n")
		named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(promise, -1)
		if len(named) == 0 && !strings.Contains(promise, "nothing is promised") {
			t.Errorf("guarantees.md names no test that holds: %s", promise)
		}
		for _, name := range named {
			if !known[name[1]] {
				t.Errorf("guarantees.md names %s, which is not there", name[1])
			}
		}
	}
}

// TestStreamingNamesTests checks that the tests that the pages of streaming/ name are there, and that each page names some.
func TestStreamingNamesTests(t *testing.T) {
	t.Parallel()
	known := testNames(t)
	for _, path := range pages(t, "streaming/*.md") {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(content), -1)
		require.NotEmpty(t, named, path)
		for _, name := range named {
			require.True(t, known[name[1]], "%s names %s, which is not there", path, name[1])
		}
	}
}

// testNames are the names of all tests of the project.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	form := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9]+)\(`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != "..") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, found := range form.FindAllSubmatch(source, -1) {
			names[string(found[1])] = true
		}
		return err
	})
	require.NoError(t, err)
	return names
}
