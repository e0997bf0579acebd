package app

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// seal makes the stream's rows into a segment.
func (d *disk) seal(stream string) {
	d.t.Helper()
	s, err := d.ingest.Stream(stream)
	require.NoError(d.t, err)
	_, err = s.Seal(d.t.Context())
	require.NoError(d.t, err)
}

// TestNewViewHoldsWhatWasThere reads views as soon as they are made, without waiting: of what was acknowledged before, sealed or not,
// nothing may be missing.
func TestNewViewHoldsWhatWasThere(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	total := 0
	for i := range 100 {
		d.must("INSERT INTO clicks VALUES ('2026-01-01', 1), ('2026-01-02', 1)")
		if i%3 == 0 {
			d.seal("clicks")
			d.must("INSERT INTO clicks VALUES ('2026-01-03', 1)")
			total++
		}
		total += 2
		name := fmt.Sprintf("v%d", i)
		_, err := d.run("CREATE MATERIALIZED VIEW "+name+" WITH (memory = '1MB') AS SELECT count(*) AS n FROM clicks", false)
		require.NoError(t, err)
		require.Equal(t, total, d.number("SELECT n FROM "+name, false), "view %d", i)
		d.must("DROP MATERIALIZED VIEW " + name)
	}
	require.NoError(t, d.closeStore())
	d.requireQuiet("at the end")
}

// TestReplacedViewNeverGoesBack replaces a view again and again while events come. Who reads its name, waiting or not, never sees fewer
// events than before, and who waits sees all that were acknowledged.
func TestReplacedViewNeverGoesBack(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	const body = "MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT count(*) AS n FROM clicks WHERE n < "
	d.must("CREATE " + body + "100")
	var replaced sync.WaitGroup
	replaced.Go(func() {
		for i := range 40 {
			if _, err := d.run(fmt.Sprintf("CREATE OR REPLACE %s%d", body, 200+i), false); err != nil {
				t.Errorf("replace %d: %v", i, err)
			}
		}
	})
	done, count, before := stopped(&replaced), 0, 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		_, err := d.run("INSERT INTO clicks VALUES ('2026-01-01', 1)", false)
		require.NoError(t, err)
		if count++; count%25 == 0 {
			d.seal("clicks")
		}
		for _, wait := range []bool{false, true, false} {
			seen := d.number("SELECT n FROM v", wait)
			require.GreaterOrEqual(t, seen, before, "event %d, wait %v", count, wait)
			if before = seen; wait {
				require.Equal(t, count, seen)
			}
		}
	}
	require.NoError(t, d.closeStore())
	d.requireQuiet("at the end")
}

// stopped returns a channel that is closed when all of a group have ended.
func stopped(group *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	return done
}

// number runs a query whose answer is one number.
func (d *disk) number(sql string, wait bool) int {
	d.t.Helper()
	out, err := d.run(sql, wait)
	require.NoError(d.t, err)
	n, err := strconv.Atoi(strings.Trim(out, `[]"`))
	require.NoError(d.t, err, out)
	return n
}

// TestViewsShareWhatTheyRead makes views over sealed rows, and over rows in memory that came in many batches: the first reads them, the others
// find them read, until they want other columns.
func TestViewsShareWhatTheyRead(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	insert := func() {
		for range 5 {
			d.must("INSERT INTO clicks VALUES ('2026-01-01', 1), ('2026-01-02', 2)")
		}
	}
	insert()
	d.seal("clicks")
	insert()
	const sealed, unsealed = 1, 1
	for i := range 5 {
		d.must(fmt.Sprintf("CREATE MATERIALIZED VIEW v%d WITH (memory = '1MB') AS SELECT n %% %d AS k, count(*) AS c FROM clicks GROUP BY 1", i, i+2))
		require.Equal(t, 20, d.number(fmt.Sprintf("SELECT sum(c) FROM v%d", i), true))
		read, shared := d.views.Reads()
		require.Equal(t, int64(sealed+unsealed), read, "view %d", i)
		require.Equal(t, int64(i*(sealed+unsealed)), shared, "view %d", i)
	}
	d.must("CREATE MATERIALIZED VIEW other WITH (memory = '1MB') AS SELECT max(ts) AS latest, count(*) AS c FROM clicks")
	require.Equal(t, 20, d.number("SELECT c FROM other", true))
	read, _ := d.views.Reads()
	require.Equal(t, int64(2*(sealed+unsealed)), read)
	require.NoError(t, d.closeStore())
}

