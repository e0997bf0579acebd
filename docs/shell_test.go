package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/config"
)

// answers are the fences that an example of a shell may be followed by.
var answers = []string{"text", "json", "csv", "http"}

// TestShellExamples runs the blocks of shell commands on every page in order, each page with a server and an empty directory of its own.
// The pages name the default addresses; the tests put those of their server in their place.
func TestShellExamples(t *testing.T) {
	t.Parallel()
	for _, path := range pages(t, "*.md") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			p := readPage(t, path)
			if !p.hasCommands() {
				return
			}
			if _, err := exec.LookPath("curl"); err != nil {
				t.Skip("the examples are written with curl, which is not installed")
			}
			p.runShell(t)
			if *rewrite {
				p.save(t)
			}
		})
	}
}

func (p *page) hasCommands() bool {
	for _, b := range p.blocks {
		if b.fence == "sh" {
			return true
		}
	}
	return false
}

func (p *page) runShell(t *testing.T) {
	t.Helper()
	server := startServer(t)
	folder := t.TempDir()
	shown, served := addresses(server.URL(), server.AdminURL())
	environment := append(os.Environ(), "TIDEMARK_URL="+server.URL(), "PATH="+programFolder(t)+":"+os.Getenv("PATH"))
	for i, b := range p.blocks {
		if b.fence != "sh" {
			continue
		}
		command := exec.CommandContext(t.Context(), "bash", "-c", shown.Replace(b.text()))
		command.Dir, command.Env = folder, environment
		output, err := command.CombinedOutput()
		got := served.Replace(string(output))
		switch answer := p.answer(i, answers...); {
		case answer != nil:
			p.check(t, b, answer, got)
		case err != nil:
			t.Errorf("%s:%d: this example, which shows no answer, fails: %v\n%s", p.path, b.line, err, got)
		}
	}
}

// addresses translate between the addresses on the pages and those of a server.
func addresses(url, adminURL string) (shown, served *strings.Replacer) {
	defaults := config.Default()
	own, admin := strings.TrimPrefix(url, "http://"), strings.TrimPrefix(adminURL, "http://")
	return strings.NewReplacer(defaults.Listen, own, defaults.AdminListen, admin),
		strings.NewReplacer(own, defaults.Listen, admin, defaults.AdminListen)
}

// builtProgram compiles the program once for all pages and returns the folder that it is in.
var builtProgram = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "tidemark-docs-")
	if err != nil {
		return "", err
	}
	builtFolder.Store(&folder)
	output, err := exec.Command("go", "build", "-o", filepath.Join(folder, "tidemark"), "../cmd/tidemark").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, output)
	}
	return folder, nil
})

var builtFolder atomic.Pointer[string]

func programFolder(t *testing.T) string {
	t.Helper()
	folder, err := builtProgram()
	require.NoError(t, err)
	return folder
}

// removeProgram cleans up after all tests.
func removeProgram() {
	if folder := builtFolder.Load(); folder != nil {
		_ = os.RemoveAll(*folder)
	}
}
