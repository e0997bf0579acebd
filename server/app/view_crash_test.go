package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/views"
)

// disk is a server without listeners on a disk in memory. Its views seal and checkpoint after a few rows.
type disk struct {
	*App
	t   *testing.T
	log *lockedBuffer
}

// requireQuiet makes sure that no view failed or had to be built anew.
func (d *disk) requireQuiet(where string) {
	d.t.Helper()
	require.Empty(d.t, d.log.lineWith("view"), where)
}

func onDisk(t *testing.T, fs vfs.FS) *disk {
	t.Helper()
	log := &lockedBuffer{}
	a := diskApp(log)
	if err := a.open(fs); err != nil {
		require.NoError(t, errors.Join(err, a.closeStore()))
	}
	return &disk{App: a, t: t, log: log}
}

func diskApp(log io.Writer) *App {
	c := config.Default()
	c.SealAge = 1 << 40
	a := newApp(c, slog.New(slog.NewTextHandler(log, nil)), time.Now)
	a.viewLimits = views.Limits{SealRows: 20, CheckpointFrames: 7}
	return a
}

// run runs SQL and gives the rows of its last statement, sorted, a line each.
func (d *disk) run(sql string, wait bool) (string, error) {
	rows, err := (&runner{app: d.App}).Run(d.t.Context(), api.Request{SQL: sql, Wait: wait})
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var lines []string
	for {
		batch, err := rows.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(lines)
			return strings.Join(lines, "\n"), nil
		}
		if err != nil {
			return "", err
		}
		for i := range batch.Rows {
			var values []string
			for c, column := range rows.Columns() {
				value := []byte("null")
				if batch.Columns[c].IsValid(i) {
					if value, err = event.AppendJSONValue(nil, batch.Columns[c], i, column.Type); err != nil {
						return "", err
					}
				}
				values = append(values, string(value))
			}
			line, _ := json.Marshal(values)
			lines = append(lines, string(line))
		}
	}
}

func (d *disk) must(sql string) string {
	d.t.Helper()
	out, err := d.run(sql, true)
	require.NoError(d.t, err, sql)
	return out
}

// watched are views and the query that each of them answers.
var watched = map[string]struct{ create, batch string }{
	"by_minute": {
		create: minutes, batch: minutes + " LATE DROP",
	},
	"closed": {
		create: minutes + " EMIT ON WINDOW CLOSE",
		batch: `SELECT * FROM (` + minutes + ` LATE DROP) m
			WHERE window_start + INTERVAL '1 minute' <= (SELECT max(ts) - INTERVAL '5 seconds' FROM trades)`,
	},
	"filtered": {
		create: `SELECT ts, qty FROM trades WHERE qty % 3 = 0`, batch: `SELECT ts, qty FROM trades WHERE qty % 3 = 0`,
	},
	"cascade": {
		create: `SELECT sym, sum(total) AS total, max(n) AS n FROM by_minute GROUP BY sym`,
		batch:  `SELECT sym, sum(total) AS total, max(n) AS n FROM (` + minutes + ` LATE DROP) m GROUP BY sym`,
	},
}

const minutes = `SELECT window_start, sym, count(*) AS n, sum(qty) AS total FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute')
	GROUP BY window_start, window_end, sym`

// makeViews creates the stream and the views.
func (d *disk) makeViews() error {
	_, err := d.run(`CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT,
		WATERMARK FOR ts AS ts - INTERVAL '5 seconds' IDLE TIMEOUT INTERVAL '1 day')`, false)
	for _, name := range []string{"by_minute", "closed", "filtered", "cascade"} {
		if err == nil {
			options := ""
			if name == "cascade" {
				options = "WITH (memory = '1MB')"
			}
			_, err = d.run("CREATE MATERIALIZED VIEW "+name+" "+options+" AS "+watched[name].create, false)
		}
	}
	return err
}

