package app

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// recordedViews are ten views of the events of a recording, which differ in more than they share: what they go by is {when}.
var recordedViews = []playedView{
	{name: "some", query: `SELECT {when}, "Hostname", "EventID" FROM events WHERE "EventID" % 2 = 1`},
	{
		name: "tumbled", query: `SELECT window_start, window_end, "EventID", count(*) AS n FROM TUMBLE(TABLE events, ` +
			`DESCRIPTOR({when}), INTERVAL '5 seconds') ` +
			`GROUP BY window_start, window_end, "EventID"`, ending: " EMIT ON WINDOW CLOSE",
		equals: `SELECT * FROM (SELECT window_start, window_end, "EventID", count(*) AS n FROM TUMBLE(TABLE events, ` +
			`DESCRIPTOR({when}), INTERVAL '5 seconds') ` +
			`GROUP BY window_start, window_end, "EventID" LATE DROP) AS q WHERE window_end <= {}`,
	},
	{
		name: "hopped", query: `SELECT window_end, "Hostname", count(*) AS n, min("EventID") AS least, count(DISTINCT "EventID") AS kinds FROM ` +
			`HOP(TABLE events, DESCRIPTOR({when}), INTERVAL '10 seconds', INTERVAL '1 minute') GROUP BY window_start, window_end, ` +
			`"Hostname"`, ending: " LATE DROP",
	},
	{
		name: "sessions", query: `SELECT window_start, window_end, "EventID", count(*) AS n FROM ` +
			`SESSION(TABLE events PARTITION BY "EventID", DESCRIPTOR({when}), INTERVAL '2 seconds') GROUP BY window_start, ` +
			`window_end, "EventID"`, ending: " LATE DROP",
	},
	{
		name: "rolling", query: `SELECT {when}, "EventID", count(*) OVER w AS n, max("EventID") OVER w AS most FROM events ` +
			`WINDOW w AS (PARTITION BY "Hostname" ORDER BY {when} RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW)`,
		equals: `SELECT * FROM (SELECT {when}, "EventID", count(*) OVER w AS n, max("EventID") OVER w AS most FROM events WHERE ` +
			`_watermark IS NULL OR {when} >= _watermark ` +
			`WINDOW w AS (PARTITION BY "Hostname" ORDER BY {when} RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW)) AS q WHERE {when} <= {}`,
	},
	{
		name: "top", query: `SELECT window_end, "EventID", n FROM (SELECT *, row_number() OVER (PARTITION BY window_start, ` +
			`window_end ORDER BY n DESC, "EventID") AS r ` +
			`FROM (SELECT window_start, window_end, "EventID", count(*) AS n FROM TUMBLE(TABLE events, DESCRIPTOR({when}), INTERVAL '20 seconds') ` +
			`GROUP BY window_start, window_end, "EventID") AS c) AS t WHERE r <= 2`, ending: " LATE DROP",
	},
	{
		name: "joined", query: `SELECT a.{when}, a."Hostname", b.{when} AS later FROM events a JOIN events b ON a."Hostname" = b."Hostname" ` +
			`AND a."EventID" IN (1, 4688, 4689) AND b."EventID" = 5 AND b.{when} BETWEEN a.{when} AND a.{when} + INTERVAL '1 second'`, ending: " LATE DROP",
	},
	{name: "newest", with: "WITH (memory = '64MB')", query: `SELECT "EventID", {when}, "Hostname" FROM events{at} LATEST ON ` +
		`{when} PARTITION BY "EventID"`},
	{
		name: "first", with: "WITH (memory = '64MB')",
		query: `SELECT "EventID", {when} FROM (SELECT *, row_number() OVER (PARTITION BY "EventID" ORDER BY {when} DESC) AS r FROM ` +
			`events{at}) AS q WHERE r <= 2`,
	},
	{name: "cascade", with: "WITH (memory = '64MB')", query: `SELECT "EventID", sum(n) AS n, max(n) AS most, count(*) AS ` +
		`windows FROM tumbled GROUP BY "EventID"`},
}

// TestTenViewsOverEveryRecording plays each recording of security events into ten views, as fast as it goes, while others read them.
func TestTenViewsOverEveryRecording(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(recordings, "security", "*.gz"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Log("the recordings are absent: a small file of testdata is played")
		files = []string{"testdata/played/security.ndjson"}
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := linesOf(t, file, raced(400, 1200))
			when := `"TimeCreated"`
			if strings.Contains(lines[0], `"@timestamp"`) {
				when = `"@timestamp"`
			}
			views := make([]playedView, len(recordedViews))
			for i, v := range recordedViews {
				v.query, v.equals = strings.ReplaceAll(v.query, "{when}", when), strings.ReplaceAll(v.equals, "{when}", when)
				views[i] = v
			}
			i := start(t, t.TempDir())
			i.query(fmt.Sprintf(`CREATE STREAM events (%s TIMESTAMPTZ NOT NULL, "Hostname" TEXT, "EventID" BIGINT, WATERMARK FOR `+
				`%[1]s AS %[1]s - INTERVAL '4 seconds') `+
				`PARTITIONS 2 WITH (schema = 'evolve')`, when))
			i.playInto(views, map[string]string{"some": "events", "newest": "events", "first": "events"}, func() { play(t, i, "events", lines) })
		})
	}
}

