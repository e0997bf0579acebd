package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// step is one command block of a document and what is to be printed; said is false where the document does not say.
type step struct {
	commands, printed string
	said              bool
}

var block = regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```$") //nolint:gocritic // with (?m), ^ begins a line

// readSteps finds the command blocks of a section, each with the text block that follows it at once.
func readSteps(section string) []step {
	var steps []step
	end := -1
	for _, at := range block.FindAllStringSubmatchIndex(section, -1) {
		kind, text := section[at[2]:at[3]], section[at[4]:at[5]]
		if kind == "sh" {
			steps = append(steps, step{commands: text})
		} else if strings.TrimSpace(section[end:at[0]]) == "" {
			steps[len(steps)-1].printed, steps[len(steps)-1].said = text, true
		}
		end = at[1]
	}
	return steps
}

// TestTourOfTheReadme runs every command of the README's tour, in one shell and in order, as a reader would, and compares what
// is printed. "..." in the README stands for anything.
func TestTourOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, tour, found := strings.Cut(string(readme), "## Five minutes with it")
	require.True(t, found)
	tour, _, _ = strings.Cut(tour, "\n## ")
	steps := readSteps(tour)
	require.Greater(t, len(steps), 5)

	outputs := runTour(t, steps)
	for i, s := range steps {
		if s.said {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(s.printed), `\.\.\.`, `.*`)
			require.Regexp(t, "^"+pattern+"$", outputs[i], "after:\n%s", s.commands)
		}
	}
}

// runTour runs the steps in an empty directory with the program where make build puts it, on ports of its own, and returns what each
// printed.
func runTour(t *testing.T, steps []step) []string {
	t.Helper()
	dir := t.TempDir()
	binary, err := builtBinary()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.Symlink(binary, filepath.Join(dir, "bin", "tidemark")))
	examples, err := filepath.Abs("../../docs")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(examples, filepath.Join(dir, "docs")))
	port, admin := freePort(t), freePort(t)

	const separator = "=== the next step ==="
	// The program is built already. Servers that a failed step leaves behind end with the shell.
	script := "set -em\nexec 2>&1\nmake() { :; }\ntrap 'kill -9 $(jobs -p) 2> /dev/null || true' EXIT\n"
	for _, s := range steps {
		script += s.commands + "echo '" + separator + "'\n"
	}
	script = strings.ReplaceAll(script, "127.0.0.1:7373", "127.0.0.1:"+port)
	shell := exec.CommandContext(t.Context(), "bash", "-c", script)
	shell.Dir, shell.WaitDelay = dir, 10*time.Second
	shell.Env = append(os.Environ(), "TIDEMARK_LISTEN=127.0.0.1:"+port, "TIDEMARK_ADMIN_LISTEN=127.0.0.1:"+admin,
		"TIDEMARK_URL=http://127.0.0.1:"+port)
	printed, err := shell.CombinedOutput()
	require.NoError(t, err, string(printed))
	outputs := strings.Split(string(printed), separator+"\n")
	require.Len(t, outputs, len(steps)+1)
	return outputs
}

// freePort finds a port that nothing listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
