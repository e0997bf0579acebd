package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/views"
)

// wait runs a query once the views that it reads have taken what is there.
func (i *instance) wait(sql string) string {
	i.t.Helper()
	answer := i.do("POST", "/v1/sql?wait=true", sql)
	require.Equal(i.t, 200, answer.status, "%s\n%s", sql, answer.body)
	var out table
	answer.decode(i.t, &out)
	return out.text()
}

// trades posts some trades, the i-th at second i of the day.
func (i *instance) trades(from, to int) {
	i.t.Helper()
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, `{"ts":"2026-01-01T%02d:%02d:%02dZ","sym":"%c","qty":%d}`+"\n", n/3600, n/60%60, n%60, 'a'+n%3, n)
	}
	i.ingest("trades", b.String())
}

// TestViewFollowsAndSurvives compares views with their queries while rows come, are sealed, and the server is restarted.
func TestViewFollowsAndSurvives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, late string }{
		{
			name: "grouped",
			body: `SELECT window_start, sym, count(*) AS n, sum(qty) AS total FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute')
				GROUP BY window_start, window_end, sym`,
			late: " LATE DROP",
		},
		{name: "filtered", body: `SELECT ts, sym, qty * 2 AS twice FROM trades WHERE qty % 7 = 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			viewFollowsAndSurvives(t, c.body, c.body+" ORDER BY 1, 2"+c.late)
		})
	}
}

func viewFollowsAndSurvives(t *testing.T, body, query string) {
	t.Helper()
	i := start(t, t.TempDir())
	i.trades(0, 200)
	i.seal("trades")
	i.trades(200, 300)
	i.query("CREATE MATERIALIZED VIEW v AS " + body)
	same := func() {
		t.Helper()
		got := i.wait("SELECT * FROM v ORDER BY 1, 2")
		require.Equal(t, i.query(query).text(), got)
		require.NotEmpty(t, got)
	}
	same()
	for n := 300; n < 1000; n += 100 {
		i.trades(n, n+100)
		if n == 600 {
			i.seal("trades")
		}
		same()
	}
	i = i.restart()
	same()
	i.trades(1000, 1500)
	same()
	i.seal("trades")
	i = i.restart()
	same()
	require.Contains(t, i.query("SHOW VIEWS").text(), `"running"`)
}

// TestViewWithAFault asks a view whose answer does not exist at first, comes with later rows, goes with some and comes back.
func TestViewWithAFault(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT)")
	queries := map[string]string{
		"share": "SELECT 100 / count(*) AS share FROM trades",
		"heavy": "SELECT sym FROM (SELECT sym, sum(qty) AS total FROM trades GROUP BY sym) x WHERE 100 / total > 1",
		"above": "SELECT count(*) AS n FROM heavy", // has no answer where heavy has none
	}
	for _, name := range []string{"share", "heavy", "above"} {
		i.query("CREATE MATERIALIZED VIEW " + name + " WITH (memory = '1MB') AS " + queries[name])
	}
	check := func(faulty ...string) {
		t.Helper()
		for name, body := range queries {
			answer := i.do("POST", "/v1/sql?wait=true", "SELECT * FROM "+name)
			require.Equal(t, i.do("POST", "/v1/sql", body).status, answer.status, "%s: %s", name, answer.body)
			if slices.Contains(faulty, name) {
				require.Regexp(t, "has no answer for now: (view heavy: )?division by zero", string(answer.body), name)
				require.Contains(t, i.query("SHOW VIEWS").text(), "division by zero")
				continue
			}
			require.ElementsMatch(t, strings.Split(i.query(body).text(), "\n"), strings.Split(i.wait("SELECT * FROM "+name), "\n"), name)
		}
	}
	trade := func(sym string, qty int) {
		i.ingest("trades", fmt.Sprintf(`{"ts":"2026-01-01T00:00:00Z","sym":%q,"qty":%d}`, sym, qty))
	}
	check("share")
	i = i.restart()
	check("share")
	trade("a", 0)
	trade("b", 5)
	check("heavy", "above")
	i = i.restart()
	check("heavy", "above")
	trade("a", 3)
	check()
	trade("b", -5)
	check("heavy", "above")
	trade("b", 1000)
	check()
}

func (i *instance) problem(sql string) string {
	i.t.Helper()
	answer := i.do("POST", "/v1/sql", sql)
	require.NotEqual(i.t, 200, answer.status, "%s\n%s", sql, answer.body)
	var out struct{ Code, Detail string }
	answer.decode(i.t, &out)
	return out.Code + ": " + out.Detail
}

func TestViewIsReplacedWhenTheNewOneHasCaughtUp(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 100)
	i.query("CREATE MATERIALIZED VIEW v AS SELECT qty FROM trades WHERE qty < 10")
	require.Contains(t, i.problem("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a"), "already_exists")
	i.query("CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1 AS a")
	i.query("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT qty, sym FROM trades WHERE qty < 5")
	require.Equal(t, "[0,\"a\"]\n[1,\"b\"]\n[2,\"c\"]\n[3,\"a\"]\n[4,\"b\"]\n", i.wait("SELECT * FROM v ORDER BY qty"))
	i = i.restart()
	require.Equal(t, "[5]\n", i.wait("SELECT count(*) FROM v"))
	require.Equal(t, "[\"VIEW\",\"qty\",true]\n[\"VIEW\",\"sym\",true]\n", i.wait(`SELECT t.table_type, c.column_name, d.view_definition LIKE 'CREATE %trades%'
		FROM information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name)
		JOIN information_schema.views d USING (table_schema, table_name) WHERE table_name = 'v' ORDER BY c.ordinal_position`))

	require.Contains(t, i.problem("CREATE STREAM v (a BIGINT)"), "already_exists: there is a materialized view")
	require.Contains(t, i.problem("CREATE MATERIALIZED VIEW trades AS SELECT 1 AS a"), "already_exists: there is a stream")
	require.Contains(t, i.problem("INSERT INTO v VALUES (1, 'a')"), "is a materialized view")
	require.Contains(t, i.problem("DROP STREAM trades"), `conflict: "trades" is read by the materialized view v`)
	require.Contains(t, i.problem("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT * FROM v"), "would read itself")
	i.query("CREATE MATERIALIZED VIEW w AS SELECT sym FROM v")
	require.Contains(t, i.problem("DROP MATERIALIZED VIEW v"), `conflict: "v" is read by the materialized view w`)
	require.Contains(t, i.problem("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT sym FROM w"), "would read itself")
	i.query("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT qty, sym FROM trades WHERE qty < 7")
	i.await(func() bool { return i.wait("SELECT count(*) FROM w") == "[7]\n" })
	i.query("DROP MATERIALIZED VIEW w; DROP MATERIALIZED VIEW v; DROP STREAM trades; DROP MATERIALIZED VIEW IF EXISTS v")
	require.Contains(t, i.problem("DROP MATERIALIZED VIEW v"), "not_found")
	require.Empty(t, i.query("SHOW VIEWS").Rows)
	i = i.restart()
	require.Empty(t, i.query("SHOW VIEWS").Rows)
}

// await waits for a condition that comes true by itself, asking again whenever a view has changed.
func (i *instance) await(met func() bool) {
	i.t.Helper()
	for range 1000 {
		var changed []<-chan struct{}
		for _, v := range i.views.List() {
			changed = append(changed, v.Changed())
		}
		if met() {
			return
		}
		if len(changed) > 0 {
			select {
			case <-changed[0]:
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	require.Fail(i.t, "the condition has not come true")
}

func TestViewThatFailsStopsAlone(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(`CREATE STREAM texts (ts TIMESTAMPTZ NOT NULL, v TEXT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`)
	i.query("CREATE MATERIALIZED VIEW numbers AS SELECT v::BIGINT AS n FROM texts; CREATE MATERIALIZED VIEW lengths AS SELECT length(v) AS n FROM texts")
	i.query("INSERT INTO texts VALUES ('2026-01-01', '1'), ('2026-01-01', '22')")
	require.Equal(t, "[23]\n", i.wait("SELECT sum(n) FROM numbers"))
	i.query("INSERT INTO texts VALUES ('2026-01-01', 'x')")
	require.Equal(t, "[4]\n", i.wait("SELECT sum(n) FROM lengths"))
	i.await(func() bool { return strings.Contains(i.query("SHOW VIEWS").text(), `"failed"`) })
	shown := i.query("SHOW VIEWS").text()
	require.Contains(t, shown, "it stopped at partition 0, offset 2 of texts")
	require.Contains(t, i.problem("SELECT 1 FROM numbers; SELECT 1 FROM nothing"), "not_found")
	require.Equal(t, "[23]\n", i.query("SELECT sum(n) FROM numbers").text(), "what it had can be read")
	answer := i.do("POST", "/v1/sql?wait=true", "SELECT * FROM numbers")
	require.Equal(t, 409, answer.status, string(answer.body))
	i.query("ALTER MATERIALIZED VIEW numbers RESUME")
	i = i.restart()
	require.Equal(t, "[23]\n", i.readable("SELECT sum(n) FROM numbers"))
	require.Equal(t, "[4]\n", i.wait("SELECT sum(n) FROM lengths"))
	i.query("CREATE OR REPLACE MATERIALIZED VIEW numbers AS SELECT CASE WHEN v ~ '^[0-9]+$' THEN v::BIGINT END AS n FROM texts")
	i.query("INSERT INTO texts VALUES ('2026-01-01', '7')")
	require.Equal(t, "[30]\n", i.wait("SELECT sum(n) FROM numbers"))
}

// TestFinalRowsLeaveMemory has a view give more final rows than it may hold, too few for a segment: they go into one early.
func TestFinalRowsLeaveMemory(t *testing.T) {
	t.Parallel()
	d := diskApp(&lockedBuffer{})
	d.viewLimits = views.Limits{SealRows: 1 << 20}
	require.NoError(t, d.open(vfs.NewMem()))
	a := &disk{App: d, t: t}
	a.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	a.must("CREATE MATERIALIZED VIEW v WITH (memory = '40KB') AS SELECT n, n + 1 AS next FROM clicks")
	rows := 0
	for range 20 {
		var values []string
		for range 300 {
			rows++
			values = append(values, fmt.Sprintf("('2026-01-01', %d)", rows))
		}
		a.must("INSERT INTO clicks VALUES " + strings.Join(values, ", "))
		require.Equal(t, rows, a.number("SELECT count(DISTINCT n) FROM v", true))
	}
	require.NoError(t, a.closeStore())
}

// TestViewThatFailedIsChargedForWhatItShows drops a view that has failed: what it was read by counted as held until then.
func TestViewThatFailedIsChargedForWhatItShows(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM texts (ts TIMESTAMPTZ NOT NULL, v TEXT)")
	d.must("CREATE MATERIALIZED VIEW numbers AS SELECT v::BIGINT AS n FROM texts")
	d.must("INSERT INTO texts VALUES ('2026-01-01', '1'), ('2026-01-01', '22')")
	require.Equal(t, 23, d.number("SELECT sum(n) FROM numbers", true))
	view, ok := d.views.View("numbers")
	require.True(t, ok)
	d.must("INSERT INTO texts VALUES ('2026-01-01', 'x')")
	for view.Status().State != views.Failed {
		<-view.Changed()
	}
	held := d.views.Held()
	d.must("DROP MATERIALIZED VIEW numbers")
	require.Less(t, d.views.Held(), held)
	require.NoError(t, d.closeStore())
}

// TestViewSkipsWhatItFailsOver has views go on without single events: while they run, while they are built, and after a restart.
func TestViewSkipsWhatItFailsOver(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(`CREATE STREAM texts (ts TIMESTAMPTZ NOT NULL, v TEXT, w BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`)
	views := map[string]string{
		"numbers": "SELECT v::BIGINT AS n FROM texts",
		"grouped": "SELECT w, sum(v::BIGINT) AS n FROM texts GROUP BY w",
		"paired":  "SELECT a.w / (b.w - 5) AS n FROM texts a JOIN texts b ON a.v = b.v AND a.ts = b.ts",
	}
	for name, body := range views {
		i.query("CREATE MATERIALIZED VIEW " + name + " WITH (memory = '8MB') AS " + body)
	}
	require.Contains(t, i.problem("ALTER MATERIALIZED VIEW numbers RESUME SKIP"), "has not stopped")
	failed := func(name, at string) {
		t.Helper()
		i.await(func() bool {
			return strings.Contains(i.query("SELECT detail FROM system.views WHERE name = '"+name+"' AND state = 'failed'").text(), at)
		})
	}
	i.query("INSERT INTO texts VALUES ('2026-01-01', '1', 1), ('2026-01-02', '22', 2), ('2026-01-03', 'x', 3), ('2026-01-04', '4', 4), ('2026-01-05', '7', 5)")
	failed("numbers", "it stopped at partition 0, offset 2 of texts")
	failed("grouped", "it stopped at partition 0, offset 2 of texts")
	failed("paired", "it stopped at partition 0, offset 4 of texts")
	for name := range views {
		i.query("ALTER MATERIALIZED VIEW " + name + " RESUME SKIP")
	}
	check := func() {
		t.Helper()
		require.Equal(t, "[34]\n", i.wait("SELECT sum(n) FROM numbers"))
		require.Equal(t, "[34]\n", i.wait("SELECT sum(n) FROM grouped"))
		require.Equal(t, "[4]\n", i.wait("SELECT count(*) FROM paired"))
		require.Contains(t, i.query("SHOW VIEWS").text(), "it leaves out partition 0, offset 2 of texts")
	}
	check()
	i = i.restart()
	check()
	i.seal("texts")
	require.Contains(t, i.problem("CREATE MATERIALIZED VIEW later AS SELECT v::BIGINT AS n, ts FROM texts"), "it stopped at partition 0, offset 2 of texts")
	i.query("ALTER MATERIALIZED VIEW later RESUME SKIP")
	i.readable("SELECT sum(n) FROM later")
	require.Equal(t, "[34]\n", i.wait("SELECT sum(n) FROM later"))
	i.query("INSERT INTO texts VALUES ('2026-01-06', 'y', 9), ('2026-01-07', '8', 9)")
	failed("later", "it stopped at partition 0, offset 5 of texts")
	i.query("ALTER MATERIALIZED VIEW later RESUME SKIP")
	require.Equal(t, "[42]\n", i.wait("SELECT sum(n) FROM later"))
}

// readable runs a query once its view can be read.
func (i *instance) readable(sql string) string {
	i.t.Helper()
	i.await(func() bool { return i.do("POST", "/v1/sql", sql).status == 200 })
	return i.query(sql).text()
}

func TestViewIsBuiltAnewWhenAColumnWidens(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.ingest("loose", `{"ts":"2026-01-01T00:00:00Z","a":1}`)
	i.query("CREATE MATERIALIZED VIEW v AS SELECT a, ts FROM loose")
	require.Equal(t, "[1]\n", i.wait("SELECT a FROM v"))
	i.ingest("loose", `{"ts":"2026-01-01T00:00:01Z","a":2.5,"b":"new"}`)
	i.await(func() bool { return i.query("SELECT a FROM v ORDER BY ts").text() == "[1]\n[2.5]\n" })
	i.ingest("loose", `{"ts":"2026-01-01T00:00:02Z","a":3,"c":"newer"}`)
	require.Equal(t, "[1]\n[2.5]\n[3]\n", i.wait("SELECT a FROM v ORDER BY ts"))
	i = i.restart()
	require.Equal(t, "[1]\n[2.5]\n[3]\n", i.wait("SELECT a FROM v ORDER BY ts"))
}

// TestViewSaysThatItsInputHasOutgrownIt lets a column of numbers become JSONB under a sum: the view says what has happened, stays as it was, and
// is replaced by one that knows what to do with the rest.
func TestViewSaysThatItsInputHasOutgrownIt(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.ingest("loose", `{"ts":"2026-01-01T00:00:00Z","a":1}`)
	const grouped = " FROM TUMBLE(loose, ts, INTERVAL '1 day') GROUP BY window_start EMIT ON UPDATE"
	i.query("CREATE MATERIALIZED VIEW v AS SELECT window_start, sum(a) AS total" + grouped)
	require.Equal(t, "[1]\n", i.wait("SELECT total FROM v"))
	i.ingest("loose", `{"ts":"2026-01-01T00:00:01Z","a":"many"}`)
	i.await(func() bool {
		return strings.Contains(i.query("SHOW VIEWS").text(), "its query does not fit it any more: sum(JSONB)")
	})
	require.Contains(t, i.problem("ALTER MATERIALIZED VIEW v RESUME SKIP"), "has not stopped at one event")
	require.Equal(t, "[1]\n", i.query("SELECT total FROM v").text())
	i.query("CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT window_start, sum(try_cast(a AS BIGINT)) AS total" + grouped)
	i.ingest("loose", `{"ts":"2026-01-01T00:00:02Z","a":4}`)
	require.Equal(t, "[5]\n", i.wait("SELECT total FROM v"))
}

// TestViewOverItsMemoryIsPaused gives a view less memory than what is needed to find its groups: it says so, can be read as it is, also after
// a restart, and goes on from there with more.
func TestViewOverItsMemoryIsPaused(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 10)
	require.Contains(t, i.problem("CREATE MATERIALIZED VIEW v AS SELECT qty, count(*) AS n FROM trades GROUP BY qty"), "not_supported")
	i.query("CREATE MATERIALIZED VIEW v WITH (memory = '30KB') AS SELECT qty, count(*) AS n FROM trades GROUP BY qty")
	i.trades(10, 4000)
	paused := func() bool { return strings.Contains(i.query("SHOW VIEWS").text(), `"paused"`) }
	i.await(paused)
	require.Contains(t, i.query("SHOW VIEWS").text(), "bytes of memory and may take 30000 (ALTER MATERIALIZED VIEW v SET (memory = ")
	held := i.query("SELECT count(*) FROM v").text()
	i.trades(4000, 4500)
	require.Equal(t, 409, i.do("POST", "/v1/sql?wait=true", "SELECT * FROM v").status)
	i = i.restart()
	i.await(paused)
	require.Equal(t, held, i.query("SELECT count(*) FROM v").text())
	i.query("ALTER MATERIALIZED VIEW v RESUME")
	require.Contains(t, i.problem("ALTER MATERIALIZED VIEW v SET (start_from = 'now')"), "cannot be changed")
	i.trades(4500, 5000)
	require.True(t, paused())
	i.query("ALTER MATERIALIZED VIEW v SET (memory = '8MB')")
	i.await(func() bool { return !paused() })
	require.Equal(t, "[5000]\n", i.wait("SELECT count(*) FROM v"))
	i = i.restart()
	require.Equal(t, "[5000]\n", i.wait("SELECT sum(n) FROM v"))
	require.Contains(t, i.query("SHOW STATE").text(), ",8000000,")
}

// TestViewsWhoseStateStaysInMemoryArePaused gives views little memory whose state does not go to the disk: each takes no more rows once it has come to
// its bound, says what takes the memory, and can be read.
func TestViewsWhoseStateStaysInMemoryArePaused(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 1)
	views := map[string][2]string{
		"framed": {"SELECT ts, sum(DISTINCT qty) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '9999 days' PRECEDING AND CURRENT ROW) AS s FROM trades", "rolling"},
		"unlike": {"SELECT a.qty FROM (SELECT qty, count(*) AS n FROM trades GROUP BY qty) a JOIN trades b ON a.qty + b.qty + a.n = -1", "join inner"},
		"median": {"SELECT median(qty) AS m FROM trades", "accumulate"},
		"nested": {"SELECT qty, (SELECT count(*) FROM trades b WHERE b.qty * 2 < a.qty AND b.qty + a.qty = -1) AS n FROM trades a", "recompute"},
	}
	for name, v := range views {
		i.query("CREATE MATERIALIZED VIEW " + name + " WITH (memory = '50KB') AS " + v[0])
	}
	for from := 1; from < 2401; from += 300 {
		i.trades(from, from+300)
		i.await(func() bool {
			return i.query("SELECT count(*) FROM system.views WHERE state <> 'paused' AND lag_rows > 0").text() == "[0]\n"
		})
	}
	for name, v := range views {
		status := i.query("SELECT state, detail FROM system.views WHERE name = '" + name + "'").text()
		require.Contains(t, status, "paused")
		require.Contains(t, status, "are for what does not go to the disk: "+v[1])
		i.query("SELECT count(*) FROM " + name)
	}
}

// TestViewWithMoreGroupsThanMemory has several times the groups that there is memory for: they go to the disk, and the view goes on and
// holds what its query gives, also for groups that come back, and after a restart.
func TestViewWithMoreGroupsThanMemory(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM hits (ts TIMESTAMPTZ NOT NULL, page BIGINT, ms BIGINT)")
	body := "SELECT page, count(*) AS n, sum(ms) AS ms, max(ts) AS latest FROM hits GROUP BY page"
	i.query("CREATE MATERIALIZED VIEW v WITH (memory = '10MB') AS " + body)
	check := func() {
		t.Helper()
		sums := "SELECT count(*), sum(n), sum(ms), sum(page * n), min(latest), max(latest) FROM "
		require.Equal(t, i.query(sums+"("+body+") x").text(), i.wait(sums+"v"))
		require.Contains(t, i.query("SHOW VIEWS").text(), `"running"`)
	}
	for n := range 10 {
		i.query(fmt.Sprintf(`INSERT INTO hits SELECT TIMESTAMP '2026-01-01' + x * INTERVAL '1 second', (x * 7919 + %d) %% 150000, x %% 10
			FROM generate_series(1, 20000) g (x)`, n*20000))
		check()
	}
	i.await(func() bool {
		return i.query("SELECT disk_bytes > 1000000, memory_bytes < memory_limit FROM system.views").text() == "[true,true]\n"
	})
	i = i.restart()
	check()
	i.query("INSERT INTO hits SELECT TIMESTAMP '2026-01-02', x, 1 FROM generate_series(1, 150000, 100) g (x)")
	check()
}

// TestOnlyDirectoriesOfViewsAreRemoved starts over directories that no view has, of which some are not a view's at all.
func TestOnlyDirectoriesOfViewsAreRemoved(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 10)
	i.query("CREATE MATERIALIZED VIEW v AS SELECT qty FROM trades")
	require.NoError(t, i.Close())
	for _, dir := range []string{"state/other", "state/gone.7", "views/gone.7", "views/v.9"} {
		require.NoError(t, os.MkdirAll(filepath.Join(i.data, dir), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(i.data, dir, "file"), nil, 0o600))
	}
	i = start(t, i.data)
	require.Equal(t, "[10]\n", i.wait("SELECT count(*) FROM v"))
	require.FileExists(t, filepath.Join(i.data, "state", "other", "file"))
	for _, dir := range []string{"state/gone.7", "views/gone.7", "views/v.9"} {
		require.NoDirExists(t, filepath.Join(i.data, dir))
	}
}
