package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/backup"
	"github.com/tidemarkdb/tidemark/server/views"
)

type offsetOf struct {
	partition event.Partition
	offset    event.Offset
}

// placesOf gives where the rows of trades are.
func placesOf(t *testing.T, d *disk) map[offsetOf]bool {
	t.Helper()
	out := map[offsetOf]bool{}
	for line := range strings.Lines(d.must("SELECT _partition, _offset FROM trades")) {
		var values []string
		require.NoError(t, json.Unmarshal([]byte(line), &values))
		p, err := strconv.ParseInt(values[0], 10, 32)
		require.NoError(t, err)
		o, err := strconv.ParseInt(values[1], 10, 64)
		require.NoError(t, err)
		at := offsetOf{event.Partition(p), event.Offset(o)}
		require.False(t, out[at], "%v twice", at)
		out[at] = true
	}
	return out
}

// markersOf gives where the idle markers of trades are, by what its logs say, of which nothing was removed.
func markersOf(t *testing.T, fs vfs.FS, partitions int) map[offsetOf]bool {
	t.Helper()
	out := map[offsetOf]bool{}
	for p := range partitions {
		_, err := eventlog.Check(fs, path.Join("log/trades", strconv.Itoa(p)), func(e *eventlog.Entry) {
			if e.Idle != nil {
				out[offsetOf{event.Partition(p), e.First}] = true
			}
		})
		require.NoError(t, err)
	}
	return out
}

// requireDense makes sure that each offset below the last row of its partition is a row's or a marker's, and gives how many are a marker's.
func requireDense(t *testing.T, rows, markers map[offsetOf]bool, where string) (holes int) {
	t.Helper()
	for last := range rows {
		for at := last; at.offset >= 0; at.offset-- {
			require.NotEqual(t, rows[at], markers[at], "%s: %v", where, at)
			if markers[at] {
				holes++
			}
		}
	}
	return holes
}

// TestBackupAmongIdleMarkers takes backups while partitions fall silent and come back, time passing between any two looks at the data directory.
// What is restored has every row that was acknowledged before, and offsets without a hole but those of the idle markers in its logs.
func TestBackupAmongIdleMarkers(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const partitions = 2
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		mem := vfs.NewMem()
		log := &lockedBuffer{}
		a := diskApp(log)
		// Whoever seals would wait for the journal, which is held while time is to pass: for ever, as one that waits for a lock keeps it from passing.
		a.viewLimits = views.Limits{SealRows: 1 << 20, CheckpointFrames: 2}
		require.NoError(t, a.open(mem))
		d := &disk{App: a, t: t, log: log}
		d.must(`CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds'
			IDLE TIMEOUT INTERVAL '1 second' FUTURE LIMIT INTERVAL '20000 days') PARTITION BY HASH (sym) PARTITIONS 2`)
		d.must("CREATE MATERIALIZED VIEW by_minute AS " + watched["by_minute"].create)
		stop := make(chan struct{})
		var wait sync.WaitGroup
		wait.Go(func() { // rows come after pauses of up to four seconds
			rnd := rand.New(rand.NewPCG(seed, 2))
			for minute := 0; ; minute++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rnd.IntN(4000)) * time.Millisecond):
				}
				require.NoError(t, d.insert(rnd, minute/10))
			}
		})
		pass := func() { <-time.After(time.Duration(rnd.IntN(700)) * time.Millisecond) }
		keeper, err := backup.NewKeeper(backup.Source{
			FS: meddled{mem, pass}, Hold: d.journal.Hold, Segments: d.liveSegments, Views: d.viewsBeforeInputs, Writing: d.ingest.Writing, Now: time.Now,
		})
		require.NoError(t, err)
		holes := 0
		for round := range 8 {
			<-time.After(20 * time.Second) // in which what was sealed is merged
			acked := placesOf(t, d)
			pinned, err := keeper.Begin(t.Context())
			require.NoError(t, err)
			restored := copyPinned(t, keeper, pinned)
			require.NoError(t, keeper.End(pinned.ID))
			where := fmt.Sprintf("round %d", round)
			markers := markersOf(t, restored, partitions)
			again := onDisk(t, restored)
			rows := placesOf(t, again)
			for at := range acked {
				require.True(t, rows[at], "%s: %v was acknowledged", where, at)
			}
			holes += requireDense(t, rows, markers, where)
			again.check(where)
			require.NoError(t, again.closeStore())
			if round%2 == 0 {
				d.seal("trades")
			}
		}
		require.Positive(t, holes, "there were markers between rows")
		close(stop)
		wait.Wait()
		require.NoError(t, keeper.Close())
		require.NoError(t, d.closeStore())
	})
}
