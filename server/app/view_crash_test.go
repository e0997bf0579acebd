package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
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
	a := newApp(c, slog.New(slog.NewTextHandler(log, nil)))
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
		WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`, false)
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

// TestViewsSurviveCrashes cuts the power before operations on the disk while events come, are sealed, and the server is restarted, and holds
// every view to its query on what is left, and again after more events.
func TestViewsSurviveCrashes(t *testing.T) {
	t.Parallel()
	seed := uint64(11)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		seed = uint64(time.Now().UnixNano())
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	type image struct {
		fs   *vfs.Mem
		name string
	}
	var mu sync.Mutex
	var images []image
	count := 0
	mem := vfs.NewMem()
	tearing := rand.New(rand.NewPCG(seed, 2))
	fs := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		if count++; count%5 == 0 {
			left := mem.Crash()
			if count%10 == 0 {
				left = mem.CrashTorn(tearing)
			}
			images = append(images, image{left, fmt.Sprintf("seed %d, operation %d: %s %s", seed, count, op, name)})
		}
		return nil
	})
	d := onDisk(t, fs)
	require.NoError(t, d.makeViews())
	for step := range 40 {
		require.NoError(t, d.insert(rnd, step))
		switch {
		case step%13 == 12:
			stream, err := d.ingest.Stream("trades")
			require.NoError(t, err)
			_, err = stream.Seal(t.Context())
			require.NoError(t, err)
		case step%17 == 16:
			require.NoError(t, d.closeStore())
			d = onDisk(t, fs)
		}
		d.check(fmt.Sprintf("step %d", step))
	}
	require.NoError(t, d.closeStore())
	t.Logf("%d operations, %d images", count, len(images))
	for i, image := range images {
		d := onDisk(t, image.fs)
		d.check(image.name)
		if _, ok := d.catalog.Stream("trades"); ok && i%4 == 0 {
			for step := range 3 {
				require.NoError(t, d.insert(rnd, 40+step))
			}
			d.check(image.name + ", and more")
		}
		require.NoError(t, d.closeStore())
		d.requireQuiet(image.name)
	}
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
