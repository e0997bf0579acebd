package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// ships runs a program that was installed on the machine, until a query on the server has the answer.
func ships(t *testing.T, c *client.Client, query, want string, command ...string) {
	t.Helper()
	shipper := exec.CommandContext(t.Context(), command[0], command[1:]...)
	shipper.Dir = t.TempDir()
	log, err := os.Create(filepath.Join(shipper.Dir, "said"))
	require.NoError(t, err)
	shipper.Stdout, shipper.Stderr = log, log
	require.NoError(t, shipper.Start())
	t.Cleanup(func() {
		_ = shipper.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = shipper.Wait()                          // with a status of its own
		require.NoError(t, log.Close())
	})
	got := ""
	shipped := func() bool {
		rows, err := c.Query(t.Context(), query, client.QueryOptions{})
		if got = fmt.Sprint(err); err == nil {
			got = fmt.Sprint(rows.Rows)
		}
		return got == want
	}
	require.Eventually(t, shipped, time.Minute, 50*time.Millisecond, "%s", lazily(func() string {
		said, _ := os.ReadFile(log.Name())
		return fmt.Sprintf("%s instead of %s; %s says: %s", got, want, command[0], said)
	}))
}

// lazily is a text that is made when it is shown.
type lazily func() string

func (l lazily) String() string { return l() }

// installed finds a program of the machine, or skips the test.
func installed(t *testing.T, name string) string {
	t.Helper()
	for _, folder := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if path := filepath.Join(folder, name); exec.Command("test", "-x", path).Run() == nil {
			return path
		}
	}
	t.Skip(name + " is not installed")
	return ""
}

// put writes a file of the test's own, and gives its path.
func put(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

const shippedLines = "first \"quoted\" \\ line\nsecond\n"

// TestSyslogNG follows a file with the page's destination.
func TestSyslogNG(t *testing.T) {
	t.Parallel()
	program := installed(t, "syslog-ng")
	server := startServer(t)
	shown, _ := addresses(server.URL(), server.AdminURL())
	file, state := put(t, "log", shippedLines), t.TempDir()
	configuration := put(t, "syslog-ng.conf", "@version: 3.38\n"+shown.Replace(shownUnder(t, "syslog-ng", "text")[0])+
		fmt.Sprintf("\nsource s { file(%q flags(no-parse) read-old-records(yes)); };\nlog { source(s); destination(d_tidemark); };\n", file))
	ships(t, connect(t, server), `SELECT count(*), min("MESSAGE"), min(ts) > now() - INTERVAL '1 hour' FROM syslog`, `[[2 first "quoted" \ line true]]`, program, "-F",
		"-f", configuration, "-R", filepath.Join(state, "persist"), "-c", filepath.Join(state, "control"), "-p", filepath.Join(state, "pid"), "--no-caps")
}

// TestRsyslog follows a file with the page's output.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	program := installed(t, "rsyslogd")
	server := startServer(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL(), "http://"), ":")
	file, state := put(t, "log", shippedLines), t.TempDir()
	output := strings.Replace(shownUnder(t, "rsyslog", "text")[0], "7373", port, 1)
	configuration := put(t, "rsyslog.conf", fmt.Sprintf("global(workDirectory=%q)\nmodule(load=\"imfile\" PollingInterval=\"1\")\n", state)+output+
		fmt.Sprintf("\ninput(type=\"imfile\" File=%q Tag=\"app:\")\n", file))
	ships(t, connect(t, server), `SELECT count(*), min(message), min(tag), min("@timestamp") > now() - INTERVAL '1 hour' FROM syslog`,
		`[[2 first "quoted" \ line app: true]]`, program, "-n", "-f", configuration, "-i", filepath.Join(state, "pid"))
}

// TestCollectd sends what the machine's load is with the page's plugin.
func TestCollectd(t *testing.T) {
	t.Parallel()
	program := installed(t, "collectd")
	server := startServer(t)
	shown, _ := addresses(server.URL(), server.AdminURL())
	configuration := put(t, "collectd.conf", fmt.Sprintf("Hostname \"box\"\nBaseDir %q\nPIDFile %q\nInterval 1\nLoadPlugin load\n", t.TempDir(),
		filepath.Join(t.TempDir(), "pid"))+shown.Replace(shownUnder(t, "collectd", "text")[0])+"\n")
	ships(t, connect(t, server), `SELECT count(*) > 0, min(host), min(plugin), min(dsnames->>0), min(time) > now() - INTERVAL '1 hour' FROM collectd`,
		"[[true box load shortterm true]]", program, "-f", "-C", configuration)
}
