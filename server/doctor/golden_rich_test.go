package doctor

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/config"
)

// keyedBody has a row that its stream rejects, and one that it has under its DEDUP KEY.
const keyedBody = `{"id":"a","at":"2026-03-01T10:00:00Z"}
{"id":"b","at":"2026-03-01T10:00:01Z"}
{"id":"a","at":"2026-03-01T10:00:02Z"}
{"id":{},"at":"never"}
`

// makeRich fills a directory with what there is beside plain rows: archived and merged segments, retention, schemas that change, kept fields, views of
// several kinds, keys, rejected rows, and damage that was accepted.
func makeRich(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := archiving(t, dir)
	s.must("/v1/sql", "CREATE STREAM trades (at TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT, WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (sort = 'sym')")
	s.must("/v1/sql", `CREATE STREAM uniques (id TEXT, at TIMESTAMPTZ NOT NULL, WATERMARK FOR at AS at) DEDUP KEY (id) WITHIN INTERVAL '1 day'
		WITH (schema = 'strict')`)
	s.must("/v1/sql", "CREATE STREAM passing (at TIMESTAMPTZ NOT NULL, n BIGINT, WATERMARK FOR at AS at) WITH (retention = '1 hour')")
	s.must("/v1/sql", "CREATE MATERIALIZED VIEW minutes WITH (memory = '16MiB') AS SELECT window_start, count(*) AS c, sum(qty) AS q "+
		"FROM TUMBLE(TABLE trades, DESCRIPTOR(at), INTERVAL '1 minute') GROUP BY window_start, window_end EMIT ON WINDOW CLOSE")
	s.must("/v1/sql", "CREATE MATERIALIZED VIEW by_sym WITH (memory = '16MiB') AS SELECT sym, count(*) AS c, sum(qty) AS q FROM trades GROUP BY sym")
	s.must("/v1/sql", "CREATE MATERIALIZED VIEW busy WITH (memory = '16MiB') AS SELECT sym, c FROM by_sym WHERE c > 45")
	for minute := range 8 {
		s.must("/v1/streams/trades/events", trades(minute))
		s.must("/v1/streams/trades/seal", "")
	}
	s.must("/v1/streams/evolving/events", `{"at":"2026-03-01T10:00:00Z","v":1,"u":"00112233-4455-6677-8899-aabbccddeeff"}`)
	s.must("/v1/streams/evolving/seal", "")
	s.must("/v1/streams/evolving/events", `{"at":"2026-03-01T10:00:01Z","v":2.5,"w":{"deep":[1,2]}}`)
	s.must("/v1/streams/evolving/seal", "")
	s.must("/v1/streams/evolving/events", `{"at":"2026-03-01T10:00:02Z","v":"three","u":"no uuid"}`)
	var wide strings.Builder
	for i := range 2100 {
		fmt.Fprintf(&wide, `,"f%04d":%d`, i, i)
	}
	s.must("/v1/streams/wide/events", `{"at":"2026-03-01T10:00:00Z"`+wide.String()+"}")
	s.must("/v1/streams/uniques/events", keyedBody, "Idempotency-Key", "rich")
	s.must("/v1/streams/passing/events", `{"at":"2020-01-01T00:00:00Z","n":1}`)
	s.must("/v1/streams/passing/seal", "")
	for waits := 0; ; waits++ { // segments are looked at whenever one comes
		s.must("/v1/streams/kicks/events", `{"n":1}`)
		s.must("/v1/streams/kicks/seal", "")
		passing, merged := s.sql("SELECT count(*) FROM passing"), s.sql("SELECT count(*) FROM system.segments WHERE stream = 'trades'")
		if passing == "0" && merged < "5" && archived(t, dir, "trades") > 0 {
			break
		}
		require.Less(t, waits, 500, "%s rows to expire, %s segments", passing, merged)
	}
	s.must("/v1/streams/harmed/events", `{"n":"first row"}`)
	s.must("/v1/streams/harmed/events", `{"n":"second row"}`)
	s.must("/v1/streams/harmed/events", `{"n":"third row"}`)
	s.must("/v1/streams/trades/events", trades(8)) // not sealed
	require.Equal(t, "180", s.sql("SELECT sum(c) FROM by_sym"))
	require.NoError(t, s.Close())
	harm(t, only(t, dir, "log/harmed/0/*0.log"), "second row")
	s = serve(t, dir)
	answer, err := http.Post(s.AdminURL()+"/quarantine/harmed/accept", "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.NoError(t, answer.Body.Close())
	require.NoError(t, s.Close())
	return dir
}

// trades are twenty rows of a minute.
func trades(minute int) string {
	var out strings.Builder
	for n := range 20 {
		fmt.Fprintf(&out, `{"at":"2026-03-01T10:%02d:%02dZ","sym":"s%d","qty":%d}`+"\n", minute, 3*n, n%4, minute+n)
	}
	return out.String()
}

// archiving is a server that packs segments tighter at once.
func archiving(t *testing.T, dir string) *server {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen, c.ArchiveAfter = dir, "127.0.0.1:0", "127.0.0.1:0", time.Nanosecond
	a, err := app.Start(t.Context(), c, "test", slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return &server{a, t}
}

// archived counts the segments of a stream in the layout of old data.
func archived(t *testing.T, dir, stream string) (count int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "segments", stream, "*.parquet"))
	require.NoError(t, err)
	for _, name := range names {
		body, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // merged since
		}
		require.NoError(t, err)
		if bytes.Contains(body, []byte("\x28\xb5\x2f\xfd")) { // what Zstandard begins with
			count++
		}
	}
	return count
}

