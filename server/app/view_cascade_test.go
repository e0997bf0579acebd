package app

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// cascaded are queries over a table of the columns ts, sym and qty: %[1]s is the table, and %[2]s another of them.
var cascaded = []string{
	"SELECT window_start, sym, sum(qty) AS s FROM TUMBLE(TABLE %[1]s, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end, sym",
	"SELECT window_end, count(*) AS n FROM HOP(TABLE %[1]s, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '20 seconds') GROUP BY window_start, window_end" +
		" EMIT ON WINDOW CLOSE",
	"SELECT window_end, count(*) AS n FROM TUMBLE(TABLE %[1]s, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end" +
		" LATE RECOMPUTE WITHIN INTERVAL '10 seconds'",
	"SELECT sym, window_start, window_end, max(qty) AS m FROM SESSION(TABLE %[1]s PARTITION BY sym, DESCRIPTOR(ts), INTERVAL '4 seconds')" +
		" GROUP BY sym, window_start, window_end",
	"SELECT ts, sym, sum(qty) OVER (PARTITION BY sym ORDER BY ts RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND CURRENT ROW) AS s FROM %[1]s",
	"SELECT a.ts, a.qty, b.qty AS other FROM %[1]s AS a LEFT JOIN %[2]s AS b ON a.sym = b.sym AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '5 seconds'",
	"SELECT a.ts, a.qty, b.qty AS newest FROM %[1]s AS a ASOF JOIN %[2]s AS b ON a.sym = b.sym AND a.ts >= b.ts TOLERANCE INTERVAL '20 seconds'",
}

// TestCascadesAnswerAsTheirStreams makes views over views that pass events on, filtered, renamed and put together, and the same views over
// queries that say the same of the streams. With the same events, late ones among them, in whatever steps, over crashes and seals, they
// hold the same rows.
func TestCascadesAnswerAsTheirStreams(t *testing.T) {
	t.Parallel()
	rounds, seed := simulations(t, 3)
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			runCascades(t, rand.New(rand.NewPCG(seed, uint64(round))))
		})
	}
}

func runCascades(t *testing.T, rng *rand.Rand) {
	disk := vfs.NewMem()
	d := onDisk(t, disk)
	defer func() { require.NoError(t, d.closeStore()) }()
	for _, stream := range []string{"trades", "quotes"} {
		d.must("CREATE STREAM " + stream + " (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT, WATERMARK FOR ts AS ts - INTERVAL '3 seconds')" +
			" PARTITION BY HASH (sym) PARTITIONS 2")
	}
	d.must("CREATE MATERIALIZED VIEW traded AS SELECT ts, sym, qty FROM trades WHERE qty > 2")
	d.must("CREATE MATERIALIZED VIEW filtered (ts, sym, qty) AS SELECT ts, sym, qty * 2 FROM traded WHERE sym <> 'c'")
	d.must("CREATE MATERIALIZED VIEW united AS SELECT ts, sym, qty FROM quotes UNION ALL SELECT * FROM filtered")
	const inline = "(SELECT ts, sym, qty * 2 AS qty FROM trades WHERE qty > 2 AND sym <> 'c')"
	const both = "(SELECT ts, sym, qty FROM quotes UNION ALL SELECT ts, sym, qty * 2 FROM trades WHERE qty > 2 AND sym <> 'c')"
	var names []string
	for i, query := range cascaded {
		for j, tables := range [][4]string{{"filtered", "quotes", inline, "quotes"}, {"united", "filtered", both, inline}} {
			plain := fmt.Sprintf(query, tables[2], tables[3])
			switch {
			case j == 1 && !strings.Contains(query, "TABLE"): // the streams alone have no such frames and joins
				continue
			case strings.Contains(query, " OVER "):
				plain = strings.Replace(query, "sum(qty)", "sum(qty * 2)", 1)
				plain = fmt.Sprintf(plain, "trades WHERE qty > 2 AND sym <> 'c'")
			}
			name := fmt.Sprintf("%d_%d", i, j)
			d.must("CREATE MATERIALIZED VIEW over_" + name + " AS " + fmt.Sprintf(query, tables[0], tables[1]))
			d.must("CREATE MATERIALIZED VIEW plain_" + name + " AS " + plain)
			names = append(names, name)
		}
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 6 {
		for range rng.IntN(4) {
			at = d.insertJittered(rng, at)
		}
		switch rng.IntN(4) {
		case 0:
			left := disk.CrashTorn(rng)
			require.NoError(t, d.closeStore())
			disk = left
			d = onDisk(t, disk)
		case 1:
			d.sealAll("trades")
		}
		for _, name := range names {
			over, err := d.run("SELECT * FROM over_"+name, true)
			require.NoError(t, err)
			plain, err := d.run("SELECT * FROM plain_"+name, true)
			require.NoError(t, err)
			require.Equal(t, plain, over, name)
		}
	}
}

// insertJittered adds some events about a time, of which some are late, and gives a later time.
func (d *disk) insertJittered(rng *rand.Rand, at time.Time) time.Time {
	for _, stream := range []string{"trades", "quotes"} {
		var rows []string
		for range 1 + rng.IntN(20) {
			at = at.Add(time.Duration(rng.IntN(1500)) * time.Millisecond)
			when := at.Add(-time.Duration(rng.IntN(12000)) * time.Millisecond)
			rows = append(rows, fmt.Sprintf("('%s', '%c', %d)", when.Format(time.RFC3339Nano), 'a'+rune(rng.IntN(3)), rng.IntN(10)))
		}
		d.must("INSERT INTO " + stream + " VALUES " + strings.Join(rows, ", "))
	}
	return at
}
