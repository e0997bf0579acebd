package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/config"
)

// pipedServer answers over connections in memory, on a disk in memory whose syncs of one stream's log wait while gate is closed: all of it
// knows virtual time.
type pipedServer struct {
	*App
	t    *testing.T
	slow atomic.Bool
	gate chan struct{}
}

func startPiped(t *testing.T, change func(*config.Config)) *pipedServer {
	t.Helper()
	s := &pipedServer{App: diskApp(io.Discard), t: t, gate: make(chan struct{})}
	change(&s.config)
	require.NoError(t, s.open(vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, name string) error {
		if s.slow.Load() && op == vfs.OpSync && (strings.HasPrefix(name, "log/slow/") || strings.HasPrefix(name, "log/"+logs+"/")) {
			<-s.gate
		}
		return nil
	})))
	s.local = &localListener{connections: make(chan net.Conn), closed: make(chan struct{})}
	s.serving = &errgroup.Group{}
	s.serve(s.local, s.apiServer("localhost", "test").Handler())
	return s
}

// logs is the stream of OpenTelemetry's logs.
const logs = "otel_logs"

// flooding is a way to send many rows.
type flooding struct {
	// stream is where they go, address and headers how they are sent there.
	stream, address string
	headers         []string
	// body has so many rows of about a thousand bytes.
	body func(s *pipedServer, rows int) string
}

// around makes a body of texts, with what is around each and around all.
func around(begin, before, after, end string) func(*pipedServer, int) string {
	return func(_ *pipedServer, rows int) string {
		out := make([]string, rows)
		for i := range out {
			out[i] = before + floodNote(i) + after
		}
		return begin + strings.TrimSuffix(strings.Join(out, ""), ",") + end
	}
}

// floodNote is what a row has.
func floodNote(i int) string { return fmt.Sprintf("%06d", i) + strings.Repeat("x", 994) }

func events(format string) string { return "/v1/streams/slow/events?format=" + format }

// floods are the formats, those that have to be there as a whole among them.
var floods = map[string]flooding{
	"ndjson": {"slow", events("ndjson"), nil, around("", `{"note":"`, "\"}\n", "")},
	"json":   {"slow", events("json"), nil, around("[", `{"note":"`, "\"},", "]")},
	"csv":    {"slow", events("csv"), nil, around("note\n", "", "\n", "")},
	"influx": {"slow", events("influx"), nil, around("", `m note="`, "\"\n", "")},
	"bulk":   {"slow", events("bulk"), nil, around("", "{\"index\":{}}\n{\"note\":\"", "\"}\n", "")},
	"lines":  {"slow", events("lines"), nil, around("", "", "\n", "")},
	"keyed":  {"slow", events("ndjson"), []string{"Idempotency-Key"}, around("", `{"note":"`, "\"}\n", "")},
	"gzip": {"slow", events("ndjson"), []string{"Content-Encoding", "gzip"}, func(s *pipedServer, rows int) string {
		return gzipped(s.t, around("", `{"note":"`, "\"}\n", "")(s, rows))
	}},
	"arrow": {"slow", events("arrow"), nil, func(s *pipedServer, rows int) string {
		return string(arrowOf(s.t, "note:text\n"+around("[", `{"note":"`, "\"},", "]")(s, rows)))
	}},
	"parquet": {"slow", events("parquet"), nil, func(s *pipedServer, rows int) string {
		code, _, text := s.send("source", "csv", strings.NewReader(around("note\n", "", "\n", "")(s, rows)))
		require.Equal(s.t, http.StatusOK, code, text)
		code, _, text = s.post("/v1/sql?format=parquet", nil, strings.NewReader(fmt.Sprint("SELECT note FROM source LIMIT ", rows)))
		require.Equal(s.t, http.StatusOK, code)
		return text
	}},
	"otlp": {
		logs, "/v1/logs", []string{"Content-Type", "application/json"},
		around(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[`, `{"body":{"stringValue":"`, `"}},`, `]}]}]}`),
	},
}

// send posts a body to a stream.
func (s *pipedServer) send(stream, format string, body io.Reader) (status int, again, text string) {
	return s.post("/v1/streams/"+stream+"/events?format="+format, nil, body)
}

// post sends a body, and gives the status, Retry-After and the answer. The answer may come before the body has been read, so it is read beside.
func (s *pipedServer) post(address string, headers []string, body io.Reader) (status int, again, text string) {
	connection, err := s.Dial(s.t.Context())
	if err != nil {
		return 0, "", err.Error()
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://localhost"+address, body)
	if err != nil {
		return 0, "", err.Error()
	}
	request.Close = true
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	var writing sync.WaitGroup
	writing.Go(func() { _ = request.Write(connection) })
	answer, err := http.ReadResponse(bufio.NewReader(connection), request)
	if err != nil {
		return 0, "", err.Error()
	}
	read, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close(), connection.Close()); err != nil {
		return 0, "", err.Error()
	}
	if c, ok := body.(io.Closer); ok {
		_ = c.Close() // whoever writes to it hears that nobody reads on
	}
	writing.Wait()
	return answer.StatusCode, answer.Header.Get("Retry-After"), string(read)
}

// heap is what lives on the heap, after what does not has been taken away.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what lies in pools to be used again outlives the first
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return int64(now.HeapAlloc)
}

const (
	// slabBytes is what the values of many rows are cut from, of which a few may keep all.
	slabBytes = 8 << 20
	// connectionBytes is what net/http takes for a connection and the request on it, here on both ends: buffers of 4 KiB to read and write on each, and
	// 32 KiB by which a client copies its body.
	connectionBytes = 64 << 10
)

// TestAFloodIsTurnedAwayWithinItsMemory sends to a disk that has stopped to keep up, by far more clients than its memory is for. What is held of
// their bodies stays within the share, and so does what lives on the heap for them: as much for bodies that are read as for rows that wait for the disk. Each
// client is told to come back, another stream goes on, and what was acknowledged is there. It runs alone, as it looks at the memory of the process.
func TestAFloodIsTurnedAwayWithinItsMemory(t *testing.T) { //nolint:paralleltest // see above
	for name, f := range floods {
		t.Run(name, func(t *testing.T) { flood(t, f) })
	}
}

func flood(t *testing.T, f flooding) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const clients, each, share = 150, 2000, 16 << 20
		s := startPiped(t, func(c *config.Config) { c.IngestMemory = share })
		code, _, text := s.post(f.address, headersOf(f, -1), strings.NewReader(f.body(s, 1)))
		require.Equal(t, http.StatusOK, code, text)
		body := f.body(s, each)
		before := heap()
		s.slow.Store(true)
		var turned, stored atomic.Int64
		var sending sync.WaitGroup
		for i := range clients {
			sending.Go(func() {
				code, again, text := s.post(f.address, headersOf(f, i), strings.NewReader(body))
				switch {
				case code == http.StatusOK:
					stored.Add(each)
				case code == http.StatusTooManyRequests && again != "":
					turned.Add(1)
					var in ingested
					if err := json.Unmarshal([]byte(text), &in); err != nil {
						t.Errorf("%v: %s", err, text)
					}
					stored.Add(in.Accepted)
				default:
					t.Errorf("%d, Retry-After %q: %s", code, again, text)
				}
			})
		}
		synctest.Wait() // all that may wait does
		reading, pending, now := s.ingest.Reading(), s.ingest.Pending(), heap()
		require.LessOrEqual(t, reading, int64(share))
		require.LessOrEqual(t, pending, int64(share))
		t.Logf("reading %d, pending %d, heap %d", reading, pending, now-before)
		require.Less(t, now-before, int64(2*share+slabBytes+clients*connectionBytes))
		code, _, text = s.send("other", "csv", strings.NewReader("note\nis not held up\n"))
		require.Equal(t, http.StatusOK, code, text)
		<-time.After(time.Minute) // of virtual time
		synctest.Wait()
		require.Positive(t, turned.Load())
		s.slow.Store(false)
		close(s.gate)
		sending.Wait()
		require.Zero(t, s.ingest.Reading())
		require.Zero(t, s.ingest.Pending())
		rows, err := (&disk{App: s.App, t: t}).run("SELECT count(*) FROM "+f.stream, false)
		require.NoError(t, err)
		found, err := strconv.ParseInt(strings.Trim(rows, `"[]`), 10, 64)
		require.NoError(t, err)
		if f.stream == logs { // whose answers do not say how much was stored beside an error
			require.GreaterOrEqual(t, found, 1+stored.Load())
		} else {
			require.Equal(t, 1+stored.Load(), found)
		}
		require.NoError(t, s.Close())
	})
}

