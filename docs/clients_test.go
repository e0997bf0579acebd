package docs_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otellog "go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/tidemarkdb/tidemark/server/client"
)

// program finds a program of others that make clients has built, or skips the test.
func program(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(os.Getenv("TIDEMARK_CLIENTS"), pattern))
	require.NoError(t, err)
	if os.Getenv("TIDEMARK_CLIENTS") == "" || len(found) == 0 {
		t.Skip("make test builds this program and runs it; make clients says why it could not be built")
	}
	return found[len(found)-1]
}

// shownUnder gives the fenced blocks of a kind under a heading of docs/clients.md.
func shownUnder(t *testing.T, heading, fence string) []string {
	t.Helper()
	var found []string
	under := ""
	for _, b := range readPage(t, "clients.md").blocks {
		for _, line := range b.lines {
			if title, ok := strings.CutPrefix(line, "## "); ok && !b.fenced {
				under = title
			}
		}
		if b.fence == fence && under == heading {
			found = append(found, b.text())
		}
	}
	require.NotEmpty(t, found)
	return found
}

// TestTelegraf sends a file by a real Telegraf with each of the outputs that the page configures.
func TestTelegraf(t *testing.T) {
	t.Parallel()
	telegraf := program(t, "telegraf-v*")
	for _, output := range shownUnder(t, "Telegraf", "toml") {
		server := startServer(t)
		shown, _ := addresses(server.URL(), server.AdminURL())
		folder := t.TempDir()
		var lines strings.Builder
		for i := range 2500 {
			fmt.Fprintf(&lines, "net\\ io,host=a\\ b,if=eth%d sent=%di,rate=0.5,up=true,note=\"a \\\"b\\\" \\\\ c\" %d\n", i%3, i, 1772355600000000000+int64(i)*1e6)
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, "lines"), []byte(lines.String()), 0o600))
		path := filepath.Join(folder, "telegraf.conf")
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "[agent]\n  omit_hostname = true\n  precision = \"1ms\"\n"+
			"[[inputs.file]]\n  files = [%q]\n  data_format = \"influx\"\n%s\n",
			filepath.Join(folder, "lines"), shown.Replace(output)), 0o600))
		said, err := exec.CommandContext(t.Context(), telegraf, "--config", path, "--once").CombinedOutput()
		require.NoError(t, err, "%s\n%s", output, said)
		require.NotContains(t, string(said), " E! ", output)
		stored := "net_io"
		if strings.Contains(output, "/v1/streams/telemetry/events") {
			stored = "telemetry WHERE measurement = 'net io'"
		}
		rows, err := connect(t, server).Query(t.Context(), `SELECT count(*), sum(sent), sum(rate), count(*) FILTER (WHERE up), min(time), max(time), min("if"),
			min(host), min(note) FROM `+stored, client.QueryOptions{})
		require.NoError(t, err, "%s\n%s", output, said)
		require.Equal(t, `[[2500 3123750 1250 2500 2026-03-01T09:00:00.000000Z 2026-03-01T09:00:02.499000Z eth0 a b a "b" \ c]]`, fmt.Sprint(rows.Rows))
	}
}

// TestOpenTelemetryCollector sends logs and metrics through a real collector with the page's configuration.
func TestOpenTelemetryCollector(t *testing.T) {
	t.Parallel()
	binary := program(t, "collector")
	server := startServer(t)
	shown, _ := addresses(server.URL(), server.AdminURL())
	listen, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listen.Addr().String()
	require.NoError(t, listen.Close())
	path := filepath.Join(t.TempDir(), "collector.yaml")
	configuration := strings.ReplaceAll(shown.Replace(shownUnder(t, "OpenTelemetry Collector", "yaml")[0]), "127.0.0.1:4318", address)
	require.Contains(t, configuration, address)
	require.NoError(t, os.WriteFile(path, []byte(configuration+"\n  telemetry:\n    metrics:\n      level: none\n"), 0o600))

	collector := exec.CommandContext(t.Context(), binary, "--config", "file:"+path)
	said, err := collector.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, collector.Start())
	lines := bufio.NewScanner(said)
	for ready := false; !ready; ready = strings.Contains(lines.Text(), "Everything is ready") {
		require.True(t, lines.Scan(), "the collector ended: %v", lines.Err())
		t.Log(lines.Text())
	}
	exportThrough(t, address)
	require.NoError(t, collector.Process.Signal(syscall.SIGTERM)) // it sends what it holds before it ends
	for lines.Scan() {
		require.NotContains(t, lines.Text(), "\terror\t")
	}
	require.NoError(t, collector.Wait())

	c := connect(t, server)
	rows, err := c.Query(t.Context(), "SELECT count(*), count(DISTINCT attributes->>'n'), min(time), min(body), min(severity_number), "+
		"min(scope_name) FROM otel_logs", client.QueryOptions{})
	require.NoError(t, err)
	require.Equal(t, `[[2000 2000 2026-03-01T09:00:00.123456Z stock is "low" 13 inventory]]`, fmt.Sprint(rows.Rows))
	rows, err = c.Query(t.Context(), "SELECT name, kind, int_value, monotonic FROM otel_metrics", client.QueryOptions{})
	require.NoError(t, err)
	require.Equal(t, "[[orders sum 5 true]]", fmt.Sprint(rows.Rows))
}

// exportThrough sends 2,000 logs and a metric to a collector.
func exportThrough(t *testing.T, address string) {
	t.Helper()
	logs, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpoint(address), otlploghttp.WithInsecure())
	require.NoError(t, err)
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(logs, sdklog.WithMaxQueueSize(4096))))
	logger := provider.Logger("inventory")
	for n := range 2000 {
		var record otellog.Record
		record.SetTimestamp(time.UnixMicro(1772355600123456))
		record.SetSeverity(otellog.SeverityWarn)
		record.SetBody(attribute.StringValue(`stock is "low"`))
		record.AddAttributes(attribute.Int("n", n))
		logger.Emit(t.Context(), record)
	}
	require.NoError(t, provider.Shutdown(t.Context()))
	metrics, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpoint(address), otlpmetrichttp.WithInsecure())
	require.NoError(t, err)
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics, sdkmetric.WithInterval(time.Hour))))
	orders, err := meters.Meter("shop").Int64Counter("orders")
	require.NoError(t, err)
	orders.Add(t.Context(), 5)
	require.NoError(t, meters.Shutdown(t.Context()))
}
