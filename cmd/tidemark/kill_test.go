package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

// TestKilledServerLosesNothing kills the real server at random moments while six writers send, and checks after every restart
// that each acknowledged event is there once, at the offset that it was acknowledged with. Small limits make it seal all the while.
func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	cycles, writers := 20, 6
	if os.Getenv("TIDEMARK_STRESS") != "" {
		cycles = 2000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := t.TempDir()
	acked := &ackJournal{at: map[place]string{}}
	for cycle := range cycles {
		server := startDaemon(t, data, "TIDEMARK_SEAL_ROWS=400", "TIDEMARK_SEAL_AGE=1h", "TIDEMARK_LOG_LEVEL=info")
		acked.check(t, server, cycle)
		enough := int64(5 + random.IntN(150))
		acked.killWhile(t, server, cycle, writers, enough)
	}
	server := startDaemon(t, data)
	acked.check(t, server, cycles)
	server.stop(t)
}

type place struct {
	partition event.Partition
	offset    event.Offset
}

// ackJournal is what the clients were told: the id of the event at each acknowledged offset.
type ackJournal struct {
	mu sync.Mutex
	at map[place]string
}

// killWhile has writers send until enough requests are acknowledged in all, and kills the server at that moment, with requests
// of the other writers on their way.
func (j *ackJournal) killWhile(t *testing.T, server *daemon, cycle, writers int, enough int64) {
	t.Helper()
	kinds := []string{"fsync", "write"} // both survive it
	var acks atomic.Int64
	var wait sync.WaitGroup
	reached := make(chan struct{})
	for w := range writers {
		wait.Go(func() {
			c, err := client.New(server.url)
			if err != nil {
				t.Error(err)
				return
			}
			for n := 0; ; n++ {
				ids := make([]string, 1+(n+w)%7)
				for i := range ids {
					ids[i] = fmt.Sprintf("%d-%d-%d-%d", cycle, w, n, i)
				}
				result, err := c.Ingest(context.Background(), "killed", strings.NewReader(rowsOf(ids)), client.IngestOptions{Ack: kinds[w%2]})
				if err != nil {
					return
				}
				j.note(ids, result)
				if acks.Add(1) == enough {
					close(reached)
				}
			}
		})
	}
	<-reached
	server.kill(t)
	wait.Wait()
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
	for o := range len(found) {
		if _, ok := found[place{0, event.Offset(o)}]; !ok {
			t.Fatalf("cycle %d: offsets are dense, but there is no %d", cycle, o)
		}
	}
	checkViews(t, c, cycle)
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
