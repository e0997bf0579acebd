package app

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// playedStreams are real events, and what is played of each into the views: by the name of the stream, the columns that are declared and the
// files. Where the recordings are absent small files of the same shapes take their place.
var playedStreams = []struct{ name, create, files string }{
	{"cpu", "(ts TIMESTAMPTZ NOT NULL, hostname TEXT, region TEXT, usage_user BIGINT, WATERMARK FOR ts AS ts - INTERVAL '1 minute')", "tsbs/cpu_only.ndjson.gz"},
	{
		"readings", "(ts TIMESTAMPTZ NOT NULL, name TEXT, fleet TEXT, velocity DOUBLE PRECISION, WATERMARK FOR ts AS ts - INTERVAL '1 minute')",
		"tsbs/iot_readings.ndjson.gz",
	},
	{
		"security", `("@timestamp" TIMESTAMPTZ NOT NULL, "Hostname" TEXT, "EventID" BIGINT, WATERMARK FOR "@timestamp" AS "@timestamp" - INTERVAL '10 seconds')`,
		"security/schtask_modification.ndjson.gz",
	},
}

type playedView struct{ name, with, query, ending, equals string }

// playedViews are views of ten kinds, each with the query that it is held to when all has come: {} is how far it says that it is complete.
var playedViews = []playedView{
	{name: "busy", query: "SELECT ts, hostname, usage_user FROM cpu WHERE usage_user > 90"},
	{
		name: "tumbled", query: "SELECT window_end, region, count(*) AS n, sum(usage_user) AS s FROM TUMBLE(TABLE cpu, DESCRIPTOR(ts), INTERVAL '5 minutes') " +
			"GROUP BY window_start, window_end, region", ending: " EMIT ON WINDOW CLOSE",
		equals: "SELECT * FROM (SELECT window_end, region, count(*) AS n, sum(usage_user) AS s FROM TUMBLE(TABLE cpu, DESCRIPTOR(ts), INTERVAL '5 minutes') " +
			"GROUP BY window_start, window_end, region LATE DROP) AS q WHERE window_end <= {}",
	},
	{
		name: "hopped", query: "SELECT window_end, hostname, max(usage_user) AS most, count(*) AS n FROM " +
			"HOP(TABLE cpu, DESCRIPTOR(ts), INTERVAL '5 minutes', INTERVAL '15 minutes') GROUP BY window_start, window_end, hostname", ending: " LATE DROP",
	},
	{
		name: "sessions", query: `SELECT window_start, window_end, "Hostname", count(*) AS n FROM ` +
			`SESSION(TABLE security PARTITION BY "Hostname", DESCRIPTOR("@timestamp"), INTERVAL '5 seconds') GROUP BY window_start, window_end, "Hostname"`,
		ending: " LATE DROP",
	},
	{
		name: "rolling", query: "SELECT ts, hostname, sum(usage_user) OVER w AS s, count(*) OVER w AS n FROM cpu " +
			"WINDOW w AS (PARTITION BY hostname ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW)",
		equals: "SELECT * FROM (SELECT ts, hostname, sum(usage_user) OVER w AS s, count(*) OVER w AS n FROM cpu WHERE _watermark IS NULL OR ts >= _watermark " +
			"WINDOW w AS (PARTITION BY hostname ORDER BY ts RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW)) AS q WHERE ts <= {}",
	},
	{
		name: "top", query: "SELECT window_end, hostname, s FROM (SELECT window_end, hostname, s, " +
			"row_number() OVER (PARTITION BY window_end ORDER BY s DESC, hostname) AS r " +
			"FROM (SELECT window_end, hostname, sum(usage_user) AS s FROM TUMBLE(TABLE cpu, DESCRIPTOR(ts), INTERVAL '10 minutes') " +
			"GROUP BY window_start, window_end, hostname) AS c) AS t WHERE r <= 3", ending: " LATE DROP",
	},
	{
		name: "joined", query: "SELECT c.ts AS ts, c.hostname AS hostname, c.usage_user AS usage_user, r.name AS name, r.ts AS driven FROM cpu c JOIN readings r " +
			"ON replace(c.hostname, 'host_', '') = replace(r.name, 'truck_', '') AND r.ts BETWEEN c.ts AND c.ts + INTERVAL '30 seconds'", ending: " LATE DROP",
	},
	{name: "newest", with: "WITH (memory = '64MB')", query: "SELECT hostname, ts, usage_user FROM cpu{at} LATEST ON ts PARTITION BY hostname"},
	{name: "kinds", with: "WITH (memory = '64MB')", query: `SELECT DISTINCT "Hostname", "EventID" FROM security`},
	{
		name: "cascade", with: "WITH (memory = '64MB')", query: "SELECT region, sum(n) AS n, sum(s) AS s, max(window_end) AS latest FROM tumbled GROUP BY region",
	},
}

