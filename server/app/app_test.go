package app

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/server/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(int) { http.DefaultClient.CloseIdleConnections() }))
}

// instance is a server on free ports.
type instance struct {
	*App
	t    testing.TB
	data string
}

func start(t testing.TB, data string, change ...func(*config.Config)) *instance {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = data, "127.0.0.1:0", "127.0.0.1:0"
	for _, f := range change {
		f(&c)
	}
	a, err := Start(t.Context(), c, "test", slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	i := &instance{App: a, t: t, data: data}
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return i
}

// response is an answer read to its end.
type response struct {
	status  int
	header  http.Header
	trailer http.Header
	body    []byte
}

func (i *instance) do(method, path, body string, headers ...string) response {
	i.t.Helper()
	request, err := http.NewRequestWithContext(i.t.Context(), method, i.URL()+path, strings.NewReader(body))
	require.NoError(i.t, err)
	for h := 0; h < len(headers); h += 2 {
		if headers[h] == "Host" {
			request.Host = headers[h+1]
		}
		request.Header.Add(headers[h], headers[h+1])
	}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(i.t, err)
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	require.NoError(i.t, err)
	got := response{answer.StatusCode, answer.Header, answer.Trailer, read}
	i.checkContract(method, path, body, request.Header, got)
	return got
}

func (r response) decode(t testing.TB, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(into), string(r.body))
}

type ingested struct {
	Accepted, Rejected int64
	Errors             []struct {
		Row    int64
		Reason string
	}
	Offsets []struct{ Partition, First, Last int64 }
}

// ingest posts NDJSON that must be taken.
func (i *instance) ingest(stream, body string, headers ...string) ingested {
	i.t.Helper()
	answer := i.do("POST", "/v1/streams/"+stream+"/events", body, headers...)
	require.Equal(i.t, http.StatusOK, answer.status, string(answer.body))
	var out ingested
	answer.decode(i.t, &out)
	return out
}

type table struct {
	Columns []struct{ Name, Type string }
	Rows    [][]any
	Count   int64 `json:"row_count"`
	Stats   struct {
		Rows    int64 `json:"rows_scanned"`
		Scanned int   `json:"segments_scanned"`
		Pruned  int   `json:"segments_pruned"`
		Cut     bool  `json:"truncated"`
	}
}

// query runs SQL that must succeed.
func (i *instance) query(sql string) table {
	i.t.Helper()
	answer := i.do("POST", "/v1/sql", sql)
	require.Equal(i.t, http.StatusOK, answer.status, "%s\n%s", sql, answer.body)
	var out table
	answer.decode(i.t, &out)
	require.Len(i.t, out.Rows, int(out.Count))
	return out
}

// text renders rows for comparison, a line each.
func (t table) text() string {
	var b strings.Builder
	for _, row := range t.Rows {
		line, _ := json.Marshal(row)
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func (i *instance) seal(stream string) {
	i.t.Helper()
	answer := i.do("POST", "/v1/streams/"+stream+"/seal", "")
	require.Equal(i.t, http.StatusOK, answer.status, string(answer.body))
}

// restart stops the server and starts another on the same data.
func (i *instance) restart() *instance {
	i.t.Helper()
	require.NoError(i.t, i.Close())
	return start(i.t, i.data)
}
