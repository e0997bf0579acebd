package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// builtBinary compiles the program once for all tests that run it as a process of its own.
var builtBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tidemark-test-")
	if err != nil {
		return "", err
	}
	binaryDir.Store(&dir)
	path := filepath.Join(dir, "tidemark")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// binaryDir is where builtBinary has put the program, if it was asked for.
var binaryDir atomic.Pointer[string]

// removeBinary cleans up after all tests.
func removeBinary() {
	if dir := binaryDir.Load(); dir != nil {
		_ = os.RemoveAll(*dir)
	}
}

// daemon is a server in a process of its own.
type daemon struct {
	cmd        *exec.Cmd
	url, admin string
	log        *logTail
}

var servingLine = regexp.MustCompile(`msg=serving url=(\S+) admin=(\S+)`)

// startDaemon runs the binary on a data directory and returns when it serves.
func startDaemon(t *testing.T, data string, environ ...string) *daemon {
	t.Helper()
	return startDaemonOn(t, "127.0.0.1:0", data, environ...)
}

// startDaemonOn is startDaemon at an address.
func startDaemonOn(t *testing.T, listen, data string, environ ...string) *daemon {
	t.Helper()
	path, err := builtBinary()
	require.NoError(t, err)
	cmd := exec.Command(path, "serve", "--data", data, "--listen", listen, "--admin-listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), environ...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	d := &daemon{cmd: cmd, log: &logTail{}}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		d.log.add(lines.Text())
		if found := servingLine.FindStringSubmatch(lines.Text()); found != nil {
			d.url, d.admin = found[1], found[2]
			go d.log.follow(lines)
			return d
		}
	}
	_ = cmd.Wait()
	t.Fatalf("the server did not come up:\n%s", d.log)
	return nil
}

// kill ends the process as a power cut ends it: at once.
func (d *daemon) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, d.cmd.Process.Kill())
	_ = d.cmd.Wait() // it says that the process was killed
}

// stop asks the process to end and checks that it does so cleanly.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, d.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, d.cmd.Wait(), d.log)
}

// logTail keeps a process's log for when a test fails.
type logTail struct {
	mu    sync.Mutex
	lines []string
}

func (l *logTail) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logTail) follow(lines *bufio.Scanner) {
	for lines.Scan() {
		l.add(lines.Text())
	}
}

// String is the last of the log.
func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%q", l.lines[max(0, len(l.lines)-20):])
}
