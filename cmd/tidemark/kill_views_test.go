package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// followedViews are views of five kinds, in the order in which they are made, with the query that each is held to; {} is the time up to which
// the view says that it is complete.
var followedViews = []struct{ name, create, batch string }{
	{
		"closed", `AS SELECT window_end, k, count(*) AS c, sum(n) AS s FROM TUMBLE(TABLE followed, DESCRIPTOR(ts), INTERVAL '10 seconds')
			GROUP BY window_start, window_end, k EMIT ON WINDOW CLOSE`,
		`SELECT * FROM (SELECT window_end, k, count(*) AS c, sum(n) AS s FROM TUMBLE(TABLE followed, DESCRIPTOR(ts), INTERVAL '10 seconds')
			GROUP BY window_start, window_end, k LATE DROP) AS q WHERE window_end <= {}`,
	},
	{
		"by_key", `WITH (memory = '16MB') AS SELECT k, count(*) AS c, max(id) AS last, avg(x) AS mean FROM followed GROUP BY k`,
		`SELECT k, count(*) AS c, max(id) AS last, avg(x) AS mean FROM followed GROUP BY k`,
	},
	{
		"rolling", `AS SELECT id, ts, sum(n) OVER w AS s FROM followed
			WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW)`,
		`SELECT * FROM (SELECT id, ts, sum(n) OVER w AS s FROM followed WHERE _watermark IS NULL OR ts >= _watermark
			WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW)) AS q WHERE ts <= {}`,
	},
	{
		"sessions", `AS SELECT window_start, window_end, k, count(*) AS c FROM SESSION(TABLE followed PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1 second')
			GROUP BY window_start, window_end, k`,
		`SELECT window_start, window_end, k, count(*) AS c FROM SESSION(TABLE followed PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1 second')
			GROUP BY window_start, window_end, k LATE DROP`,
	},
	{
		"longest", `WITH (memory = '16MB') AS SELECT k, max(c) AS longest, count(*) AS n FROM sessions GROUP BY k`,
		`SELECT k, max(c) AS longest, count(*) AS n FROM sessions GROUP BY k`,
	},
}