// insert adds some rows around a minute of the day.
func (d *disk) insert(rnd *rand.Rand, minute int) error {
	var rows []string
	for range 1 + rnd.IntN(8) {
		second := max(0, minute*60+rnd.IntN(120)-40)
		rows = append(rows, fmt.Sprintf("('2026-01-01T%02d:%02d:%02dZ','%c',%d)", second/3600, second/60%60, second%60, 'a'+rnd.IntN(3), rnd.IntN(100)))
	}
	_, err := d.run("INSERT INTO trades (ts, sym, qty) VALUES "+strings.Join(rows, ","), false)
	return err
}

// check holds every view that is there to what its query answers.
func (d *disk) check(where string) {
	d.t.Helper()
	for name, w := range watched {
		if _, ok := d.views.View(name); !ok {
			continue
		}
		got, err := d.run("SELECT * FROM "+name, true)
		require.NoError(d.t, err, "%s: %s", where, name)
		require.Equal(d.t, d.must(w.batch), got, "%s: %s", where, name)
	}
}

// TestViewsSurviveCrashes ends the server before operations on the disk while events come, are sealed, and it is restarted: by cutting the power,
// after which what was not synced is gone, or there in part, and by killing it, after which all is there. What is left has every row that was
// acknowledged, and every view holds what its query gives, and does so again after more events.
//
// TIDEMARK_STRESS ends it in all three ways before every operation, and begins anew with other events and other remainders a hundred times, or
// with those of the fourth of a hundred parts of that by TIDEMARK_SLICE=3/100.
func TestViewsSurviveCrashes(t *testing.T) {
	t.Parallel()
	if os.Getenv("TIDEMARK_STRESS") == "" {
		(&crashes{t: t, seed: 11, every: 5}).run()
		return
	}
	const seeds = 100
	slice, of := 0, 1
	if text := os.Getenv("TIDEMARK_SLICE"); text != "" {
		_, err := fmt.Sscanf(text, "%d/%d", &slice, &of)
		require.NoError(t, err)
	}
	for seed := slice; seed < seeds; seed += of {
		(&crashes{t: t, seed: uint64(seed), every: 1}).run()
	}
}

// crashes are the ends of one run of a server, a kind after the other before every so many operations.
type crashes struct {
	t     *testing.T
	seed  uint64
	every int
	mem   *vfs.Mem

	acked atomic.Int64 // rows
	// mu guards what follows: views work on the disk beside the test.
	mu      sync.Mutex
	tearing *rand.Rand
	count   int
	images  []image
	// known are the remainders that were looked at: one may be that of many moments.
	known map[uint64]int64
	// tried and opened count remainders.
	tried, opened int
}

// image is what the end of a server leaves.
type image struct {
	fs    *vfs.Mem
	acked int64
	name  string
}

func (c *crashes) run() {
	c.mem, c.known = vfs.NewMem(), map[uint64]int64{}
	rnd := rand.New(rand.NewPCG(c.seed, 1))
	c.tearing = rand.New(rand.NewPCG(c.seed, 2))
	fs := vfs.NewFaulty(c.mem, c.inject)
	d := onDisk(c.t, fs)
	require.NoError(c.t, d.makeViews())
	for step := range 40 {
		require.NoError(c.t, d.insert(rnd, step))
		c.acked.Store(int64(rowsIn(c.t, d)))
		switch {
		case step%13 == 12:
			stream, err := d.ingest.Stream("trades")
			require.NoError(c.t, err)
			_, err = stream.Seal(c.t.Context())
			require.NoError(c.t, err)
		case step%17 == 16:
			require.NoError(c.t, d.closeStore())
			d = onDisk(c.t, fs)
		}
		d.check(fmt.Sprintf("step %d", step))
		c.lookAtAll(rnd)
	}
	require.NoError(c.t, d.closeStore())
	c.lookAtAll(rnd)
	c.t.Logf("seed %d: %d operations, %d remainders, %d servers", c.seed, c.count, c.tried, c.opened)
}

// inject keeps what an end before the operation would leave.
func (c *crashes) inject(op vfs.Op, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count++; c.count%c.every != 0 {
		return nil
	}
	acked := c.acked.Load()
	keep := func(kind string, fs *vfs.Mem) {
		c.images = append(c.images, image{fs, acked, fmt.Sprintf("seed %d, %s before operation %d: %s %s", c.seed, kind, c.count, op, name)})
	}
	turn := c.count / c.every % 3
	if c.every == 1 || turn == 0 {
		keep("power cut", c.mem.Crash())
	}
	if c.every == 1 || turn == 1 {
		keep("power cut, writes torn", c.mem.CrashTorn(c.tearing))
	}
	if c.every == 1 || turn == 2 {
		keep("killed", c.mem.Killed())
	}
	return nil
}

