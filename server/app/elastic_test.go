package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bulkBody is a request with an item of every sort.
const bulkBody = `{"index":{"_index":"Web-2026.03","_id":"7"}}
{"@timestamp":"2026-03-01T09:00:00Z","path":"/"}
{"create":{"_index":"audit"}}
{"@timestamp":"2026-03-01T09:00:01Z","user":"ada"}
{"delete":{"_index":"audit","_id":"1"}}
{"index":{}}
{"n":1}
{"create":{"_index":"audit"}}
broken
`

func TestBulkRequests(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const web, audit = `{"index":{"_index":"Web-2026.03","result":"created","status":201}}`, `{"create":{"_index":"audit","result":"created","status":201}}`
	const refused = `{"delete":{"_index":"audit","status":400,"error":{"type":"document_parsing_exception","reason":"rows cannot be deleted one by one: ` +
		`they are only added"}}}`
	const broken = `{"create":{"_index":"audit","status":400,"error":{"type":"document_parsing_exception","reason":"not JSON: the row begins with \"broken\""}}}`
	for path, item := range map[string]string{
		"/_bulk": `{"index":{"_index":"","status":400,"error":{"type":"document_parsing_exception",` +
			`"reason":"neither the action nor the address names an index"}}}`,
		"/visits/_bulk": `{"index":{"_index":"visits","result":"created","status":201}}`,
	} {
		for _, method := range []string{"POST", "PUT"} {
			answer := s.do(method, path, bulkBody, "Content-Type", "application/x-ndjson")
			require.Equal(t, http.StatusOK, answer.status, string(answer.body))
			require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
			_, items, _ := strings.Cut(string(answer.body), ",")
			require.Equal(t, `"errors":true,"items":[`+strings.Join([]string{web, audit, refused, item, broken}, ",")+"]}\n", items)
		}
	}
	require.Equal(t, strings.Repeat(`["7","2026-03-01T09:00:00.000000Z","/"]`+"\n", 4), s.query("SELECT * FROM web_2026_03").text())
	require.Equal(t, strings.Repeat(`["2026-03-01T09:00:01.000000Z","ada"]`+"\n", 4), s.query("SELECT * FROM audit").text())
	require.Equal(t, "[1]\n[1]\n", s.query("SELECT n FROM visits").text())
	require.Equal(t, "[2,4]\n[4,4]\n", s.query("SELECT request_row, count(*) FROM audit_rejected GROUP BY request_row ORDER BY request_row").text())

	answer := s.do("POST", "/_bulk", `{"create":{"_index":"audit"}}`+"\n"+`{"user":"bob"}`+"\n"+`{"user":"cy"}`+"\n")
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, string(answer.body), `"type":"bad_request","reason":"line 3 is no action of a bulk request`)
	require.Contains(t, string(answer.body), "(1 rows are stored)")
	require.Equal(t, "[5]\n", s.query("SELECT count(*) FROM audit").text())
	for _, path := range []string{"/", "/_cluster/health", "/_license"} {
		answer := s.do("GET", path, "")
		require.Equal(t, http.StatusOK, answer.status)
		require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
	}
}

// TestElasticRefresh: clients such as pino's end with an error that nobody catches where they may not refresh what they wrote.
func TestElasticRefresh(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, path := range []string{"/_refresh", "/logs/_refresh"} {
		for _, method := range []string{"GET", "POST"} {
			answer := s.do(method, path, "")
			require.Equal(t, http.StatusOK, answer.status)
			require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
			require.JSONEq(t, `{"_shards":{"total":1,"successful":1,"failed":0}}`, string(answer.body))
		}
	}
}

// TestLargeBulkRequestsAreStoredOnceUnderTheirKey repeats a request of several parts, whole and broken off.
func TestLargeBulkRequestsAreStoredOnceUnderTheirKey(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const rows = 40_000
	var body strings.Builder
	for i := range rows {
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q}}\n{\"n\":%d,\"pad\":%q}\n", []string{"a", "b", "c"}[i%3], i, strings.Repeat("x", i%50))
	}
	key := []string{"Idempotency-Key", "bulk-1"}
	packed := gzipped(t, body.String())
	answer := s.do("POST", "/_bulk", packed[:len(packed)*2/3], append(key, "Content-Encoding", "gzip")...)
	require.Equal(t, http.StatusBadRequest, answer.status, string(answer.body))
	for range 2 {
		answer = s.do("POST", "/_bulk", body.String(), key...)
		require.Equal(t, http.StatusOK, answer.status)
		require.Contains(t, string(answer.body), `"errors":false`)
		require.Equal(t, rows, strings.Count(string(answer.body), `"status":201`))
		require.Equal(t, fmt.Sprintf("[%d,%d,%d]\n", rows, rows, rows*(rows-1)/2),
			s.query("SELECT count(*), count(DISTINCT n), sum(n) FROM (SELECT n FROM a UNION ALL SELECT n FROM b UNION ALL SELECT n FROM c)").text())
		s = s.restart()
	}
}
