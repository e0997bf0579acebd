package app

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// lateViews are views over trades that send late rows to strays, and the query for what has to be there: where the row lies, the watermark
// that it came behind, and how many windows it missed.
var lateViews = map[string]struct{ create, strays string }{
	"tumble": {
		create: minutes + " EMIT ON WINDOW CLOSE LATE DROP ELSE INTO strays",
		strays: `SELECT ts, sym, qty, _partition, _offset, _watermark, 1 FROM trades
			WHERE time_bucket(INTERVAL '1 minute', ts) + INTERVAL '1 minute' <= _watermark`,
	},
	"hop": {
		create: `SELECT window_start, count(*) AS n FROM HOP(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute', INTERVAL '2 minutes')
			GROUP BY window_start, window_end LATE RECOMPUTE WITHIN INTERVAL '1 minute' ELSE INTO strays`,
		strays: `SELECT ts, sym, qty, _partition, _offset, _watermark, count(*)
			FROM HOP(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute', INTERVAL '2 minutes')
			WHERE window_end + INTERVAL '1 minute' <= _watermark GROUP BY 1, 2, 3, 4, 5, 6`,
	},
	"session": {
		create: `SELECT window_start, sym, count(*) AS n FROM SESSION(TABLE trades PARTITION BY sym, DESCRIPTOR(ts), INTERVAL '10 seconds')
			WHERE qty > 20 GROUP BY window_start, window_end, sym LATE DROP ELSE INTO strays`,
		strays: `SELECT ts, sym, qty, _partition, _offset, _watermark, 1 FROM trades WHERE ts < _watermark`,
	},
	"over": {
		create: `SELECT ts, sum(qty) OVER (PARTITION BY sym ORDER BY ts RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW) AS s
			FROM trades WHERE qty > 20 LATE DROP ELSE INTO strays`,
		strays: `SELECT ts, sym, qty, _partition, _offset, _watermark, 1 FROM trades WHERE qty > 20 AND ts < _watermark`,
	},
	"join": {
		create: `SELECT a.ts, a.qty, b.qty AS other FROM trades a JOIN trades b ON a.sym = b.sym
			AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '10 seconds' LATE DROP ELSE INTO strays`,
		strays: `SELECT ts, sym, qty, _partition, _offset, _watermark, 1 FROM trades WHERE ts < _watermark`,
	},
}

// TestLateRowsGoElsewhere checks that each late row is in the stream named by ELSE INTO once, over seals, power cuts, restarts and a
// replacement of the view.
func TestLateRowsGoElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range lateViews {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lateRowsGoElsewhere(t, c.create, c.strays)
		})
	}
}

func lateRowsGoElsewhere(t *testing.T, create, strays string) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(3, 4))
	mem, images := vfs.NewMem(), []*vfs.Mem(nil)
	var mu sync.Mutex
	count := 0
	fs := vfs.NewFaulty(mem, func(vfs.Op, string) error {
		mu.Lock()
		defer mu.Unlock()
		if count++; count%31 == 0 {
			images = append(images, mem.Crash())
		}
		return nil
	})
	d := onDisk(t, fs)
	d.must(`CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`)
	for minute := range 8 {
		require.NoError(t, d.insert(rnd, max(0, minute-rnd.IntN(6))))
	}
	d.must("CREATE MATERIALIZED VIEW v AS " + create)
	check := func(d *disk) {
		t.Helper()
		d.must("SELECT * FROM v") // waits for the view, and so for its late rows
		got := d.must(`SELECT ts, sym, qty, late_partition, late_offset, late_watermark, late_windows FROM strays
			WHERE late_view = 'v' AND late_stream = 'trades'`)
		require.NotEmpty(t, got)
		require.Equal(t, d.must(strays), got)
	}
	check(d)
	for minute := 8; minute < 30; minute++ {
		require.NoError(t, d.insert(rnd, max(0, minute-rnd.IntN(6))))
		switch minute {
		case 12, 18:
			require.NoError(t, d.closeStore())
			d = onDisk(t, fs)
		case 14, 22:
			d.sealAll("trades")
		case 16, 24:
			d.sealAll("strays")
		default: // go on
		}
		check(d)
	}
	d.must("CREATE OR REPLACE MATERIALIZED VIEW v AS " + create)
	check(d)
	require.NoError(t, d.closeStore())
	for _, image := range images {
		d := onDisk(t, image)
		if _, ok := d.views.View("v"); ok {
			check(d)
			require.NoError(t, d.insert(rnd, 5))
			check(d)
		}
		require.NoError(t, d.closeStore())
	}
}

func (d *disk) sealAll(stream string) {
	d.t.Helper()
	s, err := d.ingest.Stream(stream)
	require.NoError(d.t, err)
	_, err = s.Seal(d.t.Context())
	require.NoError(d.t, err)
}

