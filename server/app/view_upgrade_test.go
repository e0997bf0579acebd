package app

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// upgraded makes the checkpoints of a view those of a program with other operators, as a version of the server would have left them that
// planned the query differently.
func upgraded(t *testing.T, fs vfs.FS, dir string) (files int) {
	t.Helper()
	names, err := fs.ReadDir(dir)
	require.NoError(t, err)
	for _, name := range names {
		file := dir + "/" + name
		type frame struct {
			kind uint8
			body []byte
		}
		var frames []frame
		_, err := record.Scan(fs, file, record.Checkpoint, record.ScanOptions{Whole: true}, func(f record.Frame) error {
			frames = append(frames, frame{f.Kind, bytes.Clone(f.Body)})
			return nil
		})
		require.NoError(t, err)
		const kind, other = `"kind":"groups"`, `"kind":"heaps!"`
		require.Contains(t, string(frames[1].body), kind)
		frames[1].body = bytes.Replace(frames[1].body, []byte(kind), []byte(other), 1)
		require.NoError(t, record.WriteFile(fs, file, record.Checkpoint, func(w *record.Writer) error {
			for _, f := range frames {
				if err := w.Add(f.kind, func(dst []byte) []byte { return append(dst, f.body...) }); err != nil {
					return err
				}
			}
			return nil
		}))
		files++
	}
	return files
}

// TestViewIsBuiltAnewAfterAnUpgrade starts over checkpoints that belong to other operators than the query has now. The view is built anew from
// its streams, with a view that reads it, and holds what it did; nobody has to ask for it.
func TestViewIsBuiltAnewAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	d := onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("CREATE MATERIALIZED VIEW below WITH (memory = '1MB') AS SELECT n % 5 AS k, sum(n) AS total FROM clicks GROUP BY 1")
	d.must("CREATE MATERIALIZED VIEW above WITH (memory = '1MB') AS SELECT max(total) AS most, sum(total) AS total FROM below")
	insert := func(from, to int) {
		for n := from; n < to; n++ {
			d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", n))
		}
	}
	insert(0, 20)
	d.seal("clicks")
	insert(20, 30)
	require.Equal(t, 435, d.number("SELECT total FROM above", true))
	require.NoError(t, d.closeStore())
	require.Positive(t, upgraded(t, fs, "state/below.1"))
	d = onDisk(t, fs)
	insert(30, 40)
	rebuilt := func(name string) bool {
		v, ok := d.views.View(name)
		require.True(t, ok)
		changed := v.Changed()
		if v.Definition().Generation > 2 {
			return true
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			require.Fail(t, "the view is not built anew")
		}
		return false
	}
	for _, name := range []string{"below", "above"} {
		for !rebuilt(name) {
		}
	}
	require.Equal(t, 780, d.number("SELECT total FROM above", true))
	require.Equal(t, 5, d.number("SELECT count(*) FROM below", true))
	require.Contains(t, d.log.lineWith("built anew"), "view=below")
	insert(40, 41)
	require.Equal(t, 820, d.number("SELECT total FROM above", true))
	require.NoError(t, d.closeStore())
}

// TestViewGoesOnWhenItsReplacementFails fails the disk at the moment at which a view is to take the place of another, which has stopped for it:
// that one goes on, and is replaced once the disk is well.
func TestViewGoesOnWhenItsReplacementFails(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failed := make(chan struct{}, 100)
	fs := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, name string) error {
		if failing.Load() && op == vfs.OpCreate && strings.HasPrefix(name, "views/v.2/") {
			failed <- struct{}{}
			return fmt.Errorf("no luck with %s", name)
		}
		return nil
	})
	d := onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("CREATE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT sum(n) AS total FROM clicks")
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
	require.Equal(t, 1, d.number("SELECT total FROM v", true))
	failing.Store(true)
	_, err := d.run("CREATE OR REPLACE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT 10 * sum(n) AS total FROM clicks", false)
	require.Error(t, err)
	<-failed
	for n := 2; n < 10; n++ {
		d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", n))
		require.Equal(t, n*(n+1)/2, d.number("SELECT total FROM v", true), "the old view follows")
	}
	failing.Store(false)
	old, ok := d.views.View("v")
	require.True(t, ok)
	for old.Definition().Generation == 1 { // the new one tries again by itself
		if old, ok = d.views.View("v"); old.Definition().Generation == 1 {
			select {
			case <-old.Gone():
			case <-t.Context().Done():
				require.Fail(t, "the view was not replaced")
			}
		}
		require.True(t, ok)
	}
	require.Equal(t, 450, d.number("SELECT total FROM v", true))
	require.NoError(t, d.closeStore())
}

