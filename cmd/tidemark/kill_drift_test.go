package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// driftStreams are those that clients with changing rows send to: each sort of schema, in two formats.
var driftStreams = []struct{ name, create string }{
	{"evolving", "CREATE STREAM IF NOT EXISTS evolving (client BIGINT NOT NULL, seq BIGINT, sure TEXT) WITH (schema = 'evolve')"},
	{"strict", "CREATE STREAM IF NOT EXISTS strict (client BIGINT NOT NULL, seq BIGINT NOT NULL, sure TEXT NOT NULL)"},
	{"ignoring", "CREATE STREAM IF NOT EXISTS ignoring (client BIGINT NOT NULL, seq BIGINT, sure TEXT) WITH (schema = 'ignore')"},
}

// drifter is a client. Its request that was not answered is sent again, to whatever server is there then.
type drifter struct {
	number, requests int
	pending          bool
	stored           int // rows that the answers say are stored, of the last answer to each request
}

const driftRows = 6

// body is the client's next request. Every third row has what its stream may refuse: a member that somebody may have added by then, and a value
// that changes its type.
func (d *drifter) body() (body, format string) {
	lines := make([]string, driftRows)
	for i := range lines {
		seq := d.requests*driftRows + i
		lines[i] = fmt.Sprintf(`{"client":%d,"seq":%d,"sure":%q}`, d.number, seq, sureText(d.number, seq))
		if i%3 == 2 {
			lines[i] = fmt.Sprintf(`{"client":%d,"seq":%d,"sure":%q,"late_%d":%d,"shared":%s}`, d.number, seq, sureText(d.number, seq),
				d.requests%8, seq, []string{"1", "2.5", `"text"`, `[1]`, "true"}[d.requests%5])
		}
	}
	if d.number%2 == 0 {
		return strings.Join(lines, "\n"), "ndjson"
	}
	return "[" + strings.Join(lines, ",") + "]", "json"
}

func sureText(client, seq int) string { return fmt.Sprintf("client %d said %d", client, seq) }

// TestKilledServerWithChangingSchemas kills the real server at random moments while twelve clients send rows whose members and types change to
// streams of every sort of schema, which are altered meanwhile. Clients send under keys, again and again until they are answered: each row that they
// are told is stored is there once, with what was sent.
func TestKilledServerWithChangingSchemas(t *testing.T) {
	t.Parallel()
	cycles := 6
	if os.Getenv("TIDEMARK_STRESS") != "" {
		cycles = 200
	}
	data := t.TempDir()
	clients := make([]drifter, 12)
	for i := range clients {
		clients[i].number = i
	}
	for cycle := range cycles {
		server := startDaemon(t, data, "TIDEMARK_SEAL_ROWS=300", "TIDEMARK_SEAL_AGE=1h")
		for _, s := range driftStreams {
			_, err := ask(t, server, s.create)
			require.NoError(t, err)
		}
		driftUntil(t, server, clients, int64(40+17*cycle))
	}
	server := startDaemon(t, data)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			if clients[i].pending && !clients[i].send(t, server.url) {
				t.Errorf("client %d: no answer from a server that runs", i)
			}
		})
	}
	wait.Wait()
	checkDrifters(t, server, clients)
	server.stop(t)
	server = startDaemon(t, data)
	checkDrifters(t, server, clients)
	server.stop(t)
}

// driftUntil lets the clients send, and the streams be altered, until enough requests are answered; then the server is killed.
func driftUntil(t *testing.T, server *daemon, clients []drifter, enough int64) {
	t.Helper()
	var answered atomic.Int64
	var wait sync.WaitGroup
	reached := make(chan struct{})
	for i := range clients {
		wait.Go(func() {
			for clients[i].send(t, server.url) {
				if answered.Add(1) == enough {
					close(reached)
				}
			}
		})
	}
	wait.Go(func() {
		for n := 0; ; n++ {
			for _, sql := range []string{
				fmt.Sprintf("ALTER STREAM strict ADD COLUMN IF NOT EXISTS late_%d BIGINT", n%8),
				fmt.Sprintf("ALTER STREAM ignoring ADD COLUMN IF NOT EXISTS late_%d TEXT", n%8),
				fmt.Sprintf("ALTER STREAM evolving SET (schema = '%s')", []string{"evolve", "ignore"}[n%2]),
				"ALTER STREAM ignoring SET (log_retention = '1 hour')",
			} {
				if _, err := ask(t, server, sql); err != nil {
					return // it was killed
				}
			}
		}
	})
	<-reached
	server.kill(t)
	wait.Wait()
}

// ask runs a statement; the error says that there was no answer.
func ask(t *testing.T, server *daemon, sql string) (string, error) {
	answer, err := http.Post(server.url+"/v1/sql", "text/plain", strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", sql, text)
	}
	return string(text), answer.Body.Close()
}

// send sends the present request until it is answered; false if the server is gone before that.
func (d *drifter) send(t *testing.T, url string) bool {
	d.pending = true
	body, format := d.body()
	stream := driftStreams[d.number%len(driftStreams)].name
	request, err := http.NewRequest(http.MethodPost, url+"/v1/streams/"+stream+"/events?format="+format, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return false
	}
	request.Header.Set("Idempotency-Key", fmt.Sprintf("%d-%d", d.number, d.requests))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	var got struct {
		Accepted, Rejected, Duplicates int
		Detail                         string
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return false
	}
	if answer.StatusCode != http.StatusOK || got.Accepted+got.Rejected+got.Duplicates != driftRows {
		t.Errorf("client %d, request %d: %d, %+v", d.number, d.requests, answer.StatusCode, got)
		return false
	}
	d.stored += got.Accepted + got.Duplicates
	d.requests++
	d.pending = false
	return true
}

// checkDrifters holds the streams to what the clients were told.
func checkDrifters(t *testing.T, server *daemon, clients []drifter) {
	t.Helper()
	c, err := client.New(server.url)
	require.NoError(t, err)
	for i := range clients {
		stream := driftStreams[i%len(driftStreams)].name
		result, err := c.Query(t.Context(), fmt.Sprintf("SELECT seq::BIGINT, sure FROM %s WHERE client = %d ORDER BY _offset", stream, i), client.QueryOptions{})
		require.NoError(t, err)
		seen := map[int]bool{}
		for _, row := range result.Rows {
			seq := int(number(t, row[0]))
			require.Equal(t, sureText(i, seq), fmt.Sprint(row[1]), "%s: client %d, row %d", stream, i, seq)
			require.False(t, seen[seq], "%s: row %d of client %d came twice", stream, seq, i)
			seen[seq] = true
		}
		for seq := range clients[i].requests * driftRows {
			require.True(t, seen[seq] || seq%3 == 2, "%s: row %d of client %d is not there", stream, seq, i)
		}
		require.Len(t, seen, clients[i].stored, "%s: client %d was told of other rows", stream, i)
	}
}