// devopsStreams are the streams of the DevOps data, each with a column of its own.
var devopsStreams = map[string]string{
	"cpu": "usage_user", "diskio": "reads", "disk": "free", "kernel": "interrupts", "mem": "used", "net": "bytes_sent", "nginx": "requests",
	"postgresl": "numbackends", "redis": "keyspace_hits",
}

// devopsViews are views over nine streams at once.
var devopsViews = []playedView{
	{
		name: "tumbled", query: "SELECT window_end, region, sum(usage_user) AS s, max(usage_system) AS most FROM TUMBLE(TABLE cpu, " +
			"DESCRIPTOR(time), INTERVAL '5 minutes') " +
			"GROUP BY window_start, window_end, region", ending: " EMIT ON WINDOW CLOSE",
		equals: "SELECT * FROM (SELECT window_end, region, sum(usage_user) AS s, max(usage_system) AS most FROM TUMBLE(TABLE cpu, " +
			"DESCRIPTOR(time), INTERVAL '5 minutes') " +
			"GROUP BY window_start, window_end, region LATE DROP) AS q WHERE window_end <= {}",
	},
	{
		name: "hopped", query: "SELECT window_end, team, min(free) AS least, count(*) AS n FROM HOP(TABLE mem, DESCRIPTOR(time), " +
			"INTERVAL '2 minutes', INTERVAL '6 minutes') " +
			"GROUP BY window_start, window_end, team", ending: " LATE DROP",
	},
	{name: "newest", with: "WITH (memory = '64MB')", query: "SELECT hostname, time, free FROM disk{at} LATEST ON time PARTITION BY hostname"},
	{
		name: "sessions", query: "SELECT window_start, window_end, hostname, count(*) AS n FROM SESSION(TABLE diskio PARTITION BY " +
			"hostname, DESCRIPTOR(time), INTERVAL '90 seconds') " +
			"GROUP BY window_start, window_end, hostname", ending: " LATE DROP",
	},
	{name: "busy", query: "SELECT time, hostname, bytes_sent FROM net WHERE bytes_sent % 3 = 0"},
	{
		name: "rolling", query: "SELECT time, hostname, sum(requests) OVER w AS s FROM nginx " +
			"WINDOW w AS (PARTITION BY hostname ORDER BY time RANGE BETWEEN INTERVAL '3 minutes' PRECEDING AND CURRENT ROW)",
		equals: "SELECT * FROM (SELECT time, hostname, sum(requests) OVER w AS s FROM nginx WHERE _watermark IS NULL OR time >= _watermark " +
			"WINDOW w AS (PARTITION BY hostname ORDER BY time RANGE BETWEEN INTERVAL '3 minutes' PRECEDING AND CURRENT ROW)) AS q WHERE time <= {}",
	},
	{
		name: "top", query: "SELECT window_end, hostname, interrupts FROM (SELECT *, row_number() OVER (PARTITION BY window_start, " +
			"window_end ORDER BY interrupts DESC, hostname) AS r " +
			"FROM TUMBLE(TABLE kernel, DESCRIPTOR(time), INTERVAL '2 minutes')) AS q WHERE r <= 3", ending: " LATE DROP",
	},
	{name: "kinds", with: "WITH (memory = '64MB')", query: "SELECT region, team, count(*) AS n, count(DISTINCT hostname) AS " +
		"hosts FROM redis GROUP BY region, team"},
	{
		name: "joined", query: "SELECT p.time, p.hostname, p.numbackends, r.keyspace_hits FROM postgresl p JOIN redis r ON p.hostname = r.hostname " +
			"AND r.time BETWEEN p.time AND p.time + INTERVAL '1 minute' WHERE p.hostname < 'host_2'", ending: " LATE DROP",
	},
	{
		name: "together", query: "SELECT c.window_end, c.n, m.n AS other FROM (SELECT window_start, window_end, count(*) AS n FROM " +
			"TUMBLE(TABLE cpu, DESCRIPTOR(time), INTERVAL '1 minute') " +
			"GROUP BY window_start, window_end) AS c JOIN (SELECT window_start, window_end, count(*) AS n FROM TUMBLE(TABLE mem, " +
			"DESCRIPTOR(time), INTERVAL '1 minute') " +
			"GROUP BY window_start, window_end) AS m ON c.window_start = m.window_start AND c.window_end = m.window_end", ending: " LATE DROP",
	},
	{name: "cascade", with: "WITH (memory = '64MB')", query: "SELECT region, sum(s) AS s, max(window_end) AS latest FROM tumbled GROUP BY region"},
}