// TestViewThatIsReplacedAtItsEndDoesNotFail replaces a view that is to take the place of another at the moment at which it is ready to: the catalog
// knows of the next one first, and for a moment the one that is nothing any more still works. It has not failed, and nobody has to be told.
func TestViewThatIsReplacedAtItsEndDoesNotFail(t *testing.T) {
	t.Parallel()
	var replace atomic.Pointer[func()]
	fs := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, name string) error {
		if op == vfs.OpCreate && strings.HasPrefix(name, "views/v.2/") {
			if once := replace.Swap(nil); once != nil {
				(*once)()
			}
		}
		return nil
	})
	d := onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("CREATE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT sum(n) AS total FROM clicks")
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
	require.Equal(t, 1, d.number("SELECT total FROM v", true))
	first, ok := d.views.View("v")
	require.True(t, ok)
	replaced := func() {
		next, ok := d.catalog.NextView("v")
		assert.True(t, ok)
		_, err := d.catalog.CreateView(*next, true)
		assert.NoError(t, err)
	}
	replace.Store(&replaced)
	var wait sync.WaitGroup
	wait.Go(func() {
		_, _ = d.run("CREATE OR REPLACE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT 10 * sum(n) AS total FROM clicks", false)
	})
	<-first.Gone() // and goes on as another
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 2)")
	require.Equal(t, 3, d.number("SELECT total FROM v", true))
	require.NoError(t, d.closeStore())
	wait.Wait()
	require.Empty(t, d.log.lineWith("a view has stopped"))
}

// TestViewIsNotReadyBeforeItCanBeShown fails the disk where a view that is to take the place of another sends its late rows, which comes last before
// it shows: the other goes on, under its own definition, and is replaced after a restart on a disk that works.
func TestViewIsNotReadyBeforeItCanBeShown(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	mem := vfs.NewMem()
	failed := make(chan struct{}, 100)
	fs := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
		if failing.Load() && (op == vfs.OpWrite || op == vfs.OpSync) && strings.HasPrefix(name, "log/strays/") {
			select {
			case failed <- struct{}{}:
			default:
			}
			return fmt.Errorf("no luck with %s", name)
		}
		return nil
	})
	d := onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT, WATERMARK FOR ts AS ts)")
	d.must("CREATE STREAM strays (ts TIMESTAMPTZ) WITH (schema = 'evolve')")
	const windows = "CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT window_start, %s FROM TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1 minute')" +
		" GROUP BY window_start, window_end LATE DROP"
	d.must(fmt.Sprintf(windows, "count(*) AS n"))
	d.must("INSERT INTO clicks VALUES ('2026-01-01T00:10:00Z', 1), ('2026-01-01T00:10:01Z', 2), ('2026-01-01T00:00:00Z', 3)")
	require.Equal(t, 2, d.number("SELECT n FROM v", true))
	failing.Store(true)
	_, err := d.run(fmt.Sprintf(windows, "count(*) AS n, sum(n) AS total")+" ELSE INTO strays", false)
	require.Error(t, err)
	<-failed
	for n := 3; n < 6; n++ {
		d.must("INSERT INTO clicks VALUES ('2026-01-01T00:10:02Z', 1)")
		require.Equal(t, n, d.number("SELECT n FROM v", true), "the old view follows")
		definition, ok := d.catalog.View("v")
		require.True(t, ok)
		require.EqualValues(t, 1, definition.Generation, "and is the one that is defined")
		_, err = d.run("SELECT total FROM v", false)
		require.ErrorContains(t, err, `there is no column "total"`)
	}
	image := mem.Crash()
	_ = d.closeStore() // the log of strays has failed
	d = onDisk(t, image)
	old, ok := d.views.View("v")
	require.True(t, ok)
	if old.Definition().Generation == 1 {
		select {
		case <-old.Gone():
		case <-t.Context().Done():
			require.Fail(t, "the view was not replaced")
		}
	}
	require.Equal(t, 6, d.number("SELECT total FROM v", true))
	require.Equal(t, 1, d.number("SELECT count(*) FROM strays", true))
	require.NoError(t, d.closeStore())
}

