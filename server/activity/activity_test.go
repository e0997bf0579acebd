package activity

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
)

// fixture is a log whose clock is set by hand.
type fixture struct {
	*Log
	out bytes.Buffer
	now time.Time
}

func newLog(kept int, slow time.Duration) *fixture {
	f := &fixture{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	f.Log = New(Options{Kept: kept, Slow: slow, Now: func() time.Time { return f.now }, Logger: slog.New(slog.NewTextHandler(&f.out, nil))})
	return f
}

func TestQueriesAreListedWhileTheyRun(t *testing.T) {
	t.Parallel()
	log := newLog(10, time.Minute)
	_, first := log.Begin(t.Context(), "a", "SELECT 1")
	log.now = log.now.Add(time.Second)
	_, second := log.Begin(t.Context(), "b", "CREATE SECRET k AS 'hidden'")
	second.Watch(func() exec.Stats { return exec.Stats{RowsScanned: 7} })
	second.Gave(3)
	running := log.Running()
	require.Len(t, running, 2)
	require.Equal(t, "a", running[0].ID)
	require.Equal(t, time.Second, running[0].Elapsed)
	require.Equal(t, "CREATE SECRET k AS '***'", running[1].SQL)
	require.EqualValues(t, 7, running[1].Stats.RowsScanned)
	require.EqualValues(t, 3, running[1].Rows)

	second.End(nil)
	log.now = log.now.Add(time.Minute)
	failure := event.Errorf(event.CodeTimeout, "too long")
	first.End(failure)
	require.Empty(t, log.Running())
	ended := log.Ended()
	require.Len(t, ended, 2)
	require.Equal(t, "b", ended[0].ID)
	require.NoError(t, ended[0].Err)
	require.Equal(t, failure, ended[1].Err)
	require.Equal(t, 1, strings.Count(log.out.String(), "slow query"), "only the first took a minute")
	require.Contains(t, log.out.String(), "id=a elapsed=1m1s")
}

func TestKillEndsTheContextOfTheQueryNamed(t *testing.T) {
	t.Parallel()
	log := newLog(10, 0)
	killed, first := log.Begin(t.Context(), "a", "SELECT 1")
	other, second := log.Begin(t.Context(), "b", "SELECT 1")
	require.False(t, log.Kill("c"))
	require.True(t, log.Kill("a"))
	<-killed.Done()
	require.Equal(t, error(ErrKilled), context.Cause(killed))
	require.NoError(t, other.Err())
	first.End(ErrKilled)
	require.False(t, log.Kill("a"), "it has ended")
	second.End(nil)
	require.Error(t, other.Err(), "the end of a query lets go of its context")
}

func TestOnlyTheLastAreKept(t *testing.T) {
	t.Parallel()
	log := newLog(3, 0)
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		_, q := log.Begin(t.Context(), id, strings.Repeat("é", maxTextBytes))
		q.End(nil)
		log.Failed(Fault{Route: id})
	}
	ids := ""
	for _, e := range log.Ended() {
		ids += e.ID
		require.LessOrEqual(t, len(e.SQL), maxTextBytes+3)
	}
	require.Equal(t, "cde", ids)
	require.Len(t, log.Faults(), 5)

	none := newLog(0, 0)
	_, q := none.Begin(t.Context(), "a", "SELECT 1")
	q.End(nil)
	require.Empty(t, none.Ended())
}
