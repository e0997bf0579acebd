package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// old posts and seals a row whose event time is some time ago.
func (i *instance) old(stream string, age time.Duration, n int) {
	i.t.Helper()
	i.ingest(stream, fmt.Sprintf(`{"ts":%q,"n":%d}`+"\n", time.Now().UTC().Add(-age).Format(time.RFC3339), n))
	i.seal(stream)
}

func (i *instance) retained(stream string) int { return len(i.manifest.View(stream).Segments) }

const createBeats = `CREATE STREAM beats (ts TIMESTAMPTZ NOT NULL, n BIGINT, WATERMARK FOR ts AS ts - INTERVAL '1000 days')
	WITH (retention = '2 days')`

// TestRetentionWaitsForViews keeps what a view has not read, or would read again after a restart, and lets it go when there is a
// checkpoint behind it.
func TestRetentionWaitsForViews(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(createBeats)
	i.query(`CREATE MATERIALIZED VIEW total WITH (memory = '1MB') AS SELECT count(*) AS c, sum(n) AS s FROM beats
		EMIT ON UPDATE WITH BATCH INTERVAL '1 hour'`)
	i.old("beats", 72*time.Hour, 1)
	i.old("beats", 72*time.Hour, 2)
	i.compact.Look(t.Context())
	require.Equal(t, "[2]\n", i.query("SELECT count(*) FROM beats").text(), "the view gathers for an hour and has no checkpoint behind them")
	for _, want := range []string{"[2,3]\n", "[3,7]\n"} {
		i = i.restart()
		require.Equal(t, want, i.wait("SELECT * FROM total"))
		require.Equal(t, "[null]\n", i.query("SELECT detail FROM system.views").text())
		i.old("beats", 72*time.Hour, 4)
		i.compact.Look(t.Context())
	}
	i.query(`CREATE OR REPLACE MATERIALIZED VIEW total WITH (memory = '1MB') AS SELECT count(*) AS c, sum(n) AS s FROM beats`)
	require.Eventually(t, func() bool {
		i.compact.Look(t.Context())
		return i.retained("beats") == 0
	}, time.Minute, time.Millisecond)
}

// TestRetentionTellsWhatAFailedViewLost lets a view fail. What it has not read stays until it is twice as old as the retention; then it
// goes, and the view says so while it has failed, when it goes on and after restarts.
func TestRetentionTellsWhatAFailedViewLost(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(createBeats)
	i.query("CREATE MATERIALIZED VIEW shares WITH (memory = '1MB') AS SELECT sum(100 / n) AS s FROM beats")
	i.old("beats", 60*time.Hour, 1)
	require.Equal(t, "[100]\n", i.wait("SELECT * FROM shares"))
	v, _ := i.views.View("shares")
	i.old("beats", 72*time.Hour, 0)
	require.Eventually(t, func() bool { return v.Status().State == "failed" }, time.Minute, time.Millisecond)
	i.old("beats", 73*time.Hour, 2)
	i.compact.Look(t.Context())
	require.Equal(t, "[2]\n", i.query("SELECT count(*) FROM beats").text(), "it may read them yet; what it has read is gone")
	require.Empty(t, v.Status().Lost)

	i.old("beats", 100*time.Hour, 4)
	i.compact.Look(t.Context())
	require.Equal(t, "[2]\n", i.query("SELECT count(*) FROM beats").text(), "the last one is twice as old as the retention")
	lost := "it lacks rows between offsets 0:1 and 0:4 of beats, which expired before it read them"
	detail := i.query("SHOW VIEWS").text()
	require.Contains(t, detail, "division by zero")
	require.Contains(t, detail, lost)
}

// TestViewGoesOnWithoutWhatItLost lets the very row expire over which a view has failed.
func TestViewGoesOnWithoutWhatItLost(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(createBeats)
	i.query("CREATE MATERIALIZED VIEW shares WITH (memory = '1MB') AS SELECT sum(100 / n) AS s FROM beats")
	i.old("beats", time.Hour, 1)
	require.Equal(t, "[100]\n", i.wait("SELECT * FROM shares"))
	v, _ := i.views.View("shares")
	i.old("beats", 100*time.Hour, 0)
	require.Eventually(t, func() bool { return v.Status().State == "failed" }, time.Minute, time.Millisecond)
	i.old("beats", time.Hour, 4)
	i.compact.Look(t.Context())
	require.Equal(t, 2, i.retained("beats"))
	i.query("ALTER MATERIALIZED VIEW shares RESUME")
	require.Eventually(t, func() bool { return i.query("SELECT * FROM shares").text() == "[125]\n" }, time.Minute, time.Millisecond)
	lost := "it lacks rows between offsets 0:1 and 0:2 of beats, which expired before it read them"
	for range 3 {
		status := i.query("SHOW VIEWS").text()
		require.Contains(t, status, lost)
		require.Contains(t, status, `"running"`)
		i = i.restart()
		i.old("beats", time.Hour, 5)
		i.wait("SELECT * FROM shares")
	}
	require.Equal(t, "[185]\n", i.wait("SELECT * FROM shares"))
}

// TestSubscriptionBeginsAnewWhenRowsExpired resumes at an id behind which rows have expired.
func TestSubscriptionBeginsAnewWhenRowsExpired(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query(createBeats)
	i.old("beats", time.Hour, 1)
	l := i.listen("SELECT n FROM beats", "", "snapshot", "true")
	require.Len(t, l.next().data.Rows, 1)
	l.close()
	i.old("beats", 100*time.Hour, 2)
	i.old("beats", time.Hour, 3)
	i.compact.Look(t.Context())
	l = i.listen("SELECT n FROM beats", l.id)
	m := l.next()
	require.Equal(t, "reset", m.event)
	require.Contains(t, m.data.Reason, "expired")
	f := &folded{t: t, keys: map[string]string{}}
	for f.text() != "[1]\n[3]" {
		f.apply(l.next())
	}
}

// TestRetentionKeepsWhatTheOlderCheckpointNeeds damages the newest checkpoint of a view after retention has passed: the one before still finds
// the rows behind it. They go once both checkpoints are behind them.
func TestRetentionKeepsWhatTheOlderCheckpointNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	i.query(createBeats)
	i.query("CREATE MATERIALIZED VIEW total WITH (memory = '1MB') AS SELECT count(*) AS c, sum(n) AS s FROM beats")
	for n := range 3 {
		i.old("beats", 72*time.Hour, n+1)
		i.wait("SELECT * FROM total")
		i = i.restart() // which leaves a checkpoint
	}
	i.wait("SELECT * FROM total")
	i.compact.Look(t.Context())
	require.NoError(t, i.Close())
	states, err := filepath.Glob(filepath.Join(dir, "state", "total.*", "*.state"))
	require.NoError(t, err)
	require.Len(t, states, 2)
	newest := slices.Max(states)
	body, err := os.ReadFile(newest)
	require.NoError(t, err)
	body[len(body)/2] ^= 1
	require.NoError(t, os.WriteFile(newest, body, 0o600))
	i = start(t, dir)
	require.Equal(t, "[3,6]\n", i.wait("SELECT * FROM total"))
	require.Eventually(t, func() bool {
		i.compact.Look(t.Context())
		return i.retained("beats") == 0
	}, time.Minute, time.Millisecond)
	require.Equal(t, "[3,6]\n", i.wait("SELECT * FROM total"))
}
