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
		if s.slow.Load() && op == vfs.OpSync && strings.HasPrefix(name, "log/slow/") {
			<-s.gate
		}
		return nil
	})))
	s.local = &localListener{connections: make(chan net.Conn), closed: make(chan struct{})}
	s.serving = &errgroup.Group{}
	s.serve(s.local, s.apiServer("localhost", "test").Handler())
	return s
}

// floodFormats are formats that are taken in as they come, with what is around a note in each.
var floodFormats = map[string]struct{ begin, before, after string }{
	"ndjson": {"", `{"note":"`, "\"}\n"}, "json": {"[", `{"note":"`, "\"},"}, "csv": {"note\n", "", "\n"}, "influx": {"", `m note="`, "\"\n"},
}

// rowsOf is a body of about a number of bytes.
func rowsOf(format string, rows int) string {
	f := floodFormats[format]
	end := ""
	if format == "json" {
		end = `{"note":"last"}]`
		rows--
	}
	return f.begin + strings.Repeat(f.before+strings.Repeat("x", 1000)+f.after, rows) + end
}

// send posts rows, and gives the status, Retry-After and the answer. The answer may come before the body has been read, so it is read beside.
func (s *pipedServer) send(stream, format string, body io.Reader) (status int, again, text string) {
	connection, err := s.Dial(s.t.Context())
	if err != nil {
		return 0, "", err.Error()
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://localhost/v1/streams/"+stream+"/events?format="+format, body)
	if err != nil {
		return 0, "", err.Error()
	}
	request.Close = true
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
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return int64(now.HeapAlloc)
}

// TestAFloodIsTurnedAwayWithinItsMemory sends to a disk that has stopped to keep up, by far more clients than its memory is for. What is held of
// their bodies stays within the share, so does what lives on the heap; each is told to come back, another stream goes on, and what was
// acknowledged is there. It runs alone, as it looks at the memory of the process.
func TestAFloodIsTurnedAwayWithinItsMemory(t *testing.T) { //nolint:paralleltest // see above
	for format := range floodFormats {
		t.Run(format, func(t *testing.T) { flood(t, format) })
	}
}

func flood(t *testing.T, format string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const clients, each, share = 150, 2000, 16 << 20
		s := startPiped(t, func(c *config.Config) { c.IngestMemory = share })
		code, _, text := s.send("slow", format, strings.NewReader(rowsOf(format, 1)))
		require.Equal(t, http.StatusOK, code, text)
		body := rowsOf(format, each)
		before := heap()
		s.slow.Store(true)
		var turned, stored atomic.Int64
		var sending sync.WaitGroup
		for range clients {
			sending.Go(func() {
				code, again, text := s.send("slow", format, strings.NewReader(body))
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
		reading, pending := s.ingest.Reading(), s.ingest.Pending()
		require.LessOrEqual(t, reading, int64(share))
		require.LessOrEqual(t, pending, int64(share))
		// Bytes that are read lie in buffers that grow by doubling, and rows that are decoded beside their text.
		t.Logf("reading %d, pending %d, heap %d", reading, pending, heap()-before)
		require.Less(t, heap()-before, int64(6*share))
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
		rows, err := (&disk{App: s.App, t: t}).run("SELECT count(*) FROM slow", false)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(1+stored.Load()), strings.Trim(rows, `"[]`))
		require.NoError(t, s.Close())
	})
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
		require.LessOrEqual(t, reading, int64(clients*40))
		require.Zero(t, pending)
		t.Logf("%d bytes of heap for each", (heap()-before)/clients)
		require.Less(t, heap()-before, int64(clients*200<<10))
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
