package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// shipper is a log shipper of others: one that make clients has unpacked below a folder, or one that is installed on the machine.
type shipper struct {
	program string
	// root is the folder that it was unpacked below, as if that were the root of a system; "" for one that is installed.
	root string
}

// findShipper finds a shipper by the name of its program, or skips the test. Unpacked ones are in folders of their packages' names.
func findShipper(t *testing.T, unpacked, program string) shipper {
	t.Helper()
	if clients := os.Getenv("TIDEMARK_CLIENTS"); clients != "" {
		root := filepath.Join(clients, "shippers", unpacked)
		if path := filepath.Join(root, "usr", "sbin", program); executable(path) {
			return shipper{path, root}
		}
	}
	for _, folder := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if path := filepath.Join(folder, program); executable(path) {
			return shipper{program: path}
		}
	}
	t.Skip(program + " is not installed; make clients unpacks it where there is apt-get, or says why it could not")
	return shipper{}
}

func executable(path string) bool { return exec.Command("test", "-x", path).Run() == nil }

// under finds what matches the pattern below the root of a shipper that was unpacked. For one that is installed there is nothing to find.
func (s shipper) under(t *testing.T, pattern string) []string {
	t.Helper()
	if s.root == "" {
		return nil
	}
	found, err := filepath.Glob(filepath.Join(s.root, pattern))
	require.NoError(t, err)
	return found
}

// option is an argument that tells an unpacked shipper where it has its modules, which it would look for in the system's folders.
func (s shipper) option(t *testing.T, flag, pattern string) []string {
	t.Helper()
	if s.root == "" {
		return nil
	}
	return []string{flag + strings.Join(s.under(t, pattern), ":")}
}

// ships runs it until a query on the server has the answer.
func (s shipper) ships(t *testing.T, c *client.Client, query, want string, arguments ...string) {
	t.Helper()
	shipper := exec.CommandContext(t.Context(), s.program, arguments...)
	shipper.Dir = t.TempDir()
	if s.root != "" {
		libraries := slices.Concat(s.under(t, "usr/lib/*-linux-*"), s.under(t, "lib/*-linux-*"), s.under(t, "usr/lib/syslog-ng"))
		shipper.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	}
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
		return fmt.Sprintf("%s instead of %s; %s says: %s", got, want, s.program, said)
	}))
}

// lazily is a text that is made when it is shown.
type lazily func() string

func (l lazily) String() string { return l() }

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
	program := findShipper(t, "syslog-ng", "syslog-ng")
	server := startServer(t)
	shown, _ := addresses(server.URL(), server.AdminURL())
	file, state := put(t, "log", shippedLines), t.TempDir()
	configuration := put(t, "syslog-ng.conf", "@version: 3.38\n"+shown.Replace(shownUnder(t, "syslog-ng", "text")[0])+
		fmt.Sprintf("\nsource s { file(%q flags(no-parse) read-old-records(yes)); };\nlog { source(s); destination(d_tidemark); };\n", file))
	program.ships(t, connect(t, server), `SELECT count(*), min("MESSAGE"), min(ts) > now() - INTERVAL '1 hour' FROM syslog`,
		`[[2 first "quoted" \ line true]]`, append(program.option(t, "--module-path=", "usr/lib/syslog-ng/[0-9]*"), "-F", "-f", configuration,
			"-R", filepath.Join(state, "persist"), "-c", filepath.Join(state, "control"), "-p", filepath.Join(state, "pid"), "--no-caps")...)
}

// TestRsyslog follows a file with the page's output.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	program := findShipper(t, "rsyslog", "rsyslogd")
	server := startServer(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL(), "http://"), ":")
	file, state := put(t, "log", shippedLines), t.TempDir()
	output := strings.Replace(shownUnder(t, "rsyslog", "text")[0], "7373", port, 1)
	configuration := put(t, "rsyslog.conf", fmt.Sprintf("global(workDirectory=%q)\nmodule(load=\"imfile\" PollingInterval=\"1\")\n", state)+output+
		fmt.Sprintf("\ninput(type=\"imfile\" File=%q Tag=\"app:\")\n", file))
	program.ships(t, connect(t, server), `SELECT count(*), min(message), min(tag), min("@timestamp") > now() - INTERVAL '1 hour' FROM syslog`,
		`[[2 first "quoted" \ line app: true]]`,
		append(program.option(t, "-M", "usr/lib/*-linux-*/rsyslog"), "-n", "-f", configuration, "-i", filepath.Join(state, "pid"))...)
}

// TestCollectd sends what the machine's load is with the page's plugin.
func TestCollectd(t *testing.T) {
	t.Parallel()
	program := findShipper(t, "collectd", "collectd")
	server := startServer(t)
	shown, _ := addresses(server.URL(), server.AdminURL())
	configuration := fmt.Sprintf("Hostname \"box\"\nBaseDir %q\nPIDFile %q\nInterval 1\n", t.TempDir(), filepath.Join(t.TempDir(), "pid"))
	for _, plugins := range program.under(t, "usr/lib/collectd") {
		configuration += fmt.Sprintf("PluginDir %q\nTypesDB %q\n", plugins, filepath.Join(program.root, "usr", "share", "collectd", "types.db"))
	}
	configuration += "LoadPlugin load\n" + shown.Replace(shownUnder(t, "collectd", "text")[0]) + "\n"
	program.ships(t, connect(t, server), `SELECT count(*) > 0, min(host), min(plugin), min(dsnames->>0), min(time) > now() - INTERVAL '1 hour' FROM collectd`,
		"[[true box load shortterm true]]", "-f", "-C", put(t, "collectd.conf", configuration))
}
