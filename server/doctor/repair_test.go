package doctor

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// flip changes one byte in the middle of a file.
func flip(t testing.TB, name string) {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(name, content, 0o600))
}

// only is the file that a pattern matches first.
func only(t testing.TB, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	require.NoError(t, err)
	require.NotEmpty(t, found, pattern)
	return found[0]
}

func repair(t testing.TB, dir string) *Repaired {
	t.Helper()
	fs, err := vfs.NewReal(dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, fs.Close()) }()
	out, err := Repair(t.Context(), fs, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	t.Logf("done %q lost %q", out.Done, out.Lost)
	return out
}

const everything = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM clicks), (SELECT sum(c) FROM totals)"

func TestRepairLeavesGoodDataAlone(t *testing.T) {
	t.Parallel()
	dir := makeData(t)
	out := repair(t, dir)
	require.Empty(t, out.Done)
	require.Empty(t, out.Lost)
	require.Equal(t, "600,3,600", serve(t, dir).sql(everything))
}

// TestRepairOfADamagedJournal: a journal that is damaged in its middle takes no row with it.
func TestRepairOfADamagedJournal(t *testing.T) {
	t.Parallel()
	dir := makeData(t)
	journal := only(t, dir, "journal/*.log")
	content, err := os.ReadFile(journal)
	require.NoError(t, err)
	at := strings.LastIndex(string(content), `"sealed"`) // the edit of the last seal
	content[at] ^= 1
	require.NoError(t, os.WriteFile(journal, content, 0o600))
	out := repair(t, dir)
	require.Empty(t, out.Lost)
	only(t, dir, out.Aside+"/journal/*.log")
	s := serve(t, dir)
	require.Equal(t, "600,3,600", s.sql(everything))
	require.Contains(t, s.must("/v1/streams/orders/events", `{"n":1}`), `"first":600,`)
	require.NoError(t, s.Close())
	files, err := vfs.NewReadOnly(dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, files.Close()) }()
	report, err := Verify(t.Context(), files)
	require.NoError(t, err)
	require.False(t, report.Damaged(), "%v", report.Findings)
}

// TestRepairBringsNoExpiredRowsBack: retention has dropped the newest segment, whose rows the log still has.
func TestRepairBringsNoExpiredRowsBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir)
	s.must("/v1/sql", "CREATE STREAM old (n BIGINT, at TIMESTAMPTZ, WATERMARK FOR at AS at) WITH (retention = '1 day')")
	s.must("/v1/sql", "CREATE STREAM other (n BIGINT)")
	s.must("/v1/streams/old/events", `{"n":1,"at":"2020-01-01T00:00:00Z"}`)
	s.must("/v1/streams/other/events", `{"n":1}`)
	s.must("/v1/streams/other/seal", "")
	s.must("/v1/streams/old/seal", "")
	require.Eventually(t, func() bool { return s.sql("SELECT count(*) FROM old") == "0" }, time.Minute, time.Millisecond)
	s.must("/v1/streams/old/events", `{"n":2}`)
	require.NoError(t, s.Close())
	journal := only(t, dir, "journal/*.log")
	content, err := os.ReadFile(journal)
	require.NoError(t, err)
	content[bytes.Index(content, []byte(`"sealed"`))] ^= 1 // the edit of the other stream
	require.NoError(t, os.WriteFile(journal, content, 0o600))
	require.Empty(t, repair(t, dir).Lost)
	s = serve(t, dir)
	require.Equal(t, "2", s.sql("SELECT n FROM old"))
	require.Equal(t, "1", s.sql("SELECT n FROM other"))
	require.NoError(t, s.Close())
}

