package mutants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	root = "../.."
	// testLimit is how long the tests of one mutant may take, a package each; limit bounds building them as well.
	testLimit = 10 * time.Minute
	limit     = 3 * testLimit
)

// mutant is one known bug.
type mutant struct {
	name, file    string
	tests         []string
	before, after string
	// hangs says that the bug is noticed by tests that do not come to an end.
	hangs bool
}

func all(t *testing.T) []mutant {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.mutant")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 20)
	out := make([]mutant, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		out[i] = parse(t, strings.TrimSuffix(filepath.Base(path), ".mutant"), string(text))
	}
	return out
}

func parse(t *testing.T, name, text string) mutant {
	t.Helper()
	m := mutant{name: name}
	head, bodies, ok := strings.Cut(text, "--- before\n")
	require.True(t, ok, name)
	m.before, m.after, ok = strings.Cut(bodies, "--- after\n")
	require.True(t, ok, name)
	explained := false
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "#":
			explained = true
		case "file:":
			m.file = value
		case "tests:":
			m.tests = strings.Fields(value)
		case "hangs:":
			m.hangs = value != "" // it says why
		default:
			require.Fail(t, "not a line of a mutant", "%s: %s", name, line)
		}
	}
	require.True(t, explained && m.file != "" && len(m.tests) > 0, "%s lacks its comment, file or tests", name)
	return m
}

// mutated is the text of the file with the bug.
func (m mutant) mutated(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, m.file))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), m.before), "%s: how often %s has the text", m.name, m.file)
	require.NotEqual(t, m.before, m.after, m.name)
	return strings.Replace(string(text), m.before, m.after, 1)
}

func TestMutantsApply(t *testing.T) {
	t.Parallel()
	for _, m := range all(t) {
		m.mutated(t)
	}
}

func TestMutantsAreCaught(t *testing.T) {
	if os.Getenv("TIDEMARK_MUTANTS") == "" {
		t.Skip("make mutants runs this: it takes long")
	}
	for _, m := range all(t) {
		t.Run(m.name, func(t *testing.T) { m.mustBeCaught(t) })
	}
}

// mustBeCaught runs the tests over the program with the bug. They must compile, and fail.
func (m mutant) mustBeCaught(t *testing.T) {
	dir := t.TempDir()
	source, err := filepath.Abs(filepath.Join(root, m.file))
	require.NoError(t, err)
	replacement := filepath.Join(dir, "mutated.go")
	require.NoError(t, os.WriteFile(replacement, []byte(m.mutated(t)), 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: replacement}})
	require.NoError(t, err)
	overlayFile := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlayFile, overlay, 0o600))

	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-overlay", overlayFile, "./"+filepath.Dir(m.file))
	build.Dir = root
	output, err := build.CombinedOutput()
	require.NoError(t, err, "the bug does not compile:\n%s", output)

	began := time.Now()
	test := exec.CommandContext(ctx, "go", append([]string{
		"test", "-count=1", "-failfast", "-timeout", testLimit.String(), "-overlay", overlayFile,
	}, m.tests...)...)
	test.Dir, test.WaitDelay = root, time.Minute
	output, err = test.CombinedOutput()
	took := time.Since(began).Round(time.Millisecond)
	switch outcome(output, err) {
	case broken:
		require.Fail(t, "the tests did not run", "%v\n%s", err, output)
	case unnoticed:
		require.Fail(t, "no test notices it", "of %s:\n%s", strings.Join(m.tests, " "), output)
	case hung:
		require.True(t, m.hangs, "the tests have not come to an end after %v, and none has failed before: is it the bug, or are they slow?\n%s", took, output)
		t.Logf("noticed by tests that hang")
	case caught:
		t.Logf("noticed after %v by %s", took, failed(output))
	}
}

// result is what became of the tests over a bug.
type result int

const (
	broken    result = iota // they did not run
	unnoticed               // they passed
	hung                    // they did not come to an end, and nothing says more: slow tests look the same
	caught                  // some failed
)

// outcome judges what `go test` printed and returned.
func outcome(output []byte, err error) result {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return unnoticed
	case bytes.Contains(output, []byte("[build failed]")) || bytes.Contains(output, []byte("[setup failed]")):
		return broken
	case len(failed(output)) > 0:
		return caught
	case !errors.As(err, &exit) || exit.ExitCode() < 0 || bytes.Contains(output, []byte("panic: test timed out after")):
		return hung
	default:
		return caught // a panic, or a goroutine that was left running
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	run := func(script string) ([]byte, error) {
		return exec.CommandContext(t.Context(), "sh", "-c", script).CombinedOutput()
	}
	for script, want := range map[string]result{
		"echo ok":                                          unnoticed,
		"echo 'FAIL x [build failed]'; exit 1":             broken,
		"echo '--- FAIL: TestA (0.1s)'; exit 1":            caught,
		"echo 'panic: runtime error'; exit 1":              caught,
		"echo 'panic: test timed out after 10m0s'; exit 1": hung,
		"echo '--- FAIL: TestA (1s)'; echo 'panic: test timed out after 1m0s'; exit 1": caught,
		"kill -9 $$": hung,
	} {
		require.Equal(t, want, outcome(run(script)), script)
	}
}

// failed names the tests that failed.
func failed(output []byte) string {
	var names []string
	for line := range bytes.Lines(output) {
		if name, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("--- FAIL: ")); ok {
			names = append(names, string(bytes.Fields(name)[0]))
		}
	}
	return strings.Join(names, ", ")
}
