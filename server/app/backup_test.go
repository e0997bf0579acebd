package app

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/backup"
	"github.com/tidemarkdb/tidemark/server/doctor"
	"github.com/tidemarkdb/tidemark/server/views"
)

// copyPinned copies what a server has pinned to a disk in memory.
func copyPinned(t *testing.T, from *backup.Keeper, p *backup.Pinned) *vfs.Mem {
	t.Helper()
	out := vfs.NewMem()
	for _, f := range p.Files {
		file, err := from.Open(p.ID, f.Name)
		require.NoError(t, err)
		body, err := io.ReadAll(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.Len(t, body, int(f.Bytes), f.Name)
		require.NoError(t, out.MkdirAll(path.Dir(f.Name)))
		to, err := out.Create(f.Name)
		require.NoError(t, err)
		_, err = to.Write(body)
		require.NoError(t, err)
		require.NoError(t, to.Close())
	}
	return out
}

// busy is a server that takes rows, seals, merges and follows with views, until it is stopped.
type busy struct {
	*disk
	mu    sync.Mutex
	acked int // rows of trades
	stop  context.CancelFunc
	done  sync.WaitGroup
}

func (b *busy) rows() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acked
}

// work sends rows and seals until the server is stopped. Merging is asked for, as four small segments are one soon.
func (b *busy) work(ctx context.Context, seed uint64, first int) {
	rnd := rand.New(rand.NewPCG(seed, 3))
	for step := first; ctx.Err() == nil; step++ {
		at := step % 1400
		if _, err := b.run(fmt.Sprintf("INSERT INTO trades (ts, sym, qty) VALUES (TIMESTAMPTZ '2026-01-01T%02d:%02d:%02dZ', '%c', %d)",
			at/60, at%60, rnd.IntN(60), 'a'+rnd.IntN(3), rnd.IntN(100)), false); err != nil {
			return // it is being stopped
		}
		b.mu.Lock()
		b.acked++
		b.mu.Unlock()
		if step%9 == 8 {
			if stream, err := b.ingest.Stream("trades"); err == nil {
				_, _ = stream.Seal(ctx)
			}
			b.compact.Look(ctx)
		}
	}
}

func (b *busy) begin(seed uint64) {
	ctx, stop := context.WithCancel(b.t.Context())
	b.stop = stop
	first := b.rows()
	b.done.Go(func() { b.work(ctx, seed, first) })
}

func (b *busy) end() {
	b.stop()
	b.done.Wait()
	require.NoError(b.t, b.closeStore())
}

// TestBackupOfABusyServer takes backups of a server while rows come, are sealed and merged, and views follow and write checkpoints, and
// cuts its power now and then. Every backup opens without damage, has every row that was acknowledged before it began, and views that hold what their
// queries answer.
func TestBackupOfABusyServer(t *testing.T) {
	t.Parallel()
	rounds, seed := 12, uint64(5)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		rounds, seed = 1000, uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	require.NoError(t, d.makeViews())
	b := &busy{disk: d}
	b.begin(seed)
	for round := range rounds {
		for enough := b.rows() + 1 + rnd.IntN(30); b.rows() < enough; {
			b.must("SELECT count(*) FROM trades") // time passes
		}
		acked := b.rows()
		pinned, err := b.backups.Begin(t.Context())
		require.NoError(t, err)
		for range rnd.IntN(20) {
			b.must("SELECT count(*) FROM by_minute") // what is pinned is not needed by the server any more when it is copied
		}
		restored := copyPinned(t, b.backups, pinned)
		checkBackup(t, restored, acked, fmt.Sprintf("round %d", round))
		if round%2 == 0 {
			require.NoError(t, b.backups.End(pinned.ID))
		}
		if round%4 != 3 {
			continue
		}
		left := mem.CrashTorn(rnd)
		b.end()
		mem = left
		b.disk = onDisk(t, mem)
		_, err = mem.Stat(backup.Dir)
		require.ErrorIs(t, err, os.ErrNotExist, "what a crash left of a backup")
		b.check("after the crash")
		b.mu.Lock()
		b.acked = rowsIn(t, b.disk)
		b.mu.Unlock()
		b.begin(seed)
	}
	b.end()
}

func checkBackup(t *testing.T, fs *vfs.Mem, acked int, where string) {
	t.Helper()
	report, err := doctor.Verify(t.Context(), fs)
	require.NoError(t, err)
	require.False(t, report.Damaged(), "%s: %v", where, report.Findings)
	d := onDisk(t, fs)
	require.GreaterOrEqual(t, rowsIn(t, d), acked, where)
	require.Equal(t, `["0"]`, d.must("SELECT max(_offset) + 1 - count(*) FROM trades WHERE _offset >= 0"), where)
	d.check(where)
	d.requireQuiet(where)
	require.NoError(t, d.insert(rand.New(rand.NewPCG(1, 1)), 1430))
	d.check(where + ", and after more rows")
	require.NoError(t, d.closeStore())
}

// meddled is a file system that lets something happen before every look.
type meddled struct {
	vfs.FS
	before func()
}

func (m meddled) ReadDir(name string) ([]string, error) {
	m.before()
	return m.FS.ReadDir(name)
}

// TestPinnedFilesFitTogether lets rows come, views follow them and write checkpoints, and superfluous files go, between any two looks at the data
// directory that pinning it takes.
func TestPinnedFilesFitTogether(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	log := &lockedBuffer{}
	a := diskApp(log)
	a.viewLimits = views.Limits{SealRows: 1 << 20, CheckpointFrames: 2} // whoever seals would wait for the journal, which is held
	require.NoError(t, a.open(mem))
	d := &disk{App: a, t: t, log: log}
	require.NoError(t, d.makeViews())
	rnd, minute := rand.New(rand.NewPCG(3, 3)), 0
	looks, done := 0, false
	progress := func() {
		if done {
			return
		}
		looks++
		minute++
		require.NoError(t, d.insert(rnd, minute))
		for name := range watched {
			d.must("SELECT count(*) FROM " + name)
		}
	}
	for range 10 {
		progress()
	}
	d.seal("trades")
	source := backup.Source{
		FS: meddled{mem, progress}, Hold: a.journal.Hold, Segments: a.liveSegments, Views: a.viewsBeforeInputs, Writing: a.ingest.Writing,
		Now: time.Now,
	}
	keeper, err := backup.NewKeeper(source)
	require.NoError(t, err)
	looks = 0
	acked := rowsIn(t, d)
	pinned, err := keeper.Begin(t.Context())
	require.NoError(t, err)
	require.Greater(t, looks, 10)
	progress()
	done = true
	restored := copyPinned(t, keeper, pinned)
	require.NoError(t, keeper.Close())
	require.NoError(t, a.closeStore())
	checkBackup(t, restored, acked, "pinned")
}

func rowsIn(t *testing.T, d *disk) (count int) {
	t.Helper()
	_, err := fmt.Sscan(d.must("SELECT count(*) FROM trades")[2:], &count)
	require.NoError(t, err)
	return count
}
