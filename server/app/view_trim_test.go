package app

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

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
	a := newApp(c, slog.New(slog.NewTextHandler(io.Writer(log), nil)), time.Now)
	a.viewLimits = views.Limits{SealRows: 20, CheckpointFrames: 7, ChangelogBytes: 1, HeldBytes: 40_000}
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
	files := func() int { return len(changelogFiles(t, fs, "views/below.1")) }
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

// changelogFiles are the sizes of the files of a changelog.
func changelogFiles(t *testing.T, fs vfs.FS, dir string) (sizes []int64) {
	t.Helper()
	names, err := fs.ReadDir(dir)
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, ".log") {
			info, err := fs.Stat(dir + "/" + name)
			require.NoError(t, err)
			sizes = append(sizes, info.Size())
		}
	}
	return sizes
}

// TestChangelogIsTrimmedBehindAReaderThatSeldomChanges has a view that takes every change of another and shows none: it would write no checkpoint
// by itself, and all changes would be kept for it.
func TestChangelogIsTrimmedBehindAReaderThatSeldomChanges(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	d := trimming(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("CREATE MATERIALIZED VIEW below WITH (memory = '1MB') AS SELECT n % 5 AS k, sum(n) AS total FROM clicks GROUP BY 1")
	d.must("CREATE MATERIALIZED VIEW above AS SELECT k FROM below WHERE k > 10")
	for n := range 300 {
		d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", n))
		d.must("SELECT * FROM above")
		require.Less(t, len(changelogFiles(t, fs, "views/below.1")), 20)
	}
	require.NoError(t, d.closeStore())
}

// awaitState blocks until a view is in a state, or is so no more.
func awaitState(v *views.View, state views.State, is bool) {
	for changed := v.Changed(); (v.Status().State == state) != is; changed = v.Changed() {
		<-changed
	}
}

// TestChangelogIsKeptForAPausedViewUpToABound lets a view pause for want of memory while the one that it reads goes on. The changes are kept for it, as
// SHOW VIEWS says, up to a bound; with more memory it then is built anew, and holds what its query gives.
func TestChangelogIsKeptForAPausedViewUpToABound(t *testing.T) {
	t.Parallel()
	for name, inserts := range map[string]int{"within": 20, "beyond": 400} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := vfs.NewMem()
			d := trimming(t, fs)
			d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
			d.must("CREATE MATERIALIZED VIEW below AS SELECT n, n + 1 AS more FROM clicks")
			d.must("CREATE MATERIALIZED VIEW above WITH (memory = '30KB') AS SELECT n, count(*) AS c FROM below GROUP BY n")
			d.must("INSERT INTO clicks SELECT '2026-01-01', i FROM generate_series(1, 4000) AS g(i)")
			v, ok := d.views.View("above")
			require.True(t, ok)
			awaitState(v, views.Paused, true)
			for n := range inserts {
				d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", n))
				d.must("SELECT count(*) FROM below")
			}
			kept := int64(0)
			for _, size := range changelogFiles(t, fs, "views/below.1") {
				kept += size
			}
			// All changes have some 180,000 bytes within the bound, 165,000 of them the first one's, and 540,000 beyond it. What is let go of waits for a
			// checkpoint, which waits for frames of half the size of the last one.
			require.Less(t, kept, int64(200_000))
			status := v.Status()
			require.Contains(t, status.Detail, "bytes of changes of below are kept for it; where they come to more than 40000 it will be built anew")
			require.Positive(t, status.HeldBytes)
			require.InDelta(t, status.HeldBytes, d.views.HeldForStopped(), 100) // a frame without rows may have come between
			if name == "beyond" {                                               // the newest changes are in memory as well
				require.NoError(t, d.closeStore())
				d = trimming(t, fs)
				v, ok = d.views.View("above")
				require.True(t, ok)
				awaitState(v, views.Paused, true)
			}
			d.must("ALTER MATERIALIZED VIEW above SET (memory = '8MB')")
			if awaitState(v, views.Paused, false); name == "beyond" {
				<-v.Gone()
			}
			require.Equal(t, 4000+inserts, d.number("SELECT sum(c) FROM above", true))
			require.Equal(t, name == "beyond", d.log.lineWith("built anew") != "")
			require.Zero(t, d.views.HeldForStopped())
			require.NoError(t, d.closeStore())
		})
	}
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