// TestLateRowsNeedAPlace tries streams that late rows cannot go to.
func TestLateRowsNeedAPlace(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')")
	d.must("CREATE STREAM narrow (ts TIMESTAMPTZ NOT NULL, sym TEXT)")
	d.must("CREATE STREAM other (ts TIMESTAMPTZ, sym BIGINT) WITH (schema = 'evolve')")
	d.must("CREATE STREAM demanding (ts TIMESTAMPTZ, extra TEXT NOT NULL) WITH (schema = 'evolve')")
	d.must("CREATE STREAM open (ts TIMESTAMPTZ) WITH (schema = 'evolve')")
	d.must("CREATE MATERIALIZED VIEW plain AS SELECT ts FROM trades")
	create := func(name, body, into string) error {
		_, err := d.run(fmt.Sprintf("CREATE MATERIALIZED VIEW %s AS %s LATE DROP ELSE INTO %s", name, body, into), true)
		return err
	}
	require.ErrorContains(t, create("v", minutes, "narrow"), `cannot take late rows: it has no column "qty"`)
	require.ErrorContains(t, create("v", minutes, "other"), `its column "sym" is BIGINT, theirs is TEXT`)
	require.ErrorContains(t, create("v", minutes, "demanding"), `its column "extra" is NOT NULL`)
	require.ErrorContains(t, create("v", minutes, "plain"), `is a view`)
	require.ErrorContains(t, create("v", minutes, "trades"), `come back to the view`)
	require.ErrorContains(t, create("v", "SELECT ts FROM trades", "strays"), `leaves no row out as late`)
	require.NoError(t, create("v", minutes, "open"))
	require.ErrorContains(t, create("w", "SELECT window_start, count(*) AS n FROM TUMBLE(TABLE open, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY 1, window_end",
		"trades"), `come back to the view by "open"`)
	_, err := d.run("DROP STREAM open", true)
	require.ErrorContains(t, err, `"open" is where late rows go of the materialized view v`)
	d.must("DROP MATERIALIZED VIEW v")
	d.must("DROP STREAM open")
	require.NoError(t, d.closeStore())
}

// TestLateRowsOfJoins holds views over joins and other shapes to the same query with LATE DROP, over events of which many are late.
func TestLateRowsOfJoins(t *testing.T) {
	t.Parallel()
	views := map[string]string{
		"bounded": `SELECT a.ts, a.sym, a.qty, b.qty AS other FROM trades a LEFT JOIN quotes b ON a.sym = b.sym
			AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '10 seconds'`,
		"both": `SELECT a.ts, b.ts AS later, a.qty, b.qty AS other FROM trades a FULL JOIN quotes b ON a.sym = b.sym
			AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '10 seconds'`,
		"inner_where": `SELECT a.ts, a.qty, b.qty AS other FROM trades a, quotes b WHERE a.sym = b.sym AND a.qty > b.qty
			AND b.ts >= a.ts - INTERVAL '20 seconds' AND b.ts < a.ts`,
		"windows": `SELECT a.window_start, a.sym, a.qty, b.qty AS other FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute') a
			LEFT JOIN TUMBLE(TABLE quotes, DESCRIPTOR(ts), INTERVAL '1 minute') b
			ON a.window_start = b.window_start AND a.window_end = b.window_end AND a.sym = b.sym`,
		"nested": `SELECT sym, max(n) AS most FROM (SELECT window_start, window_end, sym, count(*) AS n
			FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute') GROUP BY 1, 2, 3) x GROUP BY sym`,
		"as_of": `SELECT a.ts, a.sym, a.qty, b.qty AS other FROM trades a LEFT JOIN quotes FOR SYSTEM_TIME AS OF a.ts AS b ON a.sym = b.sym`,
		"nearest": `SELECT a.ts, a.sym, a.qty, b.qty AS other FROM trades a ASOF JOIN quotes b ON a.sym = b.sym AND a.ts > b.ts
			TOLERANCE INTERVAL '1 minute'`,
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	for _, stream := range []string{"trades", "quotes"} {
		d.must("CREATE STREAM " + stream + " (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')")
	}
	for name, query := range views {
		d.must("CREATE MATERIALIZED VIEW " + name + " WITH (memory = '8MB') AS " + query)
	}
	for minute := range 12 {
		require.NoError(t, d.insert(rnd, max(0, minute-rnd.IntN(4))))
		d.must("INSERT INTO quotes (ts, sym, qty) SELECT ts + INTERVAL '3 seconds', sym, qty + 1 FROM trades WHERE qty % 7 = " + fmt.Sprint(minute%7))
		if minute == 6 {
			require.NoError(t, d.closeStore())
			d = onDisk(t, mem)
		}
		for name, query := range views {
			batch := query + " LATE DROP"
			if name == "as_of" || name == "nearest" { // final rows, which the watermark has passed
				batch = "SELECT * FROM (" + batch + `) x WHERE ts < (SELECT least((SELECT max(ts) FROM trades), (SELECT max(ts) FROM quotes)) - INTERVAL '5 seconds')`
			}
			require.Equal(t, d.must(batch), d.must("SELECT * FROM "+name), "%s, minute %d", name, minute)
		}
	}
	_, err := d.run(views["bounded"]+" LATE RECOMPUTE WITHIN INTERVAL '1 minute'", true)
	require.ErrorContains(t, err, "LATE RECOMPUTE is for windows of FROM, not for joins")
	_, err = d.run("SELECT a.ts FROM trades a JOIN quotes b ON a.sym = b.sym LATE DROP", true)
	require.ErrorContains(t, err, "LATE DROP needs a window table function")
	require.NoError(t, d.closeStore())
}