// lookAtAll opens a server over every remainder that is not one known already, which had as many rows to have.
func (c *crashes) lookAtAll(rnd *rand.Rand) {
	c.mu.Lock()
	images := c.images
	c.images = nil
	c.mu.Unlock()
	for i, left := range images {
		c.tried++
		sum := sumOf(c.t, left.fs)
		if acked, ok := c.known[sum]; ok && acked >= left.acked {
			continue
		}
		c.known[sum] = left.acked
		c.opened++
		c.lookAt(left, rnd, i%4 == 0)
	}
}

func (c *crashes) lookAt(left image, rnd *rand.Rand, more bool) {
	d := onDisk(c.t, left.fs)
	d.check(left.name)
	_, there := d.catalog.Stream("trades")
	if rows := 0; left.acked > 0 {
		if there {
			rows = rowsIn(c.t, d)
		}
		require.GreaterOrEqual(c.t, int64(rows), left.acked, "%s: rows were acknowledged", left.name)
	}
	if there && more {
		for step := range 3 {
			require.NoError(c.t, d.insert(rnd, 40+step))
		}
		d.check(left.name + ", and more")
	}
	require.NoError(c.t, d.closeStore())
	d.requireQuiet(left.name)
}

// sumSeed makes sums comparable within the process.
var sumSeed = maphash.MakeSeed()

// sumOf tells disks with the same files from others.
func sumOf(t *testing.T, fs *vfs.Mem) uint64 {
	t.Helper()
	files := map[string][]byte{}
	readTree(t, fs, ".", files)
	var sum maphash.Hash
	sum.SetSeed(sumSeed)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&sum, "%q %d ", name, len(files[name]))
		_, _ = sum.Write(files[name]) // it never fails
	}
	return sum.Sum64()
}

// TestViewsSurviveFailures fails one operation on the disk after the other while views run. Whatever that breaks, the next start has views
// that hold what their queries give.
func TestViewsSurviveFailures(t *testing.T) {
	t.Parallel()
	failed := 0
	for at := 10; ; at += 23 {
		mem := vfs.NewMem()
		var mu sync.Mutex
		count := 0
		fs := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
			mu.Lock()
			defer mu.Unlock()
			if count++; count == at {
				return fmt.Errorf("no luck with %s %s", op, name)
			}
			return nil
		})
		d := tryOnDisk(t, fs)
		if d != nil {
			d.work(at)
		}
		if count < at {
			break
		}
		failed++
		again := onDisk(t, mem)
		again.check(fmt.Sprintf("operation %d", at))
		require.NoError(t, again.closeStore())
	}
	require.Greater(t, failed, 10)
}

// tryOnDisk is onDisk where opening may fail.
func tryOnDisk(t *testing.T, fs vfs.FS) *disk {
	t.Helper()
	a := diskApp(&lockedBuffer{})
	if err := a.open(fs); err != nil {
		_ = a.closeStore() // what has failed may fail again
		return nil
	}
	return &disk{App: a, t: t}
}

// work does a bit of everything, and gives up at the first failure.
func (d *disk) work(seed int) {
	defer func() { _ = d.closeStore() }()
	rnd := rand.New(rand.NewPCG(uint64(seed), 3))
	if d.makeViews() != nil {
		return
	}
	for step := range 14 {
		if d.insert(rnd, step) != nil {
			return
		}
		if stream, err := d.ingest.Stream("trades"); err == nil && step%6 == 5 {
			if _, err := stream.Seal(d.t.Context()); err != nil {
				return
			}
		}
		ctx, cancel := context.WithTimeout(d.t.Context(), time.Second)
		err := d.views.Await(ctx, []string{"by_minute", "closed", "filtered", "cascade"})
		cancel()
		if err != nil {
			return
		}
	}
}