// TestRepairWithoutAJournal: streams with segments come back by themselves, others as files to load.
func TestRepairWithoutAJournal(t *testing.T) {
	t.Parallel()
	dir := makeData(t)
	require.NoError(t, os.Rename(filepath.Join(dir, "journal"), filepath.Join(t.TempDir(), "journal")))
	out := repair(t, dir)
	require.Len(t, out.Lost, 2, "the definitions of two streams")
	s := serve(t, dir)
	require.Equal(t, "600", s.sql("SELECT count(*) FROM orders"))
	require.Equal(t, "600", s.sql("SELECT count(DISTINCT n) FROM orders"))
	rows, err := os.ReadFile(only(t, dir, out.Aside+"/clicks.0.ndjson"))
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(rows), "\n"))
	s.must("/v1/streams/clicks/events", string(rows))
	require.Equal(t, "3", s.sql("SELECT count(DISTINCT page) FROM clicks"))
}

// TestRepairBringsTypedRowsBack: rows that are logged as columns come back as JSON, under their names, though the schema is lost.
func TestRepairBringsTypedRowsBack(t *testing.T) {
	t.Parallel()
	dir := makeData(t)
	s := serve(t, dir)
	s.must("/v1/streams/points/events?format=influx", "points,host=web1 load=0.5,n=3i 1772355600000000000\npoints,host=web2 load=1.25 1772355601000000000\n")
	want := s.sql("SELECT time, host, load, n FROM points ORDER BY time")
	require.NoError(t, s.Close())
	require.NoError(t, os.Rename(filepath.Join(dir, "journal"), filepath.Join(t.TempDir(), "journal")))
	out := repair(t, dir)
	rows, err := os.ReadFile(only(t, dir, out.Aside+"/points.0.ndjson"))
	require.NoError(t, err)
	require.Equal(t, `{"time":"2026-03-01T09:00:00.000000Z","host":"web1","load":0.5,"n":3}`+"\n"+
		`{"time":"2026-03-01T09:00:01.000000Z","host":"web2","load":1.25}`+"\n", string(rows))
	s = serve(t, dir)
	s.must("/v1/streams/points/events", string(rows))
	require.Equal(t, want, s.sql("SELECT time, host, load, n FROM points ORDER BY time"))
}

// TestRepairOfASegment: its rows are told to be lost, in the answer and by queries, and nothing else is.
func TestRepairOfASegment(t *testing.T) {
	t.Parallel()
	for _, damage := range []func(t testing.TB, name string){
		flip, func(t testing.TB, name string) { require.NoError(t, os.Remove(name)) },
	} {
		dir := makeData(t)
		damage(t, only(t, dir, "segments/orders/*.parquet"))
		out := repair(t, dir)
		require.Len(t, out.Lost, 1)
		require.Contains(t, out.Lost[0], "200 rows of stream orders")
		s := serve(t, dir)
		status, answer := s.post("/v1/sql", "SELECT count(*) FROM orders")
		require.Equal(t, http.StatusInternalServerError, status)
		require.Contains(t, answer, "offsets 0 to 199 of partition 0 are lost")
		require.Contains(t, s.must("/v1/sql?allow_corrupt=true", "SELECT count(*) FROM orders"), "[400]")
		require.Equal(t, "3", s.sql("SELECT count(*) FROM clicks"))
		require.NoError(t, s.Close())
		require.Empty(t, repair(t, dir).Lost, "a second repair finds nothing more")
	}
}

// TestRepairOfState: views and what is known of requests cost no row.
func TestRepairOfState(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"state/totals.*/*.state", "views/totals.*/*.log"} {
		dir := makeData(t)
		flip(t, only(t, dir, pattern))
		out := repair(t, dir)
		require.NotEmpty(t, out.Done, pattern)
		require.Empty(t, out.Lost)
		s := serve(t, dir)
		require.Equal(t, "600,3,600", s.sql(everything), pattern)
	}
}

// TestRepairOfAMissingLog: offsets that were given away are not given again.
func TestRepairOfAMissingLog(t *testing.T) {
	t.Parallel()
	dir := makeData(t)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "log", "orders")))
	require.Len(t, repair(t, dir).Lost, 1)
	s := serve(t, dir)
	require.Contains(t, s.must("/v1/sql?allow_corrupt=true", "SELECT count(*) FROM orders"), "[400]")
	require.Contains(t, s.must("/v1/streams/orders/events", `{"n":1}`), `"first":600,`, "the view has read up to there")
}