// TestReplacedViewIsReadWhateverItsColumns replaces a view by one of other columns again and again while it is read: no query is turned away
// because the definition was ahead of the rows for a moment.
func TestReplacedViewIsReadWhateverItsColumns(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
	d.must("CREATE MATERIALIZED VIEW v AS SELECT n FROM clicks")
	replaced := make(chan struct{})
	go func() {
		defer close(replaced)
		for i := range 60 {
			columns := []string{"n::TEXT AS n", "n, ts", "ts, n * 2 AS n"}[i%3]
			if _, err := d.run("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT "+columns+" FROM clicks", false); err != nil {
				t.Errorf("replacement %d: %v", i, err)
			}
		}
	}()
	for reads := 0; ; reads++ {
		_, err := d.run("SELECT * FROM v", false)
		require.NoError(t, err, "read %d", reads)
		select {
		case <-replaced:
			require.NoError(t, d.closeStore())
			return
		default:
		}
	}
}

// TestViewBegunNowIsBuiltAnew widens a column that a view of start_from = 'now' reads: the view that takes its place begins where it did.
func TestViewBegunNowIsBuiltAnew(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	send := func(n string) {
		t.Helper()
		require.Equal(t, 200, i.do("POST", "/v1/streams/meters/events", `{"n":`+n+`,"ts":"2026-01-01T00:00:00Z"}`).status)
	}
	send("1")
	i.query("CREATE MATERIALIZED VIEW later WITH (start_from = 'now') AS SELECT n FROM meters")
	send("2")
	require.Equal(t, "[1]\n", i.wait("SELECT count(*) FROM later"))
	send("2.5")
	i.await(func() bool { return strings.Contains(i.query("SELECT typeof(n) FROM later LIMIT 1").text(), "DOUBLE") })
	require.Equal(t, "[2,4.5]\n", i.wait("SELECT count(*), sum(n) FROM later"))
	i = i.restart()
	require.Equal(t, "[2,4.5]\n", i.wait("SELECT count(*), sum(n) FROM later"))
}

// TestNewViewWaitsForWhatTheOldOneHas has an event come while a view that is to replace another reads its last segment. The old one takes it;
// the new one, which shows changes once an hour, must have it before it takes the place.
func TestNewViewWaitsForWhatTheOldOneHas(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	var d *disk
	fs := vfs.NewFaultyAll(vfs.NewMem(), func(_ vfs.Op, name string) error {
		if strings.Contains(name, "segments/clicks") && armed.CompareAndSwap(true, false) {
			d.must("INSERT INTO clicks VALUES ('2026-01-02', 1)")
			require.Equal(t, 2, d.number("SELECT n FROM v", true))
		}
		return nil
	})
	d = onDisk(t, fs)
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
	const body = "MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT count(*) AS n FROM clicks"
	d.must("CREATE " + body)
	d.seal("clicks")
	armed.Store(true)
	_, err := d.run("CREATE OR REPLACE "+body+" EMIT ON UPDATE WITH BATCH INTERVAL '1 hour'", false)
	require.NoError(t, err)
	require.False(t, armed.Load(), "the new view read no segment")
	require.Equal(t, 2, d.number("SELECT n FROM v", false))
	require.NoError(t, d.closeStore())
	d.requireQuiet("at the end")
}
