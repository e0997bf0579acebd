package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server with one handler and a client of it; both end with the test.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	c, err := New(server.URL)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		server.Close()
	})
	return c
}

func answer(w http.ResponseWriter, status int, kind, body string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestNewTakesAddressesAndURLs(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"127.0.0.1:7373":           "http://127.0.0.1:7373",
		"\thttp://localhost:1/\n":  "http://localhost:1",
		"https://db.example/tide/": "https://db.example/tide",
	} {
		c, err := New(given)
		require.NoError(t, err)
		require.Equal(t, want, c.URL())
	}
	for _, bad := range []string{"", "ftp://x", "http://", "http://a b"} {
		_, err := New(bad)
		require.ErrorContains(t, err, "is not a server's URL", bad)
	}
}

func TestQueryKeepsNumbersExact(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/v1/sql?format=json", r.URL.RequestURI())
		var got map[string]any
		require.NoError(t, json.NewDecoder(r.Body).Decode(&got))
		require.Equal(t, map[string]any{"sql": "SELECT $1", "params": []any{"x"}, "max_rows": 7.0, "timeout": "2s"}, got)
		answer(w, 200, "application/json", `{"columns":[{"name":"n","type":"BIGINT"},{"name":"f","type":"DOUBLE PRECISION"}],
			"rows":[[9223372036854775807,"NaN"],[null,1.25]],"row_count":2,"stats":{"elapsed_ms":1.5,"truncated":true}}`)
	})
	res, err := c.Query(t.Context(), "SELECT $1", QueryOptions{Params: []any{"x"}, MaxRows: 7, Timeout: 2 * time.Second})
	require.NoError(t, err)
	require.Equal(t, []Column{{"n", "BIGINT"}, {"f", "DOUBLE PRECISION"}}, res.Columns)
	require.Equal(t, json.Number("9223372036854775807"), res.Rows[0][0])
	require.Nil(t, res.Rows[1][0])
	require.True(t, res.Stats.Truncated)
	f, ok := Float(res.Rows[1][1])
	require.True(t, ok)
	require.InDelta(t, 1.25, f, 0)
	_, ok = Float(res.Rows[0][1])
	require.True(t, ok)
	_, ok = Float(nil)
	require.False(t, ok)
}

func TestProblemsAreDecoded(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 400, "application/problem+json; charset=utf-8", `{"type":"about:blank","title":"Bad SQL","status":400,
			"detail":"unknown column \"a\"","code":"unknown_column","position":{"line":2,"column":8},"hint":"did you mean b?"}`)
	})
	_, err := c.Query(t.Context(), "SELECT a", QueryOptions{})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, event.CodeUnknownColumn, refused.Code)
	require.Equal(t, 400, refused.Status)
	require.Equal(t, &event.Position{Line: 2, Column: 8}, refused.Position)
	require.EqualError(t, err, `unknown column "a" at line 2, column 8 (did you mean b?)`)
}

func TestForeignErrorsAreReadable(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 502, "text/html", "\n<h1>no upstream</h1>\nmore")
	})
	require.EqualError(t, c.Ready(t.Context()), "the server answered 502 Bad Gateway: <h1>no upstream</h1>")
}

func TestFailureInsideAnAnswer(t *testing.T) {
	t.Parallel()
	const partial = `{"columns":[],"rows":[[1]],"error":{"code":"memory_limit","detail":"out of memory"}}`
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "application/json", partial) })
	_, err := c.Query(t.Context(), "SELECT 1", QueryOptions{})
	require.EqualError(t, err, "out of memory")
	var copied bytes.Buffer
	_, err = c.Stream(t.Context(), "SELECT 1", QueryOptions{}, "json", &copied)
	require.EqualError(t, err, "out of memory")
	require.Equal(t, partial, copied.String())
}

func TestColumnsNamedErrorAreNoFailure(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"error":"disk"}` + "\n" + `{"error":null}` + "\n",
		`{"error":{"code":"x","detail":"y"},"n":1}` + "\n",
		`{"error":{"kind":"x"}}` + "\n",
		`{"rows":[["\"error\":{}"]]}`,
	} {
		var last lastBytes
		for i := range len(body) {
			_, _ = last.Write([]byte{body[i]})
		}
		require.NoError(t, last.failure(), body)
	}
	var last lastBytes
	_, _ = last.Write(bytes.Repeat([]byte("x"), 3*keptBytes))
	_, _ = last.Write([]byte("\n{\"error\":{\"code\":\"timeout\",\"detail\":\"too slow\"}}\n"))
	require.LessOrEqual(t, len(last.tail), keptBytes)
	require.EqualError(t, last.failure(), "too slow")
}

func TestAnswerThatBreaksOff(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "application/json", `{"columns":[`) })
	_, err := c.Query(t.Context(), "SELECT 1", QueryOptions{})
	require.ErrorContains(t, err, "broke off before its end")
}

func TestIngest(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/v1/streams/a%2Fb%20c/events?time=when+at", r.URL.RequestURI())
		require.Equal(t, NDJSON, r.Header.Get("Content-Type"))
		require.Equal(t, "zstd", r.Header.Get("Content-Encoding"))
		body, _ := io.ReadAll(r.Body)
		require.Equal(t, "{}\n", string(body))
		answer(w, 200, "application/json", `{"stream":"a/b c","accepted":1,"rejected":1,
			"offsets":[{"partition":2,"first":5,"last":5}],"errors":[{"row":2,"reason":"not JSON"}]}`)
	})
	opts := IngestOptions{ContentEncoding: "zstd", TimeColumn: "when at"}
	res, err := c.Ingest(t.Context(), "a/b c", strings.NewReader("{}\n"), opts)
	require.NoError(t, err)
	require.Equal(t, []OffsetRange{{Partition: 2, First: 5, Last: 5}}, res.Offsets)
	require.Equal(t, []RowError{{Row: 2, Reason: "not JSON"}}, res.Errors)
}

func TestIngestOfNothingButBadRows(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 400, "application/problem+json",
			`{"code":"all_rows_rejected","detail":"none","rejected":3,"errors":[{"row":1,"reason":"r"}]}`)
	})
	_, err := c.Ingest(t.Context(), "s", strings.NewReader("x"), IngestOptions{})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, event.CodeRejected, refused.Code)
	require.NotNil(t, refused.Ingest)
	require.EqualValues(t, 3, refused.Ingest.Rejected)
	require.Equal(t, "r", refused.Ingest.Errors[0].Reason)
}

func TestUnreachableServer(t *testing.T) {
	t.Parallel()
	// A listener that was closed again leaves a port that refuses.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c, err := New(l.Addr().String())
	require.NoError(t, err)
	err = c.Ready(t.Context())
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, "is `tidemark serve` running?")
	require.NotContains(t, err.Error(), "dial tcp")
}

func TestCancelledCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	_, err := c.Query(ctx, "SELECT 1", QueryOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, IsCancelled(err))
}
