package app

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// checkpoints lists the numbers of the frames that follow the checkpoints of a view's first generation.
func checkpoints(t *testing.T, fs vfs.FS, view string) []int {
	t.Helper()
	names, err := fs.ReadDir("state/" + view + ".1")
	require.NoError(t, err)
	var out []int
	for _, name := range names {
		if digits, ok := strings.CutSuffix(name, ".state"); ok {
			n, err := strconv.Atoi(digits)
			require.NoError(t, err)
			out = append(out, n)
		}
	}
	return out
}

const summed = "CREATE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT n % 5 AS k, sum(n) AS total FROM clicks GROUP BY 1"

// TestViewGoesOnWhileACheckpointIsWritten holds up the disk in the middle of a checkpoint: rows are acknowledged and seen all the same.
func TestViewGoesOnWhileACheckpointIsWritten(t *testing.T) {
	t.Parallel()
	mem, begun, free := vfs.NewMem(), make(chan struct{}), make(chan struct{})
	var once sync.Once
	var armed atomic.Bool
	fs := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
		if op == vfs.OpSync && armed.Load() && strings.HasPrefix(name, "state/v.1/") {
			once.Do(func() { close(begun) })
			<-free
		}
		return nil
	})
	d := onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must(summed)
	require.Len(t, checkpoints(t, mem, "v"), 1)
	armed.Store(true)
	insert := func(n int) {
		t.Helper()
		d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", n))
		require.Equal(t, n*(n+1)/2, d.number("SELECT sum(total) FROM v", true))
	}
	for n := range d.viewLimits.CheckpointFrames {
		insert(n + 1)
	}
	<-begun
	for n := range 5 * d.viewLimits.CheckpointFrames {
		insert(d.viewLimits.CheckpointFrames + n + 1)
	}
	require.Len(t, checkpoints(t, mem, "v"), 1, "the checkpoint is not written yet")
	close(free)
	require.NoError(t, d.closeStore())
	require.Len(t, checkpoints(t, mem, "v"), 2)
	d.requireQuiet("at the end")
	again := onDisk(t, mem)
	last := 6 * again.viewLimits.CheckpointFrames
	require.Equal(t, last*(last+1)/2, again.number("SELECT sum(total) FROM v", true))
	require.NoError(t, again.closeStore())
}

// TestCheckpointsAreWorthTheirBytes has a view of many keys of which few change: it is written again once the changes take half as much, also
// by a process that did not write the last checkpoint itself.
func TestCheckpointsAreWorthTheirBytes(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	var values []string
	for n := range 3000 {
		values = append(values, fmt.Sprintf("('2026-01-01', %d)", n))
	}
	d.must("INSERT INTO clicks VALUES " + strings.Join(values, ", "))
	d.must("CREATE MATERIALIZED VIEW v WITH (memory = '16MB') AS SELECT n, count(*) AS clicks FROM clicks GROUP BY n")
	inserted := 3000
	insert := func() {
		d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
		inserted++
		require.Equal(t, inserted, d.number("SELECT sum(clicks) FROM v", true))
	}
	size := func(name string) int64 {
		info, err := mem.Stat(name)
		require.NoError(t, err)
		return info.Size()
	}
	first := checkpoints(t, mem, "v")
	require.Len(t, first, 1)
	whole := size(fmt.Sprintf("state/v.1/%020d.state", first[0]))
	for range 3 * d.viewLimits.CheckpointFrames {
		insert()
	}
	require.Equal(t, first, checkpoints(t, mem, "v"), "so few changes are not worth %d bytes", whole)
	crashed := mem.Crash()
	require.NoError(t, d.closeStore())
	mem, d = crashed, onDisk(t, crashed)
	for range 3 * d.viewLimits.CheckpointFrames {
		insert()
	}
	require.Equal(t, first, checkpoints(t, mem, "v"), "nor after a start")
	for len(checkpoints(t, mem, "v")) == 1 {
		insert()
	}
	require.GreaterOrEqual(t, size(fmt.Sprintf("views/v.1/%020d.log", first[0])), whole/2)
	require.NoError(t, d.closeStore())
}

// TestRestartReadsWhatCameSinceTheCheckpoint cuts the power and counts the rows that the view reads again: one for each of its frames since
// the newest checkpoint that was complete, and no more.
func TestRestartReadsWhatCameSinceTheCheckpoint(t *testing.T) {
	t.Parallel()
	mem, complete := vfs.NewMem(), make(chan struct{})
	var once sync.Once
	fs := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
		// The oldest checkpoint goes when the third is complete.
		if op == vfs.OpRemove && path.Dir(name) == "state/v.1" && !strings.HasSuffix(name, ".tmp") {
			once.Do(func() { close(complete) })
		}
		return nil
	})
	d := onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must(summed)
	rows := 0
	insert := func() {
		rows++
		d.must(fmt.Sprintf("INSERT INTO clicks VALUES ('2026-01-01', %d)", rows))
		require.Equal(t, rows*(rows+1)/2, d.number("SELECT sum(total) FROM v", true))
	}
	for done := false; !done; {
		insert()
		select {
		case <-complete:
			done = true
		default:
		}
	}
	for range 3 {
		insert()
	}
	crashed := mem.Crash()
	require.NoError(t, d.closeStore())
	found := checkpoints(t, crashed, "v")
	covered := found[len(found)-1] - 1
	require.GreaterOrEqual(t, covered, 2*d.viewLimits.CheckpointFrames)
	again := onDisk(t, crashed)
	require.Equal(t, rows*(rows+1)/2, again.number("SELECT sum(total) FROM v", true))
	view, ok := again.views.View("v")
	require.True(t, ok)
	require.Equal(t, int64(rows-covered), view.Status().Replayed)
	require.NoError(t, again.closeStore())
}
