package app

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/views"
)

// trimming is onDisk where nothing of a changelog is kept beyond what a restart needs.
func trimming(t *testing.T, fs vfs.FS) *disk {
	t.Helper()
	c := config.Default()
	c.SealAge = 1 << 40
	log := &lockedBuffer{}
	a := newApp(c, slog.New(slog.NewTextHandler(io.Writer(log), nil)))
	a.viewLimits = views.Limits{SealRows: 20, CheckpointFrames: 7, ChangelogBytes: 1}
	require.NoError(t, a.open(fs))
	return &disk{App: a, t: t, log: log}
}

// TestChangelogIsTrimmedBehindItsReaders lets a view and one that reads it go on for long: of the changelog of the first there is never much
// more than the other would read after a restart, and never less, also where the other's newest checkpoint is damaged.
func TestChangelogIsTrimmedBehindItsReaders(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	d := trimming(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("CREATE MATERIALIZED VIEW below WITH (memory = '1MB') AS SELECT n % 5 AS k, sum(n) AS total FROM clicks GROUP BY 1")
	d.must("CREATE MATERIALIZED VIEW above WITH (memory = '1MB') AS SELECT sum(total) AS total FROM below")
	rows := 0
	insert := func(count int) {
		t.Helper()
		for range count {
			rows++
			d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", rows))
			require.Equal(t, rows*(rows+1)/2, d.number("SELECT total FROM above", true))
		}
	}
	files := func() (out int) {
		names, err := fs.ReadDir("views/below.1")
		require.NoError(t, err)
		for _, name := range names {
			if strings.HasSuffix(name, ".log") {
				out++
			}
		}
		return out
	}
	for range 4 {
		insert(100)
		require.Less(t, files(), 20, "a file holds the frames of at least one checkpoint")
		d.requireQuiet("before the restart")
		require.NoError(t, d.closeStore())
		d = trimming(t, fs)
	}
	insert(10)
	crashed := fs.Crash()
	require.NoError(t, d.closeStore())
	last := newestState(t, crashed, "state/above.2/")
	file, err := crashed.OpenAppend(last)
	require.NoError(t, err)
	require.NoError(t, file.Truncate(100))
	require.NoError(t, file.Sync())
	require.NoError(t, file.Close())
	d = trimming(t, crashed)
	insert(10)
	require.Contains(t, d.log.lineWith("the one before is tried"), last)
	require.Empty(t, d.log.lineWith("built anew"))
	require.NoError(t, d.closeStore())
}

func newestState(t *testing.T, fs vfs.FS, dir string) string {
	t.Helper()
	names, err := fs.ReadDir(strings.TrimSuffix(dir, "/"))
	require.NoError(t, err)
	newest := ""
	for _, name := range names {
		if strings.HasSuffix(name, ".state") {
			newest = max(newest, name)
		}
	}
	require.NotEmpty(t, newest)
	return dir + newest
}