// readWhileIn are the views that are read while events come. What they hold then is what the query gives over the offsets that the answer
// says they have taken.
var readWhileIn = map[string]string{"busy": "cpu", "newest": "cpu", "kinds": "security"}

// TestTenViewsOverWhatIsPlayed plays recorded events into ten views of all kinds, as fast as they go, while others read them.
func TestTenViewsOverWhatIsPlayed(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	for _, s := range playedStreams {
		i.query("CREATE STREAM " + s.name + " " + s.create + " PARTITIONS 2 WITH (schema = 'evolve')")
	}
	for _, v := range playedViews {
		i.query("CREATE MATERIALIZED VIEW " + v.name + " " + v.with + " AS " + strings.ReplaceAll(v.query, "{at}", "") + v.ending)
	}
	var writers, readers sync.WaitGroup
	for _, s := range playedStreams {
		body := playedLines(t, s.name, s.files)
		writers.Go(func() { play(t, i, s.name, body) })
	}
	done := stopped(&writers)
	for view, stream := range readWhileIn {
		readers.Go(func() { i.readsOneVector(done, playedViews, view, stream) })
	}
	<-done
	readers.Wait()
	i.holdsItsQueries(playedViews)
}

// playedLines are the lines of a recording, not all of them in a usual run.
func playedLines(t *testing.T, name, file string) []string {
	t.Helper()
	path := filepath.Join(recordings, file)
	if _, err := os.Stat(path); err != nil {
		t.Logf("%s is absent: a small file of testdata is played", path)
		path = "testdata/played/" + name + ".ndjson"
	}
	lines := strings.SplitAfter(strings.TrimSpace(string(readRecording(t, path))), "\n")
	if most := 5000; os.Getenv("TIDEMARK_STRESS") == "" && len(lines) > most {
		lines = lines[:most]
	}
	return lines
}

// play sends lines in many requests of different lengths.
func play(t *testing.T, i *instance, stream string, lines []string) {
	random := rand.New(rand.NewPCG(7, uint64(len(lines))))
	for len(lines) > 0 {
		n := min(1+random.IntN(1+len(lines)/20), len(lines))
		answer := i.do("POST", "/v1/streams/"+stream+"/events", strings.Join(lines[:n], ""))
		if answer.status != http.StatusOK {
			t.Errorf("%s: %s", stream, answer.body)
			return
		}
		lines = lines[n:]
	}
}

// sortedRows gives the rows of an answer, a line each.
func (i *instance) sortedRows(sql string) []string {
	i.t.Helper()
	lines := strings.Split(strings.TrimSpace(i.query(sql).text()), "\n")
	slices.Sort(lines)
	return lines
}

// readsOneVector reads a view until all has come. Each answer is what the query gives over the offsets that the view had taken.
func (i *instance) readsOneVector(done <-chan struct{}, views []playedView, view, stream string) {
	at := slices.IndexFunc(views, func(v playedView) bool { return v.name == view })
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		var out struct {
			table
			Stats struct {
				Views map[string]struct{ Vector map[string][]int64 }
			}
		}
		i.do("POST", "/v1/sql", "SELECT * FROM "+view).decode(i.t, &out)
		got := strings.Split(strings.TrimSpace(out.text()), "\n")
		slices.Sort(got)
		condition := " WHERE FALSE"
		for p, next := range out.Stats.Views[view].Vector[stream] {
			condition += fmt.Sprintf(" OR _partition = %d AND _offset < %d", p, next)
		}
		query := strings.ReplaceAll(views[at].query, "{at}", condition)
		if query == views[at].query {
			query = strings.Replace(query, "FROM "+stream, "FROM (SELECT * FROM "+stream+condition+") AS "+stream, 1)
		}
		if want := i.sortedRows(query); !slices.Equal(want, got) {
			i.t.Errorf("%s over %s: %d rows, and %d in the view", view, condition, len(want), len(got))
			return
		}
	}
}