// TestViewsOverNineStreams plays the DevOps data, whose lines are of nine streams, into views over all of these.
func TestViewsOverNineStreams(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	for name, column := range devopsStreams {
		i.query(fmt.Sprintf("CREATE STREAM %s (time TIMESTAMPTZ NOT NULL, hostname TEXT, region TEXT, team TEXT, %s BIGINT, "+
			"WATERMARK FOR time AS time - INTERVAL '1 minute') "+
			"PARTITIONS 2 WITH (schema = 'evolve')", name, column))
	}
	i.query("ALTER STREAM cpu ADD COLUMN usage_system BIGINT")
	lines := devopsLines(t)
	i.query("ALTER STREAM mem ADD COLUMN free BIGINT")
	random := rand.New(rand.NewPCG(7, 9))
	i.playInto(devopsViews, map[string]string{"busy": "net", "newest": "disk", "kinds": "redis"}, func() {
		for rest := lines; len(rest) > 0; {
			n := min(1+random.IntN(1500), len(rest))
			answer := i.do("POST", "/write?db=devops", strings.Join(rest[:n], ""))
			if answer.status != http.StatusNoContent {
				t.Errorf("%d: %s", answer.status, answer.body)
				return
			}
			rest = rest[n:]
		}
	})
}

// devopsLines are lines of the DevOps data, or of what is made like it where that is absent.
func devopsLines(t *testing.T) []string {
	t.Helper()
	file := filepath.Join(recordings, "tsbs", "devops.influx.gz")
	if _, err := os.Stat(file); err == nil {
		return linesOf(t, file, 12_600) // 14 minutes
	}
	t.Logf("%s is absent: lines made like it are played", file)
	var out []string
	random := rand.New(rand.NewPCG(1, 2))
	for minute := range 14 {
		for stream, column := range devopsStreams {
			for host := range 12 {
				fields := fmt.Sprintf("%s=%di,usage_system=%di", column, random.IntN(100), random.IntN(100))
				if column != "free" {
					fields += fmt.Sprintf(",free=%di", random.IntN(1000))
				}
				out = append(out, fmt.Sprintf("%s,hostname=host_%d,region=r%d,team=t%d %s %d\n",
					stream, host, host%3, host%2, fields, (1704067200+60*minute)*1_000_000_000))
			}
		}
	}
	return out
}

// linesOf are the first lines of a file, so many in a usual run.
func linesOf(t *testing.T, file string, most int) []string {
	t.Helper()
	lines := strings.SplitAfter(strings.TrimSpace(string(readRecording(t, file))), "\n")
	if os.Getenv("TIDEMARK_STRESS") == "" && len(lines) > most {
		lines = lines[:most]
	}
	lines[len(lines)-1] += "\n"
	return lines
}

// playInto makes views, plays events into their streams while some of the views are read, and holds each to its query at the end.
func (i *instance) playInto(views []playedView, read map[string]string, feed func()) {
	i.t.Helper()
	for _, v := range views {
		i.query("CREATE MATERIALIZED VIEW " + v.name + " " + v.with + " AS " + strings.ReplaceAll(v.query, "{at}", "") + v.ending)
	}
	var writers, readers sync.WaitGroup
	writers.Go(feed)
	done := stopped(&writers)
	for view, stream := range read {
		readers.Go(func() { i.readsOneVector(done, views, view, stream) })
	}
	<-done
	readers.Wait()
	i.holdsItsQueries(views)
}

// holdsItsQueries compares each view with its query once it has taken all that was acknowledged.
func (i *instance) holdsItsQueries(views []playedView) {
	i.t.Helper()
	for _, v := range views {
		i.wait("SELECT 1 FROM " + v.name + " LIMIT 0")
	}
	some := 0
	for _, v := range views {
		got := i.sortedRows("SELECT * FROM " + v.name)
		want := v.equals
		if want == "" {
			want = strings.ReplaceAll(v.query, "{at}", "") + v.ending
		}
		until := i.sortedRows("SELECT complete_until FROM system.views WHERE name = '" + v.name + "'")[0]
		want = strings.ReplaceAll(want, "{}", "TIMESTAMPTZ '"+strings.Trim(until, `["]`)+"'")
		require.Equal(i.t, i.sortedRows(want), got, v.name)
		if got[0] != "" {
			some++
		}
	}
	require.Greater(i.t, some, len(views)/2, "views with rows")
}