// harm changes a byte of a text in a file.
func harm(t *testing.T, name, text string) {
	t.Helper()
	body, err := os.ReadFile(name)
	require.NoError(t, err)
	at := bytes.Index(body, []byte(text))
	require.Positive(t, at)
	body[at] ^= 1
	require.NoError(t, os.WriteFile(name, body, 0o600))
}

// TestSecondFormatOpens: testdata/v2 was written once and stays as it is. It has a file and a record of every kind that there was then.
func TestSecondFormatOpens(t *testing.T) {
	t.Parallel()
	started, written := time.Now(), time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC) // requests are remembered for a day
	checkRich(t, "testdata/v2", func() time.Time { return written.Add(time.Since(started)) })
}

// TestPresentFormatIsAsTheGoldenOne: what this program writes is read as the golden directory is.
func TestPresentFormatIsAsTheGoldenOne(t *testing.T) {
	t.Parallel()
	checkRich(t, makeRich(t), time.Now)
}

// generations are the directories that views have, which are others once a view has been built anew.
func generations(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "state"))
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.NotEmpty(t, names)
	return names
}

func checkRich(t *testing.T, golden string, now func() time.Time) {
	t.Helper()
	report := verified(t, golden)
	for _, f := range report.Findings {
		require.Equal(t, Known, f.Kind, "%v", f)
		require.Contains(t, f.File, "log/harmed/", "%v", f)
	}
	require.NotEmpty(t, report.Findings, "the damage that was accepted")

	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(golden)))
	kinds := map[string]bool{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if below, _ := filepath.Rel(dir, name); err == nil && !entry.IsDir() {
			kinds[strings.Split(below, "/")[0]+filepath.Ext(name)] = true
		}
		return err
	}))
	for _, kind := range []string{"journal.log", "log.log", "segments.parquet", "views.log", "state.state", "state.snapshot"} {
		require.True(t, kinds[kind], kind)
	}
	require.Positive(t, archived(t, dir, "trades"))
	s := serveAt(t, dir, now)
	for query, want := range map[string]string{
		"SELECT count(*), sum(qty), min(at), max(sym) FROM trades":                      "180,2430,2026-03-01T10:00:00.000000Z,s3",
		"SELECT count(*), sum(c), sum(q) FROM minutes":                                  "8,160,2080",
		"SELECT count(*), sum(c), sum(q) FROM by_sym":                                   "4,180,2430",
		"SELECT count(*) FROM busy":                                                     "0",
		"SELECT v, u, w FROM evolving ORDER BY at":                                      `1,00112233-4455-6677-8899-aabbccddeeff, 2.5,,"{""deep"":[1,2]}" """three""",no uuid,`,
		"SELECT f0000, _extra->>'f2099' FROM wide":                                      "0,2099",
		"SELECT count(*), count(DISTINCT id) FROM uniques":                              "2,2",
		"SELECT count(*) FROM uniques_rejected":                                         "1",
		"SELECT count(*) FROM passing":                                                  "0",
		"SELECT n FROM harmed ORDER BY _offset":                                         "first row third row",
		"SELECT count(*) FROM information_schema.columns WHERE table_name = 'evolving'": "4",
	} {
		require.Equal(t, want, s.sql(query), query)
	}
	again := s.must("/v1/streams/uniques/events", keyedBody, "Idempotency-Key", "rich")
	require.Contains(t, again, `"accepted":0,"rejected":1,"duplicates":3`)
	require.Contains(t, again, `"offsets":[{"partition":0,"first":0,"last":1}]`)
	require.Contains(t, s.must("/v1/streams/uniques/events", `{"id":"b","at":"2026-03-01T10:00:05Z"}`), `"duplicates":1`)
	s.must("/v1/streams/trades/events", trades(9))
	require.Equal(t, "200", s.sql("SELECT sum(c) FROM by_sym"))
	require.Equal(t, "4", s.sql("SELECT count(*) FROM busy"))
	require.Contains(t, s.must("/v1/streams/harmed/events", `{"n":"fourth row"}`), `"first":3,`)
	require.NoError(t, s.Close())
	require.Equal(t, generations(t, golden), generations(t, dir), "no view has been built anew: their state is as good as ever")
}

// verified is what Verify says of a data directory.
func verified(t *testing.T, dir string) *Report {
	t.Helper()
	files, err := vfs.NewReadOnly(dir)
	require.NoError(t, err)
	report, err := Verify(t.Context(), files)
	require.NoError(t, err)
	require.NoError(t, files.Close())
	return report
}
