package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/client"
)

// killedEnviron makes a server seal, and so merge and trim, all the while.
var killedEnviron = []string{"TIDEMARK_SEAL_ROWS=400", "TIDEMARK_SEAL_AGE=1h", "TIDEMARK_LOG_LEVEL=info", "TIDEMARK_LOG_FILE=1MiB"}

// TestKilledServerLosesNothing kills the real server at random moments while six writers send, some of them events that retention drops at
// once, and checks after every restart that each acknowledged event is there once, at the offset that it was acknowledged with. At times a
// backup is made of the running server, which has to hold what was acknowledged before it.
func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	cycles, writers := 50, 6
	if os.Getenv("TIDEMARK_STRESS") != "" {
		cycles = 2000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := t.TempDir()
	acked, passing := &ackJournal{at: map[place]string{}, markers: map[place]bool{}}, &passing{}
	for cycle := range cycles {
		server := startDaemon(t, data, killedEnviron...)
		makeKilled(t, server)
		passing.make(t, server)
		acked.check(t, server, cycle)
		passing.check(t, server, cycle)
		k := killing{cycle: cycle, writers: writers, enough: int64(5 + random.IntN(150)), passing: passing}
		if cycle%10 == 7 {
			k.before = func() { acked.backUp(t, server, cycle) }
		}
		acked.killWhile(t, server, k)
		acked.noteMarkers(t, data)
	}
	server := startDaemon(t, data)
	acked.check(t, server, cycles)
	server.stop(t)
	t.Logf("%d idle markers", len(acked.markers))
}

// makeKilled makes the stream. It is taken for silent soon, so that idle markers come between its rows.
func makeKilled(t *testing.T, server *daemon) {
	t.Helper()
	c, err := client.New(server.url)
	require.NoError(t, err)
	_, err = c.Query(t.Context(), `CREATE STREAM IF NOT EXISTS killed (id TEXT, ts TIMESTAMPTZ NOT NULL, n BIGINT,
		WATERMARK FOR ts AS ts - INTERVAL '5 seconds' IDLE TIMEOUT INTERVAL '100 milliseconds')`, client.QueryOptions{})
	require.NoError(t, err)
}

type place struct {
	partition event.Partition
	offset    event.Offset
}

// ackJournal is what the clients were told: the id of the event at each acknowledged offset.
type ackJournal struct {
	mu sync.Mutex
	at map[place]string
	// markers are the offsets that idle markers took, by what the logs said after each kill.
	markers map[place]bool
}

// noteMarkers reads the log of a server that is dead. A log is not trimmed in the life in which it was written: it is too short.
func (j *ackJournal) noteMarkers(t *testing.T, data string) {
	t.Helper()
	files, err := vfs.NewReadOnly(data)
	require.NoError(t, err)
	_, err = eventlog.Check(files, "log/killed/0", func(e *eventlog.Entry) {
		if e.Idle != nil {
			j.markers[place{0, e.First}] = true
		}
	})
	require.NoError(t, errors.Join(err, files.Close()))
}

// killing is how a server is killed.
type killing struct {
	cycle, writers int
	enough         int64
	passing        *passing
	before         func() // nil for nothing
}

// killWhile has writers send until enough requests are acknowledged in all, and kills the server at that moment, with requests
// of the other writers on their way.
func (j *ackJournal) killWhile(t *testing.T, server *daemon, k killing) {
	t.Helper()
	kinds := []string{"fsync", "write"} // both survive it
	var acks atomic.Int64
	var wait sync.WaitGroup
	reached := make(chan struct{})
	wait.Go(func() { k.passing.send(t, server, k.cycle) })
	for w := range k.writers {
		wait.Go(func() {
			c, err := client.New(server.url)
			if err != nil {
				t.Error(err)
				return
			}
			for n := 0; ; n++ {
				ids := make([]string, 1+(n+w)%7)
				for i := range ids {
					ids[i] = fmt.Sprintf("%d-%d-%d-%d", k.cycle, w, n, i)
				}
				result, err := c.Ingest(context.Background(), "killed", strings.NewReader(rowsOf(ids)), client.IngestOptions{Ack: kinds[w%2]})
				if err != nil {
					return
				}
				j.note(ids, result)
				if acks.Add(1) == k.enough {
					close(reached)
				}
			}
		})
	}
	<-reached
	if k.before != nil {
		k.before()
	}
	server.kill(t)
	wait.Wait()
}

// backUp makes a backup while events come, and holds a server on what is restored of it to what was acknowledged before.
func (j *ackJournal) backUp(t *testing.T, server *daemon, cycle int) {
	t.Helper()
	j.mu.Lock()
	before := &ackJournal{at: maps.Clone(j.at), markers: maps.Clone(j.markers)}
	j.mu.Unlock()
	dir := t.TempDir()
	copied, restored := filepath.Join(dir, "backup"), filepath.Join(dir, "data")
	got := tidemark("", nil, "backup", copied, "--url", server.admin)
	require.Zero(t, got.status, "cycle %d: %s", cycle, got.stderr)
	got = tidemark("", nil, "restore", copied, "--data", restored)
	require.Zero(t, got.status, "cycle %d: %s", cycle, got.stderr)
	before.noteMarkers(t, restored)
	again := startDaemon(t, restored, killedEnviron...)
	before.check(t, again, cycle)
	again.kill(t)
	require.NoError(t, os.RemoveAll(dir))
}

// passing is a stream of which every other event is too old to be kept.
type passing struct {
	acked int64 // events that are to stay
}

