package docs_test

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		http.DefaultClient.CloseIdleConnections()
		removeProgram()
		os.Exit(status)
	}))
}

// startServer runs a server with an empty directory on free ports until the test ends.
func startServer(t testing.TB) *app.App {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := app.Start(t.Context(), c, "0.1.0", slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

func connect(t testing.TB, server *app.App) *client.Client {
	t.Helper()
	c, err := client.New(server.URL())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// varying are the parts of answers that differ from run to run, and what the pages show in their place.
var varying = []struct {
	pattern *regexp.Regexp
	shown   string
}{
	{regexp.MustCompile(`"stats":\{[^}]*\}`), `"stats":{...}`},
	{regexp.MustCompile(`"segment_bytes":[0-9]+`), `"segment_bytes":...`},
	{regexp.MustCompile(`"go":"[^"]*"`), `"go":"..."`},
	{regexp.MustCompile(`(?mi)^(X-Query-Id|Date): .*$`), `$1: ...`},
	{regexp.MustCompile(`(rows accepted, [0-9]+ rejected in ).*`), `$1...`},
}

// hide takes out of an answer what differs from run to run, and blanks at the ends of lines.
func hide(text string) string {
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.shown)
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// agrees reports whether an answer is the one on the page, where three dots stand for anything within a line.
func agrees(page, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(hide(page)), `\.\.\.`, ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(got)
}