// TestKilledViewsAreWholeAndFollowable kills the real server at random moments while rows come into five views, each with a subscriber who goes
// on from the last id after every start. Every view is what its query gives, and every history is without a gap or a repetition: what it
// adds up to is the view.
func TestKilledViewsAreWholeAndFollowable(t *testing.T) {
	t.Parallel()
	cycles := 10
	if os.Getenv("TIDEMARK_STRESS") != "" {
		cycles = 200
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := t.TempDir()
	load := &viewLoad{}
	followers := make([]*follower, len(followedViews))
	for i := range followers {
		followers[i] = &follower{rows: map[string]string{}}
	}
	for cycle := range cycles {
		server := startDaemon(t, data, "TIDEMARK_SEAL_ROWS=500", "TIDEMARK_SEAL_AGE=1h")
		c, err := client.New(server.url)
		require.NoError(t, err)
		if cycle == 0 {
			makeFollowedViews(t, c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		for i, f := range followers {
			wait.Go(func() { f.follow(ctx, t, c, followedViews[i].name, nil) })
		}
		load.until(t, c, int64(5+random.IntN(60)), func() { server.kill(t) })
		cancel()
		wait.Wait()
	}
	server := startDaemon(t, data)
	c, err := client.New(server.url)
	require.NoError(t, err)
	for i, v := range followedViews {
		want := heldTo(t, c, v.name, v.batch)
		require.NotEmpty(t, want, v.name)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		followers[i].follow(ctx, t, c, v.name, want)
		cancel()
		require.Equal(t, want, followers[i].lines(), v.name)
	}
	server.stop(t)
}

func makeFollowedViews(t *testing.T, c *client.Client) {
	t.Helper()
	queryRows(t, c, `CREATE STREAM followed (id BIGINT NOT NULL, k TEXT, n BIGINT, x DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,
		WATERMARK FOR ts AS ts - INTERVAL '1 second' IDLE TIMEOUT INTERVAL '1 day') PARTITIONS 2`)
	for _, v := range followedViews {
		queryRows(t, c, "CREATE MATERIALIZED VIEW "+v.name+" "+v.create)
	}
}

// queryRows gives the rows of an answer, sorted, a line each.
func queryRows(t *testing.T, c *client.Client, sql string) []string {
	t.Helper()
	result, err := c.Query(t.Context(), sql, client.QueryOptions{MaxRows: 1 << 30, Wait: true})
	require.NoError(t, err, sql)
	var lines []string
	for _, row := range result.Rows {
		line, err := json.Marshal(row)
		require.NoError(t, err)
		lines = append(lines, rounded(string(line)))
	}
	slices.Sort(lines)
	return lines
}

// rounded cuts numbers with a fraction to their first nine digits: sums may differ in the last ones.
func rounded(line string) string {
	var values []any
	if json.Unmarshal([]byte(line), &values) != nil {
		return line
	}
	for i, v := range values {
		if f, ok := v.(float64); ok {
			values[i] = fmt.Sprintf("%.9g", f)
		}
	}
	return fmt.Sprint(values)
}

// heldTo makes sure that a view is what its query gives, and returns the rows.
func heldTo(t *testing.T, c *client.Client, view, batch string) []string {
	t.Helper()
	got := queryRows(t, c, "SELECT * FROM "+view)
	until := queryRows(t, c, "SELECT complete_until FROM system.views WHERE name = '"+view+"'")
	at := strings.Trim(until[0], "[]")
	if at == "<nil>" {
		at = "1900-01-01"
	}
	require.Equal(t, queryRows(t, c, strings.ReplaceAll(batch, "{}", "TIMESTAMPTZ '"+at+"'")), got, view)
	return got
}

// viewLoad is what writes rows.
type viewLoad struct{ ids atomic.Int64 }

// until has three writers send rows until some requests are acknowledged, and then calls kill while others are on their way.
func (l *viewLoad) until(t *testing.T, c *client.Client, enough int64, kill func()) {
	t.Helper()
	var acks atomic.Int64
	var wait sync.WaitGroup
	reached := make(chan struct{})
	for range 3 {
		wait.Go(func() {
			for {
				if _, err := c.Ingest(context.Background(), "followed", strings.NewReader(l.rows()), client.IngestOptions{}); err != nil {
					return
				}
				if acks.Add(1) == enough {
					close(reached)
				}
			}
		})
	}
	<-reached
	kill()
	wait.Wait()
}

// rows are some whose times go ahead in disorder.
func (l *viewLoad) rows() string {
	var b strings.Builder
	for range 8 {
		id := l.ids.Add(1)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(id*40+id*7919%1500-id%97/96*5000) * time.Millisecond)
		fmt.Fprintf(&b, `{"id":%d,"k":"k%d","n":%d,"x":%g,"ts":%q}`+"\n", id, id*31%5, id%100, float64(id%1000)/7, at.Format(time.RFC3339Nano))
	}
	return b.String()
}

// follower is a subscriber who keeps what the changes add up to.
type follower struct {
	after string
	rows  map[string]string
	// part are the events of a change whose last one has not come.
	part []client.Event
}

// errEnough ends a subscription whose rows are what they are to be.
var errEnough = errors.New("enough")

// follow applies changes until ctx ends, or the rows are those wanted.
func (f *follower) follow(ctx context.Context, t *testing.T, c *client.Client, view string, want []string) {
	f.part = nil
	if want != nil && slices.Equal(f.lines(), want) {
		return
	}
	err := c.Subscribe(ctx, "SELECT * FROM "+view, client.SubscribeOptions{After: f.after}, func(e client.Event) error {
		if e.Kind == "reset" {
			t.Errorf("%s: reset: %s", view, e.Reason)
		}
		f.part = append(f.part, e)
		if e.ID == "" {
			return nil
		}
		for _, part := range f.part {
			if err := f.apply(part); err != nil {
				t.Errorf("%s: %v", view, err)
			}
		}
		f.after, f.part = e.ID, nil
		if want != nil && slices.Equal(f.lines(), want) {
			return errEnough
		}
		return nil
	})
	if want != nil && !errors.Is(err, errEnough) {
		t.Errorf("%s: %v", view, err)
	}
}

// apply makes the changes of an event, each of which must fit what is there.
func (f *follower) apply(e client.Event) error {
	for _, row := range e.Rows {
		op, key, visible := string(row[0]), "", []json.RawMessage{}
		for i, c := range e.Columns {
			if slices.Contains(e.Key, c.Name) {
				key += string(row[i+1]) + "|"
			}
			if !c.Hidden {
				visible = append(visible, row[i+1])
			}
		}
		_, there := f.rows[key]
		if there == (op == `"insert"`) {
			return fmt.Errorf("%s of %s, which is there: %v", op, key, there)
		}
		line, err := json.Marshal(visible)
		if err != nil {
			return err
		}
		if f.rows[key] = rounded(string(line)); op == `"delete"` {
			delete(f.rows, key)
		}
	}
	return nil
}

func (f *follower) lines() []string {
	out := make([]string, 0, len(f.rows))
	for _, line := range f.rows {
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}