func (p *passing) make(t *testing.T, server *daemon) {
	t.Helper()
	c, err := client.New(server.url)
	require.NoError(t, err)
	_, err = c.Query(t.Context(), "CREATE STREAM IF NOT EXISTS passing (ts TIMESTAMPTZ NOT NULL, old BOOLEAN) WITH (retention = '1 hour')", client.QueryOptions{})
	require.NoError(t, err)
}

// send sends until the server is gone. Events that stay are dated ahead, as far as it is allowed.
func (p *passing) send(t *testing.T, server *daemon, cycle int) {
	c, err := client.New(server.url)
	if err != nil {
		t.Error(err)
		return
	}
	for n := 0; ; n++ {
		at, old := time.Now().Add(12*time.Hour), (n+cycle)%2 == 0
		if old {
			at = at.AddDate(-1, 0, 0)
		}
		row := fmt.Sprintf(`{"ts":%q,"old":%t}`+"\n", at.UTC().Format(time.RFC3339), old)
		if _, err := c.Ingest(context.Background(), "passing", strings.NewReader(strings.Repeat(row, 40)), client.IngestOptions{}); err != nil {
			return
		}
		if !old {
			p.acked += 40
		}
	}
}

// check counts the events that stay: the request on its way when the server was killed may be there too.
func (p *passing) check(t *testing.T, server *daemon, cycle int) {
	t.Helper()
	c, err := client.New(server.url)
	require.NoError(t, err)
	result, err := c.Query(t.Context(), "SELECT count(*) FROM passing WHERE NOT old", client.QueryOptions{})
	require.NoError(t, err)
	found := number(t, result.Rows[0][0])
	if found < p.acked || found > p.acked+40 {
		t.Fatalf("cycle %d: %d events are there of %d that were acknowledged and are to stay", cycle, found, p.acked)
	}
	p.acked = found
}

func rowsOf(ids []string) string {
	var b strings.Builder
	for i, id := range ids {
		fmt.Fprintf(&b, `{"id":%q,"ts":"2026-01-01T00:%02d:00Z","n":%d}`+"\n", id, i, i)
	}
	return b.String()
}

func (j *ackJournal) note(ids []string, result *client.IngestResult) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, span := range result.Offsets {
		for offset := span.First; offset <= span.Last; offset++ {
			j.at[place{span.Partition, offset}] = ids[0]
			ids = ids[1:]
		}
	}
}

// check reads everything back. An event whose acknowledgement never came may be there or not, but once at most. It compares by
// itself, as require.Contains walks the whole map for each key.
func (j *ackJournal) check(t *testing.T, server *daemon, cycle int) {
	t.Helper()
	if len(j.at) == 0 {
		return
	}
	c, err := client.New(server.url)
	require.NoError(t, err)
	result, err := c.Query(t.Context(), "SELECT _partition, _offset, id FROM killed", client.QueryOptions{MaxRows: 1 << 30})
	require.NoError(t, err, server.log)
	found, ids := map[place]string{}, map[string]bool{}
	for _, row := range result.Rows {
		p, o := number(t, row[0]), number(t, row[1])
		id := row[2].(string)
		if ids[id] {
			t.Fatalf("cycle %d: %s is there twice", cycle, id)
		}
		ids[id] = true
		found[place{event.Partition(p), event.Offset(o)}] = id
	}
	for at, id := range j.at {
		if found[at] != id {
			t.Fatalf("cycle %d: %s was acknowledged at %v, where now is %q", cycle, id, at, found[at])
		}
	}
	j.checkDense(t, found, cycle)
	checkViews(t, c, cycle)
}

// checkDense makes sure that each offset below the last row is a row's or an idle marker's.
func (j *ackJournal) checkDense(t *testing.T, found map[place]string, cycle int) {
	t.Helper()
	left := len(found)
	for at := (place{}); left > 0; at.offset++ {
		_, row := found[at]
		if row {
			left--
		}
		if row == j.markers[at] {
			t.Fatalf("cycle %d: offset %d is a row's: %t, and an idle marker's: %t", cycle, at.offset, row, j.markers[at])
		}
	}
}

// killedViews are views of the stream, with the query that each of them answers.
var killedViews = map[string]string{
	"killed_minutes": `SELECT window_start, count(*) AS c, sum(n) AS s FROM TUMBLE(TABLE killed, DESCRIPTOR(ts), INTERVAL '1 minute')
		GROUP BY window_start, window_end`,
	"killed_numbers": "SELECT n, count(*) AS c, max(id) AS last FROM killed GROUP BY n",
	"killed_sevens":  "SELECT id, n FROM killed WHERE n = 6",
}

// checkViews makes the views, if they are not there yet, and holds each to its query.
func checkViews(t *testing.T, c *client.Client, cycle int) {
	t.Helper()
	rows := func(sql string) string {
		result, err := c.Query(t.Context(), sql, client.QueryOptions{MaxRows: 1 << 30, Wait: true})
		require.NoError(t, err, sql)
		text, err := json.Marshal(result.Rows)
		require.NoError(t, err)
		return string(text)
	}
	for name, query := range killedViews {
		rows("CREATE MATERIALIZED VIEW IF NOT EXISTS " + name + " WITH (memory = '16MB') AS " + query)
		late := ""
		if name == "killed_minutes" {
			late = " LATE DROP"
		}
		want := rows("SELECT * FROM (" + query + late + ") AS q ORDER BY 1, 2")
		if got := rows("SELECT * FROM " + name + " ORDER BY 1, 2"); got != want {
			t.Fatalf("cycle %d: view %s is %.2000s and should be %.2000s", cycle, name, got, want)
		}
	}
}

func number(t *testing.T, v any) int64 {
	t.Helper()
	n, err := v.(json.Number).Int64()
	require.NoError(t, err)
	return n
}
