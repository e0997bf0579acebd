package logictest_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/internal/racing"
	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/logictest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recordings is a folder of large files beside the project; where it is absent, only those in testdata are run.
const recordings = "../../../shared/data/sqllogictest"

// connect starts a server of its own for a file.
func connect(t *testing.T) *client.Client {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := app.Start(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	out, err := client.New(server.URL())
	require.NoError(t, err)
	t.Cleanup(out.Close)
	return out
}

func runFile(t *testing.T, path string) *logictest.Report {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var text io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		text, err = gzip.NewReader(file)
		require.NoError(t, err)
	}
	report, err := logictest.Run(t.Context(), connect(t), text)
	require.NoError(t, err)
	t.Log(report)
	return report
}

// TestFiles holds the project's own files: everything in them passes.
func TestFiles(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.test")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			report := runFile(t, path)
			for _, f := range report.Failures {
				t.Error(f)
			}
			require.NotZero(t, report.Passed)
		})
	}
}

// TestRecordedFiles runs files that were written for other engines. They pass whole; under the race detector the shorter ones are run.
func TestRecordedFiles(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(recordings, "*.test.gz"))
	require.NoError(t, err)
	if len(paths) == 0 {
		t.Skipf("%s is absent", recordings)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if racing.Less() && !slices.Contains([]string{"select1.test.gz", "select2.test.gz", "random-groupby-slt_good_1.test.gz"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := runFile(t, path)
			shown := map[string]int{}
			for _, f := range report.Failures {
				if shown[f.Reason]++; shown[f.Reason] <= 5 {
					t.Log(f)
				}
			}
			require.Empty(t, report.Failed)
			require.NotZero(t, report.Passed)
		})
	}
}