// headersOf are those of a request: with a key of its own where they have one.
func headersOf(f flooding, request int) []string {
	if len(f.headers) == 1 {
		return []string{f.headers[0], strconv.Itoa(request)}
	}
	return f.headers
}

// TestSlowClientsHoldNoMoreThanTheyHaveSent opens hundreds of bodies that come a byte a second, and some that stop in the middle: they hold
// next to no memory, others go on, and all are broken off in the end.
func TestSlowClientsHoldNoMoreThanTheyHaveSent(t *testing.T) { //nolint:paralleltest // it looks at the memory of the process
	synctest.Test(t, func(t *testing.T) {
		const clients = 400
		s := startPiped(t, func(c *config.Config) { c.IngestMemory = 16 << 20 })
		before := heap()
		var sending sync.WaitGroup
		var broken atomic.Int64
		for i := range clients {
			sending.Go(func() {
				body, in := io.Pipe()
				var dripping sync.WaitGroup
				dripping.Go(func() { dripInto(in, i%4 == 0) })
				code, _, text := s.send(fmt.Sprintf("s%d", i%3), []string{"ndjson", "csv", "json", "influx"}[i/4%4], body)
				if code != http.StatusBadRequest || !strings.Contains(text, "the body ") {
					t.Errorf("%d %s", code, text)
				}
				broken.Add(1)
				dripping.Wait()
			})
		}
		<-time.After(30 * time.Second)
		synctest.Wait()
		reading, pending := s.ingest.Reading(), s.ingest.Pending()
		require.LessOrEqual(t, reading, int64(clients*6<<10)) // the first buffers of each
		require.Zero(t, pending)
		t.Logf("%d bytes of heap for each", (heap()-before)/clients)
		require.Less(t, heap()-before, int64(clients*connectionBytes))
		code, _, text := s.send("s0", "csv", strings.NewReader("note\nis not held up\n"))
		require.Equal(t, http.StatusOK, code, text)
		sending.Wait()
		require.EqualValues(t, clients, broken.Load())
		require.Zero(t, s.ingest.Reading())
		require.NoError(t, s.Close())
	})
}

// dripInto writes a byte a second that ends no row, or stops after some.
func dripInto(in *io.PipeWriter, stops bool) {
	for n := 0; ; n++ {
		if stops && n == 20 {
			return
		}
		if _, err := in.Write([]byte("x")); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}