// TestViewThatWouldLoseRowsStays starts over state of another version when events behind a view have expired: the view shows what it held, over
// restarts, with those that read it, until somebody lets it be built from what is left.
func TestViewThatWouldLoseRowsStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	anotherVersion := func(views ...string) {
		fs, err := vfs.NewReal(dir)
		require.NoError(t, err)
		defer func() { require.NoError(t, fs.Close()) }()
		for _, v := range views {
			require.Positive(t, upgraded(t, fs, "state/"+v))
		}
	}
	i := start(t, dir)
	i.query(createBeats)
	i.query("CREATE MATERIALIZED VIEW total WITH (memory = '1MB') AS SELECT count(*) AS c, sum(n) AS s FROM beats")
	i.query("CREATE MATERIALIZED VIEW twice WITH (memory = '1MB') AS SELECT 2 * s AS s FROM total")
	for n := range 2 {
		i.old("beats", 72*time.Hour, n+1)
		i.wait("SELECT * FROM twice")
		i = i.restart() // which leaves a checkpoint
	}
	i.wait("SELECT * FROM twice")
	require.Eventually(t, func() bool {
		i.compact.Look(t.Context())
		return i.retained("beats") == 0
	}, time.Minute, time.Millisecond)
	i.old("beats", time.Hour, 4)
	require.Equal(t, "[14]\n", i.wait("SELECT * FROM twice"))
	i.query("CREATE MATERIALIZED VIEW since WITH (memory = '1MB') AS SELECT sum(n) AS s FROM beats")
	require.Equal(t, "[4]\n", i.wait("SELECT * FROM since"))
	require.NoError(t, i.Close())
	anotherVersion("total.1", "since.3")

	for range 2 {
		i = start(t, dir)
		require.Equal(t, "[4]\n", i.wait("SELECT * FROM since"), "it began when they had expired, and is built anew")
		require.Equal(t, "[3,7]\n", i.readable("SELECT * FROM total"))
		require.Equal(t, "[14]\n", i.readable("SELECT * FROM twice"))
		status := ""
		i.await(func() bool {
			status = i.query("SELECT state, detail FROM system.views WHERE name = 'total'").text()
			return strings.Contains(status, "failed")
		})
		require.Contains(t, status, "keeps its state in another way, and events of beats that are in what it shows have expired, before offsets 0:2")
		require.Contains(t, status, "ALTER MATERIALIZED VIEW total RESUME builds it from the events that are left")
		require.Contains(t, i.problem("ALTER MATERIALIZED VIEW total RESUME SKIP"), "not stopped at one event")
		require.NoError(t, i.Close())
	}
	i = start(t, dir)
	require.Equal(t, "[3,7]\n", i.readable("SELECT * FROM total"))
	i.query("ALTER MATERIALIZED VIEW total RESUME")
	i.await(func() bool {
		return i.readable("SELECT * FROM total") == "[1,4]\n" && i.readable("SELECT * FROM twice") == "[8]\n"
	})
	i.old("beats", time.Hour, 8)
	require.Equal(t, "[24]\n", i.wait("SELECT * FROM twice"))
	i = i.restart()
	require.Equal(t, "[24]\n", i.wait("SELECT * FROM twice"))
	require.Equal(t, "[2,12]\n", i.wait("SELECT * FROM total"))
}
